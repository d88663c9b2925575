export type Handle = { id: string; label: string };

/** A node as the server describes it for the canvas. A missing position is laid out here. */
export type GraphNode = {
  id: string;
  type: string;
  title: string;
  parent_id: string | null;
  position: { x: number; y: number } | null;
  width: number | null;
  height: number | null;
  category: string;
  summary: string[];
  handles: Handle[];
};

export type GraphEdge = { id: string; source: string; target: string; handle: string };

export type Graph = { nodes: GraphNode[]; edges: GraphEdge[] };

/** A rectangle on the canvas; inside a container, relative to the container's corner. */
export type Box = { x: number; y: number; width: number; height: number };

export type Size = { width: number; height: number };

export const NODE_WIDTH = 220;
export const TITLE_HEIGHT = 40;
export const LINE_HEIGHT = 16;
export const BRANCH_HEIGHT = 22;
export const BODY_PADDING = 8;
export const MAX_SUMMARY_LINES = 2;
/** Room between the frame of a container and the nodes in it; the title takes the top. */
export const CONTAINER_PADDING = { top: 56, right: 24, bottom: 24, left: 24 };

const ENTRY_SIZE: Size = { width: 44, height: 40 };
const CONTAINER_MIN: Size = { width: 300, height: 140 };
const NOTE_MIN: Size = { width: 120, height: 56 };

export function isContainer(node: GraphNode): boolean {
  return node.type === "iteration" || node.type === "loop";
}

export function isNote(node: GraphNode): boolean {
  return node.type === "note" || node.type === "";
}

/** The start inside a container: a small tile without a title. */
export function isEntry(node: GraphNode): boolean {
  return node.type === "iteration-start" || node.type === "loop-start";
}

/** Branches are drawn as rows only when there is a choice. */
export function branchesOf(node: GraphNode): Handle[] {
  return node.handles.length > 1 ? node.handles : [];
}

export function summaryOf(node: GraphNode): string[] {
  return node.summary.slice(0, MAX_SUMMARY_LINES);
}

/** The size a node is drawn with. It is computed, not measured, so that a flow can be arranged before it is drawn. */
export function sizeOf(node: GraphNode): Size {
  if (isEntry(node)) return ENTRY_SIZE;
  if (isNote(node)) {
    return {
      width: Math.max(node.width ?? 0, NOTE_MIN.width),
      height: Math.max(node.height ?? 0, NOTE_MIN.height),
    };
  }
  if (isContainer(node)) {
    return {
      width: Math.max(node.width ?? 0, CONTAINER_MIN.width),
      height: Math.max(node.height ?? 0, CONTAINER_MIN.height),
    };
  }
  const lines = summaryOf(node).length;
  const branches = branchesOf(node).length;
  const body = lines * LINE_HEIGHT + branches * BRANCH_HEIGHT;
  return { width: NODE_WIDTH, height: TITLE_HEIGHT + body + (body > 0 ? BODY_PADDING : 0) };
}

/** The height on a node at which the edge of a branch leaves it. */
export function branchOffset(node: GraphNode, branch: number): number {
  return TITLE_HEIGHT + summaryOf(node).length * LINE_HEIGHT + branch * BRANCH_HEIGHT + BRANCH_HEIGHT / 2;
}

/** Node ids by the container they are in (null for the flow itself). Unknown containers count as none. */
export function groupByParent(nodes: readonly GraphNode[]): Map<string | null, GraphNode[]> {
  const ids = new Set(nodes.map((node) => node.id));
  const groups = new Map<string | null, GraphNode[]>();
  for (const node of nodes) {
    const isInside = node.parent_id !== null && node.parent_id !== node.id && ids.has(node.parent_id);
    const parent = isInside ? node.parent_id : null;
    groups.set(parent, [...(groups.get(parent) ?? []), node]);
  }
  return groups;
}

/**
 * Nodes in the order in which a reader meets them: along the edges, a container before what is in it.
 * It is the tab order of the canvas, and the library wants parents first.
 */
export function readingOrder(graph: Graph): GraphNode[] {
  const groups = groupByParent(graph.nodes);
  const ordered: GraphNode[] = [];
  const visit = (parent: string | null) => {
    for (const node of alongEdges(groups.get(parent) ?? [], graph.edges)) {
      ordered.push(node);
      visit(node.id);
    }
  };
  visit(null);
  return ordered;
}

function alongEdges(group: readonly GraphNode[], edges: readonly GraphEdge[]): GraphNode[] {
  const byId = new Map(group.map((node) => [node.id, node]));
  const targets = new Map<string, string[]>();
  const waiting = new Map(group.map((node) => [node.id, 0]));
  for (const { source, target } of edges) {
    if (!byId.has(source) || !byId.has(target)) continue;
    targets.set(source, [...(targets.get(source) ?? []), target]);
    waiting.set(target, (waiting.get(target) ?? 0) + 1);
  }
  const ordered: GraphNode[] = [];
  const queue = group.filter((node) => !isNote(node) && waiting.get(node.id) === 0);
  for (let node = queue.shift(); node; node = queue.shift()) {
    ordered.push(node);
    byId.delete(node.id);
    for (const id of targets.get(node.id) ?? []) {
      const left = (waiting.get(id) ?? 0) - 1;
      waiting.set(id, left);
      const next = byId.get(id);
      if (left === 0 && next) queue.push(next);
    }
  }
  return [...ordered, ...byId.values()];
}
