import { expect, test } from "vitest";
import { layoutByDagre } from "../worker/dagreLayout";
import { arrange, arrangeAsIs } from "./arrange";
import { type Box, CONTAINER_PADDING, type Graph, type GraphNode, groupByParent, readingOrder } from "./graph";
import { layoutInLayers } from "./layers";
import { hasOverlap, overlaps } from "./overlap";

function node(id: string, x: number, y: number, more: Partial<GraphNode> = {}): GraphNode {
  return {
    id,
    type: "llm",
    title: id,
    parent_id: null,
    position: { x, y },
    width: 244,
    height: 98,
    category: "model",
    summary: ["one line"],
    handles: [{ id: "source", label: "" }],
    ...more,
  };
}

function edge(source: string, target: string) {
  return { id: `${source}-${target}`, source, target, handle: "source" };
}

/** No two nodes of one container overlap, and no node leaves its container. */
function expectReadable(graph: Graph, places: ReadonlyMap<string, Box>): void {
  for (const [parent, group] of groupByParent(graph.nodes)) {
    const boxes = group.map((each) => places.get(each.id)).filter((box) => box !== undefined);
    expect(boxes).toHaveLength(group.length);
    expect(hasOverlap(boxes)).toBe(false);
    const frame = parent === null ? undefined : places.get(parent);
    for (const box of frame ? boxes : []) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(frame?.width ?? 0);
      expect(box.y + box.height).toBeLessThanOrEqual(frame?.height ?? 0);
    }
  }
}

test("positions of a readable file are kept as they are", () => {
  const graph = { nodes: [node("a", 30, 200), node("b", 330, 180)], edges: [edge("a", "b")] };

  const places = arrangeAsIs(graph);

  expect(places?.get("a")).toMatchObject({ x: 30, y: 200 });
  expect(places?.get("b")).toMatchObject({ x: 330, y: 180 });
});

test("a file whose nodes overlap needs a layout, and gets one without overlap", () => {
  const graph = {
    nodes: [node("a", 0, 0), node("b", 100, 20), node("c", 0, 0)],
    edges: [edge("a", "b"), edge("b", "c")],
  };

  expect(arrangeAsIs(graph)).toBeNull();
  for (const layout of [layoutByDagre, layoutInLayers]) expectReadable(graph, arrange(graph, layout));
});

test("a file without positions is laid out from left to right", () => {
  const graph = {
    nodes: [node("a", 0, 0, { position: null }), node("b", 0, 0, { position: null })],
    edges: [edge("a", "b")],
  };

  const places = arrange(graph, layoutByDagre);

  expect(places.get("a")?.x).toBeLessThan(places.get("b")?.x ?? 0);
});

test("a container grows round its nodes and the nodes beside it make room", () => {
  const graph = {
    nodes: [
      node("start", 0, 0),
      node("loop", 300, 0, { type: "iteration", width: 300, height: 140 }),
      node("in", 24, 60, { parent_id: "loop", type: "iteration-start" }),
      node("one", 120, 60, { parent_id: "loop" }),
      node("two", 400, 60, { parent_id: "loop" }),
      node("after", 620, 0),
    ],
    edges: [edge("start", "loop"), edge("loop", "after"), edge("in", "one"), edge("one", "two")],
  };

  const places = arrange(graph, layoutByDagre);

  expectReadable(graph, places);
  expect(places.get("one")).toMatchObject({ x: 120, y: 60 });
  expect(places.get("loop")?.width).toBe(400 + 220 + CONTAINER_PADDING.right);
});

test("containers in containers are laid out from the inside out", () => {
  const graph = {
    nodes: [
      node("outer", 0, 0, { type: "loop" }),
      node("inner", 0, 0, { type: "iteration", parent_id: "outer" }),
      node("a", 0, 0, { parent_id: "inner" }),
      node("b", 0, 0, { parent_id: "inner" }),
      node("c", 0, 0, { parent_id: "outer" }),
    ],
    edges: [edge("inner", "c"), edge("a", "b")],
  };

  expectReadable(graph, arrange(graph, layoutByDagre));
});

test("a note on top of a node moves aside and the node stays", () => {
  const graph = {
    nodes: [node("a", 0, 0), node("note", 10, 10, { type: "note", width: 240, height: 88 })],
    edges: [],
  };

  const places = arrangeAsIs(graph);

  expect(places?.get("a")).toMatchObject({ x: 0, y: 0 });
  expectReadable(graph, places ?? new Map());
});

test("four hundred nodes fall back to plain layers and still do not overlap", () => {
  const nodes = Array.from({ length: 400 }, (_, at) => node(`n${at}`, 0, 0));
  const edges = nodes.slice(1).map((each, at) => edge(`n${Math.floor(at / 3)}`, each.id));

  expectReadable({ nodes, edges }, arrange({ nodes, edges }, layoutByDagre));
});

test("nodes that touch count as overlapping", () => {
  expect(overlaps({ x: 0, y: 0, width: 10, height: 10 }, { x: 12, y: 0, width: 10, height: 10 })).toBe(true);
  expect(overlaps({ x: 0, y: 0, width: 10, height: 10 }, { x: 20, y: 0, width: 10, height: 10 })).toBe(false);
});

test("reading order follows the edges and puts a container before its nodes", () => {
  const graph = {
    nodes: [
      node("end", 0, 0),
      node("inside", 0, 0, { parent_id: "loop" }),
      node("loop", 0, 0, { type: "loop" }),
      node("start", 0, 0),
    ],
    edges: [edge("start", "loop"), edge("loop", "end")],
  };

  expect(readingOrder(graph).map((each) => each.id)).toEqual(["start", "loop", "inside", "end"]);
});
