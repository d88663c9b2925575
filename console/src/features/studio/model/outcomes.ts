import type { Step } from "@/features/runs";
import type { Outcomes } from "./flow";
import type { Graph } from "./graph";

/** Where nodes that choose say which way they took. */
const CHOICES = ["selected_case_id", "class_id", "__action_id"];

function takenBy(step: Step, hasFailBranch: boolean): string | null {
  for (const name of CHOICES) {
    const choice = step.outputs?.[name];
    if (typeof choice === "string") return choice;
  }
  if (!hasFailBranch) return null;
  return step.status === "exception" ? "fail-branch" : "source";
}

/** What each node of the flow did in a run. */
export function outcomesOf(graph: Graph, steps: readonly Step[]): Outcomes {
  const guarded = new Set(
    graph.nodes.filter((node) => node.handles.some((handle) => handle.id === "fail-branch")).map((node) => node.id),
  );
  return new Map(
    steps.map((step) => [step.nodeId, { status: step.status, taken: takenBy(step, guarded.has(step.nodeId)) }]),
  );
}
