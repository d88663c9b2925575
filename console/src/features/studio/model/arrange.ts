import {
  type Box,
  CONTAINER_PADDING,
  type Graph,
  type GraphNode,
  groupByParent,
  isContainer,
  isNote,
  sizeOf,
} from "./graph";
import type { LayoutGroup, Sized } from "./layers";
import { hasOverlap, nearestFree } from "./overlap";

/** Where every node is drawn, by node id. */
export type Arrangement = Map<string, Box>;

function frame(boxes: readonly Box[]): { right: number; bottom: number } {
  return {
    right: Math.max(0, ...boxes.map((box) => box.x + box.width)),
    bottom: Math.max(0, ...boxes.map((box) => box.y + box.height)),
  };
}

function moveTo(boxes: Map<string, Box>, left: number, top: number): Map<string, Box> {
  const all = [...boxes.values()];
  const dx = left - Math.min(...all.map((box) => box.x));
  const dy = top - Math.min(...all.map((box) => box.y));
  return new Map([...boxes].map(([id, box]) => [id, { ...box, x: box.x + dx, y: box.y + dy }]));
}

/** Positions from the file, unless one is missing, two nodes overlap, or one leaves its container. */
function keptPositions(
  sized: readonly Sized[],
  nodes: readonly GraphNode[],
  isInside: boolean,
): Map<string, Box> | null {
  const kept = new Map<string, Box>();
  for (const [at, node] of nodes.entries()) {
    const size = sized[at];
    if (!node.position || !size) return null;
    if (isInside && (node.position.x < 0 || node.position.y < 0)) return null;
    kept.set(node.id, { ...node.position, width: size.width, height: size.height });
  }
  return hasOverlap([...kept.values()]) ? null : kept;
}

/**
 * Places every node: from the file where that is readable, else by `layout`, container by container from the inside
 * out. Notes move to the nearest free place, since they belong to no edge.
 */
export function arrange(graph: Graph, layout: LayoutGroup): Arrangement {
  const groups = groupByParent(graph.nodes);
  const placed: Arrangement = new Map();
  const grown = new Map<string, Box>();

  const placeGroup = (parent: string | null): void => {
    const group = groups.get(parent) ?? [];
    for (const node of group) if (groups.has(node.id)) placeGroup(node.id);
    const steps = group.filter((node) => !isNote(node));
    const sized = steps.map((node) => ({ ...sizeOf(node), ...grown.get(node.id), id: node.id }));
    const kept = keptPositions(sized, steps, parent !== null);
    let boxes = kept;
    if (!boxes) {
      boxes = layout(sized, graph.edges);
      if (parent !== null && boxes.size > 0) boxes = moveTo(boxes, CONTAINER_PADDING.left, CONTAINER_PADDING.top);
    }
    for (const note of group.filter(isNote)) {
      const wanted = { x: 0, y: 0, ...note.position, ...sizeOf(note) };
      boxes.set(note.id, nearestFree(wanted, [...boxes.values()]));
    }
    for (const [id, box] of boxes) placed.set(id, { x: box.x, y: box.y, width: box.width, height: box.height });
    const container = graph.nodes.find((node) => node.id === parent);
    if (container && boxes.size > 0) grown.set(container.id, grow(container, [...boxes.values()], kept !== null));
  };

  placeGroup(null);
  return placed;
}

/** A container is as large as the file says, and larger if its nodes need it; after a layout it fits them. */
function grow(container: GraphNode, boxes: readonly Box[], isKept: boolean): Box {
  const own = isContainer(container) && isKept ? sizeOf(container) : { width: 0, height: 0 };
  const { right, bottom } = frame(boxes);
  return {
    x: 0,
    y: 0,
    width: Math.max(own.width, right + CONTAINER_PADDING.right),
    height: Math.max(own.height, bottom + CONTAINER_PADDING.bottom),
  };
}

/** Arranges a flow without any layout, or says that one is needed. */
export function arrangeAsIs(graph: Graph): Arrangement | null {
  let needsLayout = false;
  const arrangement = arrange(graph, () => {
    needsLayout = true;
    return new Map();
  });
  return needsLayout ? null : arrangement;
}
