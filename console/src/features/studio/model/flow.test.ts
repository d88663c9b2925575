import { expect, test } from "vitest";
import { arrange } from "./arrange";
import { toFlowEdges, toFlowNodes } from "./flow";
import type { Graph } from "./graph";
import { layoutInLayers } from "./layers";
import { outlineOf, stepFrom } from "./walk";

const plain = { parent_id: null, position: null, width: null, height: null, category: "", summary: [] };
const GRAPH: Graph = {
  nodes: [
    { ...plain, id: "start", type: "start", title: "Start", handles: [{ id: "source", label: "" }] },
    {
      ...plain,
      id: "if",
      type: "if-else",
      title: "Is it late?",
      handles: [
        { id: "true", label: "IF" },
        { id: "false", label: "ELSE" },
      ],
    },
    {
      ...plain,
      id: "yes",
      type: "answer",
      title: "Yes",
      summary: ["Good night"],
      handles: [{ id: "source", label: "" }],
    },
    { ...plain, id: "no", type: "answer", title: "No", handles: [{ id: "source", label: "" }] },
  ],
  edges: [
    { id: "1", source: "start", target: "if", handle: "source" },
    { id: "2", source: "if", target: "yes", handle: "true" },
    { id: "2b", source: "if", target: "yes", handle: "true" },
    { id: "3", source: "if", target: "no", handle: "false" },
    { id: "4", source: "if", target: "nowhere", handle: "false" },
  ],
};

const nodes = toFlowNodes(
  GRAPH,
  arrange(GRAPH, layoutInLayers),
  new Map([["start", { status: "succeeded", taken: null }]]),
  (node, state, inputs, outputs) => [node.type, node.title, state, inputs, outputs].join(","),
);

test("each node is announced by type, title, state, inputs and outputs", () => {
  expect(nodes.map((node) => node.ariaLabel)).toEqual([
    "start,Start,succeeded,0,1",
    "if-else,Is it late?,,1,4",
    "answer,Yes,,2,0",
    "answer,No,,1,0",
  ]);
});

test("a choice has a way out per branch, and a start has no way in", () => {
  expect(nodes[1]?.data.branches.map((branch) => branch.label)).toEqual(["IF", "ELSE"]);
  expect(nodes[1]?.data.output).toBeNull();
  expect(nodes[0]?.data).toMatchObject({ hasInput: false, output: "source" });
});

test("an edge written twice is drawn once, one to nowhere not at all, and only the way taken is marked", () => {
  const ran = (taken: string | null) => ({ status: "succeeded", taken });
  const edges = toFlowEdges(
    GRAPH,
    new Map([
      ["start", ran(null)],
      ["if", ran("true")],
      ["yes", ran(null)],
      ["no", ran(null)],
    ]),
  );

  expect(edges.map((edge) => edge.id)).toEqual(["start/source/if", "if/true/yes", "if/false/no"]);
  expect(edges.map((edge) => edge.data?.isTaken)).toEqual([true, true, false]);
});

test("Alt and the arrows walk along the edges and among the branches", () => {
  expect(stepFrom(GRAPH, "start", "ArrowRight")).toBe("if");
  expect(stepFrom(GRAPH, "if", "ArrowLeft")).toBe("start");
  expect(stepFrom(GRAPH, "yes", "ArrowUp")).toBeUndefined();
  expect(stepFrom(GRAPH, "no", "ArrowUp")).toBe("yes");
  expect(stepFrom(GRAPH, "no", "ArrowRight")).toBeUndefined();
});

test("search finds a node by what it says", () => {
  expect(outlineOf(GRAPH, "good night").map((entry) => entry.id)).toEqual(["yes"]);
  expect(outlineOf(GRAPH, "")).toHaveLength(4);
});
