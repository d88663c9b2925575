import { type Arrangement, arrange, arrangeAsIs } from "../model/arrange";
import type { Graph } from "../model/graph";
import { layoutInLayers } from "../model/layers";

/** After this the page stops waiting and uses plain layers. */
const PATIENCE_MS = 3000;

function inWorker(graph: Graph, signal: AbortSignal): Promise<Arrangement> {
  const worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
  return new Promise<Arrangement>((resolve, reject) => {
    const giveUp = () => resolve(arrange(graph, layoutInLayers));
    const timer = setTimeout(giveUp, PATIENCE_MS);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
    worker.onmessage = ({ data }: MessageEvent<Arrangement>) => {
      clearTimeout(timer);
      resolve(data);
    };
    worker.onerror = giveUp;
  }).finally(() => worker.terminate());
}

/** Places the nodes of a flow: as in the file when that is readable, else by a layout outside the page's thread. */
export async function arrangeFlow(graph: Graph, signal: AbortSignal): Promise<Arrangement> {
  return arrangeAsIs(graph) ?? (await inWorker(graph, signal));
}
