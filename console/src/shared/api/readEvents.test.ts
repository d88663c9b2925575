import { expect, test } from "vitest";
import type { StreamEvent } from "./events";
import { readEvents } from "./readEvents";

async function read(...parts: (string | Uint8Array)[]): Promise<StreamEvent[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(typeof part === "string" ? encoder.encode(part) : part);
      controller.close();
    },
  });
  const events: StreamEvent[] = [];
  await readEvents(body, (event) => events.push(event));
  return events;
}

const message = (answer: string) => `data: ${JSON.stringify({ event: "message", answer })}\n\n`;

test("each data line becomes an event", async () => {
  const events = await read(message("Hel"), message("lo"));

  expect(events.map((event) => "answer" in event && event.answer)).toEqual(["Hel", "lo"]);
});

test("a keep-alive has no data and is passed over", async () => {
  expect(await read("event: ping\n\n", message("a"), "event: ping\n\n")).toHaveLength(1);
});

test("an event may arrive in pieces, even cut inside a character", async () => {
  const bytes = new TextEncoder().encode(message("你好"));

  const events = await read(...[...bytes].map((byte) => Uint8Array.of(byte)));

  expect(events).toEqual([{ event: "message", answer: "你好" }]);
});

test("events of a newer server are passed over", async () => {
  expect(await read('data: {"event":"hologram","data":{}}\n\n', message("a"))).toHaveLength(1);
});
