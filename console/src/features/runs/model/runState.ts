import type {
  Budget,
  JsonObject,
  NodeData,
  NodeMetadata,
  NodeStatus,
  RunData,
  RunStatus,
  StreamEvent,
  Usage,
} from "@/shared/api/events";

/** Where a node ran: inside which container, and in which of its rounds. */
export type StepScope = { containerId: string; round: number | null };

export type StepUsage = {
  promptTokens: number | null;
  answerTokens: number | null;
  totalTokens: number | null;
  price: string | null;
  currency: string | null;
};

/** One execution of one node. */
export type Step = {
  id: string;
  nodeId: string;
  nodeType: string;
  title: string;
  status: NodeStatus;
  startedAtS: number | null;
  elapsedS: number | null;
  error: string | null;
  inputs: JsonObject | null;
  processData: JsonObject | null;
  outputs: JsonObject | null;
  usage: StepUsage | null;
  budget: Budget | null;
  scope: StepScope | null;
  retries: number;
};

export type RunError = { message: string; code: string | null; nodeTitle: string | null };

/** Everything a page shows of a run, live or finished. */
export type RunState = {
  status: "connecting" | RunStatus;
  runId: string | null;
  taskId: string | null;
  conversationId: string | null;
  messageId: string | null;
  text: string;
  reasoning: string;
  /** The answer is whole: `message_end` came. */
  isAnswered: boolean;
  outputs: JsonObject | null;
  steps: readonly Step[];
  error: RunError | null;
  elapsedS: number | null;
  totalTokens: number | null;
  usage: StepUsage | null;
};

export const initialRun: RunState = {
  status: "connecting",
  runId: null,
  taskId: null,
  conversationId: null,
  messageId: null,
  text: "",
  reasoning: "",
  isAnswered: false,
  outputs: null,
  steps: [],
  error: null,
  elapsedS: null,
  totalTokens: null,
  usage: null,
};

export function isLive(state: RunState): boolean {
  return state.status === "connecting" || state.status === "running";
}

export function toUsage(usage: Usage | null | undefined): StepUsage | null {
  if (!usage) return null;
  const promptTokens = usage.prompt_tokens ?? null;
  const answerTokens = usage.completion_tokens ?? null;
  const totalTokens = usage.total_tokens ?? null;
  // A run without a model call reports zeros.
  if (!promptTokens && !answerTokens && !totalTokens) return null;
  return {
    promptTokens,
    answerTokens,
    totalTokens: totalTokens ?? (promptTokens ?? 0) + (answerTokens ?? 0),
    price: usage.total_price === null || usage.total_price === undefined ? null : String(usage.total_price),
    currency: usage.currency ?? null,
  };
}

function isUsage(value: unknown): value is Usage {
  return typeof value === "object" && value !== null && "total_tokens" in value;
}

/** A model node reports its usage in its outputs; every node sums it up in its metadata. */
function usageOf(data: NodeData): StepUsage | null {
  const metadata = data.execution_metadata;
  for (const found of [metadata?.usage, data.outputs?.usage, data.process_data?.usage, metadata]) {
    const usage = isUsage(found) ? toUsage(found) : null;
    if (usage) return usage;
  }
  return null;
}

function scopeOf(data: NodeData, metadata: NodeMetadata | null | undefined): StepScope | null {
  const containerId = metadata?.iteration_id ?? metadata?.loop_id ?? data.iteration_id ?? data.loop_id ?? null;
  if (!containerId) return null;
  return { containerId, round: metadata?.iteration_index ?? metadata?.loop_index ?? null };
}

function toStep(data: NodeData, before: Step | undefined): Step {
  return {
    id: data.id,
    nodeId: data.node_id,
    nodeType: data.node_type,
    title: data.title,
    status: data.status ?? "running",
    startedAtS: data.created_at ?? before?.startedAtS ?? null,
    elapsedS: data.elapsed_time ?? null,
    error: data.error ?? null,
    inputs: data.inputs ?? before?.inputs ?? null,
    processData: data.process_data ?? null,
    outputs: data.outputs ?? null,
    usage: usageOf(data),
    budget: data.execution_metadata?.budget ?? null,
    scope: scopeOf(data, data.execution_metadata) ?? before?.scope ?? null,
    retries: before?.retries ?? 0,
  };
}

function withStep(steps: readonly Step[], data: NodeData): readonly Step[] {
  const at = steps.findIndex((step) => step.id === data.id);
  if (at < 0) return [...steps, toStep(data, undefined)];
  return steps.with(at, toStep(data, steps[at]));
}

