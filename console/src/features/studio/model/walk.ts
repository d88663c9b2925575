import { type Graph, isNote, readingOrder } from "./graph";

/** Node ids one can step to from a node, along its edges. */
export type Neighbours = { next: string[]; previous: string[] };

export function neighboursOf(graph: Graph, id: string): Neighbours {
  return {
    next: graph.edges.filter((edge) => edge.source === id).map((edge) => edge.target),
    previous: graph.edges.filter((edge) => edge.target === id).map((edge) => edge.source),
  };
}

/**
 * Where Alt and an arrow lead: right and left along the edges, down and up among the nodes that share a predecessor
 * (for starts: among all nodes in reading order).
 */
export function stepFrom(graph: Graph, id: string, key: string): string | undefined {
  const { next, previous } = neighboursOf(graph, id);
  if (key === "ArrowRight") return next[0];
  if (key === "ArrowLeft") return previous[0];
  const by = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!by) return undefined;
  const siblings = previous[0] ? neighboursOf(graph, previous[0]).next : readingOrder(graph).map((node) => node.id);
  return siblings[siblings.indexOf(id) + by];
}

export type Outline = { id: string; type: string; title: string; depth: number };

/** The flow as a list: nodes in reading order, those in a container below it. Search looks in titles and summaries. */
export function outlineOf(graph: Graph, query: string): Outline[] {
  const wanted = query.trim().toLowerCase();
  const depths = new Map<string, number>();
  return readingOrder(graph).flatMap((node) => {
    const depth = node.parent_id ? (depths.get(node.parent_id) ?? -1) + 1 : 0;
    depths.set(node.id, depth);
    const text = [node.title, node.type, ...node.summary].join("\n").toLowerCase();
    if (wanted && !text.includes(wanted)) return [];
    const title = node.title || (isNote(node) ? (node.summary[0] ?? "") : "");
    return [{ id: node.id, type: isNote(node) ? "note" : node.type, title, depth: wanted ? 0 : depth }];
  });
}
