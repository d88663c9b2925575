// Imported before anything else in a worker: what programs have no business with is gone before their code is here.
// The interpreter also looks for some of these to tell where it runs; without them it takes this for a plain worker.
for (const name of [
  "Deno",
  "process",
  "Buffer",
  "Worker",
  "importScripts",
  "WebSocket",
  "WebSocketStream",
  "EventSource",
  "XMLHttpRequest",
  "BroadcastChannel",
  "caches",
  "localStorage",
  "sessionStorage",
]) {
  delete globalThis[name];
  if (name in globalThis) Object.defineProperty(globalThis, name, { value: undefined });
}
