import { expect, test } from "vitest";
import { parseEvent } from "@/shared/api/events";
import { closeRun, initialRun, isLive, type RunState, reduceRun, stopRun } from "./runState";

const HEAD = '"conversation_id":"c1","message_id":"m1","created_at":1700000000,"task_id":"t1","workflow_run_id":"r1"';

/** A chatflow's answer as the server sent it, with its two closing events. */
const CHATFLOW = [
  `{"event":"workflow_started",${HEAD},"data":{"id":"r1","workflow_id":"w1","inputs":{"sys.query":"Hi"},"created_at":1700000000,"reason":"initial"}}`,
  `{"event":"node_started",${HEAD},"data":{"id":"e1","node_id":"start","node_type":"start","title":"Start","index":1,"predecessor_node_id":null,"inputs":null,"inputs_truncated":false,"created_at":1700000000,"extras":{},"iteration_id":null,"loop_id":null,"agent_strategy":null}}`,
  `{"event":"node_finished",${HEAD},"data":{"id":"e1","node_id":"start","node_type":"start","title":"Start","index":1,"inputs":{"sys.query":"Hi"},"process_data":null,"outputs":{"sys.query":"Hi"},"status":"succeeded","error":null,"elapsed_time":0.001,"execution_metadata":{},"created_at":1700000000,"finished_at":1700000000,"files":[]}}`,
  `{"event":"node_started",${HEAD},"data":{"id":"e2","node_id":"llm","node_type":"llm","title":"Model","index":2,"predecessor_node_id":"start","inputs":null,"created_at":1700000000}}`,
  `{"event":"message",${HEAD},"id":"m1","answer":"Hel","from_variable_selector":["llm","text"]}`,
  `{"event":"message",${HEAD},"id":"m1","answer":"lo","from_variable_selector":["llm","text"]}`,
  `{"event":"node_finished",${HEAD},"data":{"id":"e2","node_id":"llm","node_type":"llm","title":"Model","index":2,"inputs":{},"process_data":{"prompts":[{"role":"user","text":"Hi"}]},"outputs":{"text":"Hello","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"total_price":"0.0001","currency":"USD"}},"status":"succeeded","error":null,"elapsed_time":0.42,"execution_metadata":{"total_tokens":11,"total_price":"0.0001","currency":"USD","budget":{"window_tokens":8192,"prompt_tokens":4000,"max_tokens":4192,"requested_max_tokens":8000,"trimmed_messages":2}},"created_at":1700000000,"finished_at":1700000001,"files":[]}}`,
  `{"event":"message_end",${HEAD},"id":"m1","metadata":{"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"total_price":"0.0001","currency":"USD"},"retriever_resources":[]},"files":null}`,
  `{"event":"workflow_finished",${HEAD},"data":{"id":"r1","workflow_id":"w1","status":"succeeded","outputs":{"answer":"Hello"},"error":null,"elapsed_time":0.5,"total_tokens":11,"total_steps":2,"created_at":1700000000,"finished_at":1700000001,"exceptions_count":0,"files":[]}}`,
];

const FAILED_WORKFLOW = [
  '{"event":"workflow_started","workflow_run_id":"r2","task_id":"t2","data":{"id":"r2","workflow_id":"w","inputs":{},"created_at":1}}',
  '{"event":"node_started","workflow_run_id":"r2","task_id":"t2","data":{"id":"e1","node_id":"http","node_type":"http-request","title":"Fetch","index":1,"created_at":1}}',
  '{"event":"node_retry","workflow_run_id":"r2","task_id":"t2","data":{"id":"e1","node_id":"http","node_type":"http-request","title":"Fetch","index":1,"status":"retry","error":"Timed out.","created_at":1,"retry_index":1}}',
  '{"event":"node_finished","workflow_run_id":"r2","task_id":"t2","data":{"id":"e1","node_id":"http","node_type":"http-request","title":"Fetch","index":1,"status":"failed","error":"Timed out.","elapsed_time":2,"created_at":1}}',
  '{"event":"workflow_finished","workflow_run_id":"r2","task_id":"t2","data":{"id":"r2","status":"failed","outputs":{},"error":"Timed out.","elapsed_time":2.1,"total_tokens":0,"total_steps":1}}',
];

