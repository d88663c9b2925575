import type { Box, GraphEdge, Size } from "./graph";

export type Sized = Size & { id: string };
/** Places the nodes of one container, or of the whole flow, anywhere; only distances matter. */
export type LayoutGroup = (nodes: readonly Sized[], edges: readonly GraphEdge[]) => Map<string, Box>;

export const RANK_GAP = 80;
export const ROW_GAP = 32;

/** How far each node is from a start, along the longest path. Edges that close a circle are left out. */
function ranksOf(nodes: readonly Sized[], edges: readonly GraphEdge[]): Map<string, number> {
  const targets = new Map<string, string[]>();
  const waiting = new Map(nodes.map((node) => [node.id, 0]));
  for (const { source, target } of edges) {
    if (!waiting.has(source) || !waiting.has(target)) continue;
    targets.set(source, [...(targets.get(source) ?? []), target]);
    waiting.set(target, (waiting.get(target) ?? 0) + 1);
  }
  const ranks = new Map<string, number>();
  const queue = nodes.filter((node) => waiting.get(node.id) === 0).map((node) => node.id);
  for (const id of queue) ranks.set(id, 0);
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    const rank = ranks.get(id) ?? 0;
    for (const target of targets.get(id) ?? []) {
      ranks.set(target, Math.max(ranks.get(target) ?? 0, rank + 1));
      const left = (waiting.get(target) ?? 0) - 1;
      waiting.set(target, left);
      if (left === 0) queue.push(target);
    }
  }
  return ranks;
}

/** Plain layering: a column per rank, in the order given. For flows that are too large for anything better. */
export const layoutInLayers: LayoutGroup = (nodes, edges) => {
  const ranks = ranksOf(nodes, edges);
  const columns: Sized[][] = [];
  for (const node of nodes) {
    const rank = ranks.get(node.id) ?? 0;
    columns[rank] = [...(columns[rank] ?? []), node];
  }
  const boxes = new Map<string, Box>();
  let x = 0;
  for (const column of columns) {
    if (!column) continue;
    let y = 0;
    for (const node of column) {
      boxes.set(node.id, { x, y, width: node.width, height: node.height });
      y += node.height + ROW_GAP;
    }
    x += Math.max(...column.map((node) => node.width)) + RANK_GAP;
  }
  return boxes;
};
