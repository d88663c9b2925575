import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./api";
import { Problem, problemOf } from "./problem";

/** Where the console is mounted: the server writes `<base href>`, also under a path prefix. Ends with a slash. */
export const siteUrl = new URL(".", document.baseURI).href;
export const sitePath = new URL(siteUrl).pathname;

/** Absolute address of a route of the console API; `path` starts with a slash. */
export function consoleUrl(path: string): string {
  return `${siteUrl}console/api${path}`;
}

let csrfToken = "";

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** Headers that every writing request needs; for callers of `fetch` such as event streams and uploads. */
export function csrfHeaders(): Record<string, string> {
  return csrfToken ? { "X-CSRF-Token": csrfToken } : {};
}

const csrf: Middleware = {
  onRequest({ request }) {
    if (request.method === "GET" || request.method === "HEAD") return;
    for (const [name, value] of Object.entries(csrfHeaders())) request.headers.set(name, value);
  },
};

export const api = createClient<paths>({
  baseUrl: consoleUrl(""),
  credentials: "same-origin",
  fetch: (request) => globalThis.fetch(request),
});
api.use(csrf);

type Reply<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

/** The body of a good answer; anything else is thrown as a `Problem`. */
export async function unwrap<T>(reply: Reply<T>): Promise<T> {
  const { data, error, response } = await settled(reply);
  if (!response.ok) throw problemOf(response, error);
  // An answer without a body (204) has no data and the type says so.
  return data as T;
}

async function settled<T>(reply: Reply<T>) {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem({ code: "unreachable", message: "The server cannot be reached.", status: 0 });
  }
}
