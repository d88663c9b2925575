import { createParser } from "eventsource-parser";
import { parseEvent, type StreamEvent } from "./events";

/**
 * Calls `onEvent` for each event of a response body. Keep-alives have no data, and events that are not known are
 * left out: a newer server may send more than this page shows.
 */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  onEvent: (event: StreamEvent) => void,
): Promise<void> {
  const parser = createParser({
    onEvent({ data }) {
      const event = data === "" ? null : parseEvent(data);
      if (event) onEvent(event);
    },
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parser.feed(decoder.decode(part.value, { stream: true }));
  }
}
