import { arrange } from "../model/arrange";
import type { Graph } from "../model/graph";
import { layoutByDagre } from "./dagreLayout";

self.onmessage = ({ data }: MessageEvent<Graph>) => {
  self.postMessage(arrange(data, layoutByDagre));
};