function withRetry(steps: readonly Step[], data: NodeData): readonly Step[] {
  const at = steps.findIndex((step) => step.id === data.id || step.nodeId === data.node_id);
  const step = steps[at];
  if (!step) return steps;
  const retries = data.retry_index ?? step.retries + 1;
  return steps.with(at, { ...step, status: "retry", retries, error: data.error ?? null });
}

function failingTitle(steps: readonly Step[]): string | null {
  return steps.findLast((step) => step.status === "failed")?.title ?? null;
}

/** Nodes that were running when the run ended did not finish. */
function settle(steps: readonly Step[]): readonly Step[] {
  const open = (step: Step) => step.status === "running" || step.status === "retry";
  return steps.some(open) ? steps.map((step) => (open(step) ? { ...step, status: "stopped" } : step)) : steps;
}

function identify(state: RunState, event: StreamEvent): RunState {
  const runId = event.workflow_run_id ?? state.runId;
  const taskId = event.task_id ?? state.taskId;
  const conversationId = event.conversation_id ?? state.conversationId;
  const messageId = event.message_id ?? state.messageId;
  const status = state.status === "connecting" ? "running" : state.status;
  const isSame =
    runId === state.runId &&
    taskId === state.taskId &&
    conversationId === state.conversationId &&
    messageId === state.messageId &&
    status === state.status;
  return isSame ? state : { ...state, runId, taskId, conversationId, messageId, status };
}

function finish(state: RunState, data: RunData): RunState {
  const steps = settle(state.steps);
  return {
    ...state,
    steps,
    status: state.status === "stopped" ? "stopped" : (data.status ?? "succeeded"),
    runId: data.id,
    outputs: data.outputs ?? null,
    elapsedS: data.elapsed_time ?? null,
    totalTokens: data.total_tokens ?? null,
    error:
      data.error && data.status === "failed"
        ? { message: data.error, code: state.error?.code ?? null, nodeTitle: failingTitle(steps) }
        : state.error,
  };
}

function fail(state: RunState, event: StreamEvent & { event: "error" }): RunState {
  const steps = settle(state.steps);
  if (state.status === "stopped") return { ...state, steps };
  const error = {
    message: event.message,
    code: event.code ?? null,
    nodeTitle: state.error?.nodeTitle ?? failingTitle(steps),
  };
  return { ...state, steps, status: "failed", error };
}

/** The state of a run after one more event. Text of a run that was stopped here stays as it was. */
export function reduceRun(before: RunState, event: StreamEvent): RunState {
  const state = identify(before, event);
  switch (event.event) {
    case "workflow_started":
      return { ...state, runId: event.data.id, status: state.status === "stopped" ? "stopped" : "running" };
    case "node_started":
    case "node_finished":
      return { ...state, steps: withStep(state.steps, event.data) };
    case "node_retry":
      return { ...state, steps: withRetry(state.steps, event.data) };
    case "message":
    case "agent_message":
      return state.status === "stopped" ? state : { ...state, text: state.text + event.answer };
    case "text_chunk":
      return state.status === "stopped" ? state : { ...state, text: state.text + event.data.text };
    case "message_replace":
      return { ...state, text: event.answer };
    case "text_replace":
      return { ...state, text: event.data.text };
    case "reasoning_chunk":
      return { ...state, reasoning: state.reasoning + event.data.reasoning };
    case "message_end":
      return {
        ...state,
        isAnswered: true,
        usage: toUsage(event.metadata?.usage),
        messageId: event.id ?? state.messageId,
      };
    case "workflow_finished":
      return finish(state, event.data);
    case "workflow_paused":
      return { ...state, status: "paused", elapsedS: event.data.elapsed_time ?? null };
    case "error":
      return fail(state, event);
  }
}

/** The reader pressed Stop: what is there stays, and later text is ignored. */
export function stopRun(state: RunState): RunState {
  return isLive(state) ? { ...state, steps: settle(state.steps), status: "stopped" } : state;
}

/** The stream closed. A run that never said how it ended was cut off. */
export function closeRun(state: RunState): RunState {
  if (!isLive(state)) return state;
  const steps = settle(state.steps);
  if (state.isAnswered) return { ...state, steps, status: "succeeded" };
  return { ...state, steps, status: "failed", error: { message: "", code: "stream_cut", nodeTitle: null } };
}

/** The request never became a stream, or the connection broke. */
export function breakRun(state: RunState, error: RunError): RunState {
  return isLive(state) ? { ...state, steps: settle(state.steps), status: "failed", error } : state;
}
