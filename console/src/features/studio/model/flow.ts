import type { Edge, Node } from "@xyflow/react";
import type { Arrangement } from "./arrange";
import {
  type Box,
  branchesOf,
  branchOffset,
  type Graph,
  type GraphNode,
  type Handle,
  isContainer,
  isEntry,
  isNote,
  readingOrder,
  summaryOf,
} from "./graph";

/** What a node shows. It holds nothing that changes while the canvas is panned or zoomed. */
export type NodeFace = {
  type: string;
  title: string;
  summary: string[];
  branches: (Handle & { offset: number })[];
  hasInput: boolean;
  /** The one way out, when there is no choice. */
  output: string | null;
  status: string | null;
};
export type FlowNode = Node<NodeFace, "step" | "container" | "entry" | "note">;
export type FlowEdge = Edge<{ isTaken: boolean }, "flow">;

/** What a node did in a run, the last time it ran: its state, and the way out it took where it had a choice. */
export type Outcome = { status: string; taken: string | null };
export type Outcomes = ReadonlyMap<string, Outcome>;

/** How a node is announced: type, title, state, number of inputs and of outputs. */
export type Describe = (node: GraphNode, state: string | null, inputs: number, outputs: number) => string;

const NODES_WITHOUT_INPUT: ReadonlySet<string> = new Set(["start", "datasource"]);
const NODES_WITHOUT_OUTPUT: ReadonlySet<string> = new Set(["end", "loop-end", "knowledge-index"]);

function kindOf(node: GraphNode): FlowNode["type"] {
  if (isNote(node)) return "note";
  if (isContainer(node)) return "container";
  return isEntry(node) ? "entry" : "step";
}

const REFERENCE = /\{\{#([^.#]+)\.([^#]+)#\}\}/g;

/** A line as a reader knows the flow: references name the node, not its id. */
export function withTitles(line: string, titles: ReadonlyMap<string, string>): string {
  return line.replace(REFERENCE, (_, id: string, field: string) => `{${titles.get(id) ?? id}.${field}}`);
}

function faceOf(node: GraphNode, status: string | null, titles: ReadonlyMap<string, string>): NodeFace {
  const branches = branchesOf(node).map((handle, place) => ({ ...handle, offset: branchOffset(node, place) }));
  const isEnd = NODES_WITHOUT_OUTPUT.has(node.type) || isNote(node);
  return {
    type: isNote(node) ? "note" : node.type,
    title: node.title,
    summary: isNote(node) ? node.summary : summaryOf(node).map((line) => withTitles(line, titles)),
    branches,
    hasInput:
      !NODES_WITHOUT_INPUT.has(node.type) && !node.type.startsWith("trigger-") && !isEntry(node) && !isNote(node),
    output: isEnd || branches.length > 0 ? null : (node.handles[0]?.id ?? "source"),
    status,
  };
}

function countEnds(graph: Graph): { inputs: Map<string, number>; outputs: Map<string, number> } {
  const inputs = new Map<string, number>();
  const outputs = new Map<string, number>();
  for (const { source, target } of graph.edges) {
    outputs.set(source, (outputs.get(source) ?? 0) + 1);
    inputs.set(target, (inputs.get(target) ?? 0) + 1);
  }
  return { inputs, outputs };
}

const NOWHERE: Box = { x: 0, y: 0, width: 0, height: 0 };

/** The nodes of a flow as the canvas library wants them: in reading order, parents first, with places and names. */
export function toFlowNodes(graph: Graph, places: Arrangement, outcomes: Outcomes, describe: Describe): FlowNode[] {
  const { inputs, outputs } = countEnds(graph);
  const titles = new Map(graph.nodes.map((node) => [node.id, node.title]));
  return readingOrder(graph).map((node) => {
    const { x, y, width, height } = places.get(node.id) ?? NOWHERE;
    const status = outcomes.get(node.id)?.status ?? null;
    const isInside = node.parent_id !== null && node.parent_id !== node.id && titles.has(node.parent_id);
    return {
      id: node.id,
      type: kindOf(node),
      position: { x, y },
      width,
      height,
      ...(isInside && node.parent_id !== null && { parentId: node.parent_id, extent: "parent" as const }),
      data: faceOf(node, status, titles),
      ariaLabel: describe(node, status, inputs.get(node.id) ?? 0, outputs.get(node.id) ?? 0),
      ariaRole: "button",
      draggable: false,
      connectable: false,
      deletable: false,
    };
  });
}

/** The way out that an edge takes; some files write `success-branch` for the plain one. */
function sourceHandle(node: GraphNode | undefined, handle: string): string {
  if (!node) return handle;
  if (branchesOf(node).some((branch) => branch.id === handle)) return handle;
  return branchesOf(node)[0]?.id ?? node.handles[0]?.id ?? "source";
}

function isTaken(source: Outcome | undefined, target: Outcome | undefined, handle: string): boolean {
  return source !== undefined && target !== undefined && (source.taken === null || source.taken === handle);
}

export function toFlowEdges(graph: Graph, outcomes: Outcomes): FlowEdge[] {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const seen = new Set<string>();
  return graph.edges.flatMap(({ source, target, handle }) => {
    const id = `${source}/${handle}/${target}`;
    if (seen.has(id) || !byId.has(source) || !byId.has(target)) return [];
    seen.add(id);
    return [
      {
        id,
        source,
        target,
        type: "flow" as const,
        sourceHandle: sourceHandle(byId.get(source), handle),
        targetHandle: "target",
        focusable: false,
        deletable: false,
        data: { isTaken: isTaken(outcomes.get(source), outcomes.get(target), handle) },
      },
    ];
  });
}