function play(lines: readonly string[], state: RunState = initialRun): RunState {
  return lines.reduce((before, line) => {
    const event = parseEvent(line);
    return event ? reduceRun(before, event) : before;
  }, state);
}

test("a chatflow's stream becomes its answer, its ids, its steps and its usage", () => {
  const state = play(CHATFLOW);

  expect(state).toMatchObject({
    status: "succeeded",
    text: "Hello",
    runId: "r1",
    taskId: "t1",
    conversationId: "c1",
    messageId: "m1",
    elapsedS: 0.5,
    totalTokens: 11,
    error: null,
  });
  expect(state.usage).toEqual({ promptTokens: 9, answerTokens: 2, totalTokens: 11, price: "0.0001", currency: "USD" });
  expect(state.steps.map((step) => [step.nodeId, step.status, step.elapsedS])).toEqual([
    ["start", "succeeded", 0.001],
    ["llm", "succeeded", 0.42],
  ]);
});

test("a model step keeps its tokens and the budget of its call", () => {
  const step = play(CHATFLOW).steps[1];

  expect(step?.usage?.promptTokens).toBe(9);
  expect(step?.budget).toMatchObject({
    window_tokens: 8192,
    prompt_tokens: 4000,
    max_tokens: 4192,
    trimmed_messages: 2,
  });
});

test("after every event of a stream the state is one that can be shown", () => {
  for (let count = 0; count < CHATFLOW.length; count++) {
    const state = play(CHATFLOW.slice(0, count));
    expect(isLive(state)).toBe(true);
    expect("Hello".startsWith(state.text)).toBe(true);
  }
});

test("a failed run says why and in which node, and counts what was tried again", () => {
  const state = play(FAILED_WORKFLOW);

  expect(state.status).toBe("failed");
  expect(state.error).toEqual({ message: "Timed out.", code: null, nodeTitle: "Fetch" });
  expect(state.steps[0]).toMatchObject({ status: "failed", retries: 1 });
});

test("the error event after a failed run adds its code and keeps the node", () => {
  const state = play([
    ...FAILED_WORKFLOW,
    '{"event":"error","message_id":"m1","code":"completion_request_error","status":400,"message":"Timed out."}',
  ]);

  expect(state.error).toEqual({ message: "Timed out.", code: "completion_request_error", nodeTitle: "Fetch" });
});

test("stopping keeps the text, ignores what comes later, and still takes the figures", () => {
  const stopped = stopRun(play(CHATFLOW.slice(0, 5)));
  expect(stopped).toMatchObject({ status: "stopped", text: "Hel" });
  expect(stopped.steps.at(-1)?.status).toBe("stopped");

  const later = play(CHATFLOW.slice(5), stopped);
  expect(later).toMatchObject({ status: "stopped", text: "Hel", totalTokens: 11 });
});

test("a replacement takes the place of the text so far", () => {
  const state = play([...CHATFLOW.slice(0, 5), `{"event":"message_replace",${HEAD},"answer":"Withdrawn","reason":""}`]);

  expect(state.text).toBe("Withdrawn");
});

test("a stream that ends without saying so was cut", () => {
  const state = closeRun(play(CHATFLOW.slice(0, 6)));

  expect(state).toMatchObject({ status: "failed", text: "Hello", error: { code: "stream_cut" } });
  expect(state.steps.at(-1)?.status).toBe("stopped");
});

test("a plain chat ends with its message, without any workflow event", () => {
  const lines = CHATFLOW.filter(
    (line) => line.includes('"message') && !line.includes('"node_') && !line.includes("workflow_f"),
  );

  expect(closeRun(play(lines.filter((line) => !line.includes('"workflow_started"'))))).toMatchObject({
    status: "succeeded",
    text: "Hello",
  });
});
