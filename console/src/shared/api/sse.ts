import { consoleUrl, csrfHeaders } from "./client";
import type { StreamEvent } from "./events";
import { Problem, readProblem } from "./problem";
import { readEvents } from "./readEvents";

/**
 * Posts to a route of the console API and reads the event stream it answers with, to its end.
 *
 * Throws a `Problem` when the server refuses before the stream starts or the connection breaks.
 */
export async function postEvents(
  path: string,
  body: unknown,
  options: { signal: AbortSignal; onEvent: (event: StreamEvent) => void },
): Promise<void> {
  try {
    const response = await fetch(consoleUrl(path), {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream", ...csrfHeaders() },
      body: JSON.stringify(body),
      signal: options.signal,
    });
    if (!response.ok || !response.body) throw await readProblem(response);
    await readEvents(response.body, options.onEvent);
  } catch (error) {
    if (error instanceof Problem || options.signal.aborted) throw error;
    throw new Problem({ code: "unreachable", message: "The connection to the server broke.", status: 0 });
  }
}
