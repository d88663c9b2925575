import { Graph, layout } from "@dagrejs/dagre";
import type { Box } from "../model/graph";
import { type LayoutGroup, layoutInLayers, RANK_GAP, ROW_GAP } from "../model/layers";

/** Above this, dagre takes longer than a reader waits. */
const MAX_NODES = 300;

/** Layers from left to right with few crossings. */
export const layoutByDagre: LayoutGroup = (nodes, edges) => {
  if (nodes.length > MAX_NODES) return layoutInLayers(nodes, edges);
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", ranksep: RANK_GAP, nodesep: ROW_GAP, edgesep: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  for (const { source, target } of edges) {
    if (graph.hasNode(source) && graph.hasNode(target) && source !== target) graph.setEdge(source, target);
  }
  layout(graph);
  const boxes = new Map<string, Box>();
  for (const { id, width, height } of nodes) {
    const centre = graph.node(id);
    boxes.set(id, { x: Math.round(centre.x - width / 2), y: Math.round(centre.y - height / 2), width, height });
  }
  return boxes;
};
