import type { NodeStatus } from "@/shared/api/events";
import type { RunDetail, RunNode } from "@/shared/api/types";
import { type Step, toUsage } from "./runState";

const STATUSES: Record<NodeStatus, true> = {
  pending: true,
  running: true,
  succeeded: true,
  failed: true,
  exception: true,
  stopped: true,
  paused: true,
  retry: true,
};

function isNodeStatus(status: string): status is NodeStatus {
  return status in STATUSES;
}

/** A node of a saved run, in the shape in which a live run has it. */
export function toStep(node: RunNode): Step {
  const round = node.scope.at(-1);
  return {
    id: node.execution_id,
    nodeId: node.node_id,
    nodeType: node.node_type,
    title: node.title,
    status: isNodeStatus(node.status) ? node.status : "succeeded",
    startedAtS: node.started_at,
    elapsedS: node.elapsed_s,
    error: node.error,
    inputs: node.inputs,
    processData: node.process_data,
    outputs: node.outputs,
    usage: toUsage(node.usage),
    budget: node.budget,
    scope: round ? { containerId: round.node_id, round: round.index } : null,
    retries: node.retries.length,
  };
}

export function toSteps(detail: RunDetail): Step[] {
  return detail.nodes.toSorted((a, b) => a.index - b.index).map(toStep);
}
