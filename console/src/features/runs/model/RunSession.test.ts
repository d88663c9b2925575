import { expect, test } from "vitest";
import type { StreamEvent } from "@/shared/api/events";
import { Problem } from "@/shared/api/problem";
import { RunSession } from "./RunSession";

const message = (answer: string): StreamEvent => ({ event: "message", answer, task_id: "t1", conversation_id: "c1" });

/** A stream that sends what the test tells it to, and the tasks it was told to stop. */
function scripted() {
  const stopped: string[] = [];
  let send: (event: StreamEvent) => void = () => undefined;
  let close: () => void = () => undefined;
  const session = new RunSession({
    open: ({ onEvent, signal }) =>
      new Promise((resolve) => {
        send = onEvent;
        close = resolve;
        signal.addEventListener("abort", () => resolve());
      }),
    stop: (taskId) => {
      stopped.push(taskId);
      return Promise.resolve();
    },
  });
  return { session, stopped, send: (event: StreamEvent) => send(event), close: () => close() };
}

test("Stop freezes the answer at once and tells the server", () => {
  const { session, stopped, send } = scripted();
  void session.follow();
  send(message("Hel"));

  session.stop();
  send(message("lo"));

  expect(session.snapshot()).toMatchObject({ status: "stopped", text: "Hel" });
  expect(stopped).toEqual(["t1"]);
});

test("Stop before the first event is sent as soon as the task has a name", () => {
  const { session, stopped, send } = scripted();
  void session.follow();

  session.stop();
  expect(stopped).toEqual([]);
  send(message("Hel"));

  expect(stopped).toEqual(["t1"]);
  expect(session.snapshot().text).toBe("");
});

test("many events in one frame tell the listeners once", async () => {
  const { session, send, close } = scripted();
  let renders = 0;
  session.subscribe(() => {
    renders += 1;
  });
  const followed = session.follow();
  for (let piece = 0; piece < 200; piece++) send(message("x"));
  send({ event: "message_end", id: "m1", metadata: {} });
  close();
  await followed;

  expect(session.snapshot()).toMatchObject({ status: "succeeded", text: "x".repeat(200) });
  expect(renders).toBe(1);
});

test("a refused request becomes an error with the server's code", async () => {
  const session = new RunSession({
    open: () => Promise.reject(new Problem({ code: "provider_not_initialize", message: "Add a key.", status: 400 })),
    stop: () => Promise.resolve(),
  });

  const state = await session.follow();

  expect(state).toMatchObject({ status: "failed", error: { code: "provider_not_initialize", message: "Add a key." } });
});
