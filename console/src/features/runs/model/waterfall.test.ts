import { expect, test } from "vitest";
import type { Step } from "./runState";
import { waterfall } from "./waterfall";

function step(nodeId: string, startedAtS: number, elapsedS: number, containerId?: string): Step {
  return {
    id: nodeId,
    nodeId,
    nodeType: "llm",
    title: nodeId,
    status: "succeeded",
    startedAtS,
    elapsedS,
    error: null,
    inputs: null,
    processData: null,
    outputs: null,
    usage: null,
    budget: null,
    scope: containerId ? { containerId, round: 0 } : null,
    retries: 0,
  };
}

test("bars stand where their nodes ran", () => {
  const bars = waterfall([step("a", 100, 1), step("b", 101, 3)]);

  expect(bars.map(({ start, length }) => [start, length])).toEqual([
    [0, 0.25],
    [0.25, 0.75],
  ]);
});

test("nodes of a container are below it", () => {
  const bars = waterfall([step("loop", 0, 4), step("inner", 0, 4, "loop"), step("deep", 1, 1, "inner")]);

  expect(bars.map((bar) => bar.depth)).toEqual([0, 1, 2]);
});

test("an instant run still has bars to see", () => {
  const [bar] = waterfall([step("a", 100, 0)]);

  expect(bar?.length).toBeGreaterThan(0);
  expect(waterfall([])).toEqual([]);
});
