/** The events of a run as the server sends them (the Service API's bytes, decoded). */

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

export type RunStatus = "running" | "succeeded" | "failed" | "stopped" | "partial-succeeded" | "paused";

export type NodeStatus = "pending" | "running" | "succeeded" | "failed" | "exception" | "stopped" | "paused" | "retry";

/** How the tokens of one model call were fitted into the model's window. */
export type Budget = {
  window_tokens?: number | null;
  prompt_tokens?: number | null;
  max_tokens?: number | null;
  requested_max_tokens?: number | null;
  trimmed_messages?: number | null;
  trimmed_tokens?: number | null;
  provider?: string | null;
  model?: string | null;
  is_exact?: boolean | null;
};

/** Decimals are strings on the wire, so that no digit is lost. */
export type Usage = {
  prompt_tokens?: number | null;
  completion_tokens?: number | null;
  total_tokens?: number | null;
  total_price?: string | number | null;
  currency?: string | null;
  latency?: number | null;
  time_to_first_token?: number | null;
};

export type NodeMetadata = Usage & {
  budget?: Budget | null;
  usage?: Usage | null;
  iteration_id?: string | null;
  iteration_index?: number | null;
  loop_id?: string | null;
  loop_index?: number | null;
  error_strategy?: string | null;
};

export type NodeData = {
  id: string;
  node_id: string;
  node_type: string;
  title: string;
  index?: number;
  status?: NodeStatus;
  error?: string | null;
  inputs?: JsonObject | null;
  process_data?: JsonObject | null;
  outputs?: JsonObject | null;
  elapsed_time?: number | null;
  execution_metadata?: NodeMetadata | null;
  created_at?: number;
  finished_at?: number | null;
  iteration_id?: string | null;
  loop_id?: string | null;
  retry_index?: number;
};

export type RunData = {
  id: string;
  status?: RunStatus;
  inputs?: JsonObject | null;
  outputs?: JsonObject | null;
  error?: string | null;
  elapsed_time?: number | null;
  total_tokens?: number | null;
  total_steps?: number | null;
  exceptions_count?: number | null;
};

type Shared = {
  task_id?: string;
  workflow_run_id?: string | null;
  conversation_id?: string;
  message_id?: string;
  created_at?: number;
};

export type StreamEvent = Shared &
  (
    | { event: "workflow_started" | "workflow_finished"; data: RunData }
    | { event: "workflow_paused"; data: { outputs?: JsonObject | null; elapsed_time?: number | null } }
    | { event: "node_started" | "node_finished" | "node_retry"; data: NodeData }
    | { event: "text_chunk" | "text_replace"; data: { text: string } }
    | { event: "reasoning_chunk"; data: { reasoning: string; node_id?: string; is_final?: boolean } }
    | { event: "message" | "agent_message" | "message_replace"; answer: string }
    | {
        event: "message_end";
        id?: string;
        metadata?: { usage?: Usage | null; retriever_resources?: JsonValue[] | null };
      }
    | { event: "error"; code?: string; status?: number; message: string }
  );

export type StreamEventName = StreamEvent["event"];

const NAMES: ReadonlySet<string> = new Set<StreamEventName>([
  "workflow_started",
  "workflow_finished",
  "workflow_paused",
  "node_started",
  "node_finished",
  "node_retry",
  "text_chunk",
  "text_replace",
  "reasoning_chunk",
  "message",
  "agent_message",
  "message_replace",
  "message_end",
  "error",
]);

function isStreamEvent(value: unknown): value is StreamEvent {
  return (
    typeof value === "object" &&
    value !== null &&
    "event" in value &&
    typeof value.event === "string" &&
    NAMES.has(value.event)
  );
}

/** One event from the text after `data: `; null for events this page has no use for. */
export function parseEvent(data: string): StreamEvent | null {
  const value: unknown = JSON.parse(data);
  return isStreamEvent(value) ? value : null;
}
