import type { Step } from "./runState";

/** A row of the waterfall: where its bar starts and how long it is, as parts of the whole run (0 to 1). */
export type Bar = { step: Step; depth: number; start: number; length: number };

const MIN_LENGTH = 0.004;

function depthOf(step: Step, byNode: ReadonlyMap<string, Step>): number {
  let depth = 0;
  let scope = step.scope;
  while (scope && depth < 20) {
    depth += 1;
    scope = byNode.get(scope.containerId)?.scope ?? null;
  }
  return depth;
}

/** The rows of a run's waterfall, in the order in which the nodes started. */
export function waterfall(steps: readonly Step[]): Bar[] {
  const starts = steps.map((step) => step.startedAtS).filter((start) => start !== null);
  const first = starts.length > 0 ? Math.min(...starts) : 0;
  const last = Math.max(...steps.map((step) => (step.startedAtS ?? first) + (step.elapsedS ?? 0)));
  const whole = Math.max(last - first, 0.001);
  const byNode = new Map(steps.map((step) => [step.nodeId, step]));
  return steps.map((step) => {
    const offset = ((step.startedAtS ?? first) - first) / whole;
    const start = Math.min(Math.max(0, offset), 1 - MIN_LENGTH);
    const length = Math.min(Math.max((step.elapsedS ?? 0) / whole, MIN_LENGTH), 1 - start);
    return { step, depth: depthOf(step, byNode), start, length };
  });
}
