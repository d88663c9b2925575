"""The bytes of every event, against the reference."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidemill.api.wire_chat import encoder_for, message_blocking
from tidemill.api.wire_workflow import workflow_blocking
from tidemill.domains.runs.ticket import AppMode, Creator, Ticket
from tidemill.engine import events
from tidemill.engine.events import Usage

USAGE = Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5, total_price="0.000007", latency_s=0.5)
USAGE_JSON = (
    '{"prompt_tokens":3,"prompt_unit_price":"0","prompt_price_unit":"0.000001","prompt_price":"0",'
    '"completion_tokens":2,"completion_unit_price":"0","completion_price_unit":"0.000001","completion_price":"0",'
    '"total_tokens":5,"total_price":"0.000007","currency":"USD","latency":0.5,"time_to_first_token":null,'
    '"time_to_generate":null}'
)


def ticket(mode: AppMode, **fields: Any) -> Ticket:
    chat: dict[str, Any] = {} if mode == "workflow" else {"conversation_id": "c", "message_id": "m"}
    return Ticket(
        task_id="t",
        run_id="r",
        app_id="a",
        workflow_id="w",
        mode=mode,
        creator=Creator(id="e", user="ada"),
        created_at=1700000000,
        **{**chat, **fields},
    )


def finished(**fields: Any) -> events.RunFinished:
    given: dict[str, Any] = {
        "seq": 9,
        "at": 1700000002.5,
        "run_id": "r",
        "status": "succeeded",
        "outputs": {"answer": "Hé"},
        "started_at": 1700000000.5,
        "elapsed_s": 2.0,
        "total_tokens": 5,
        "total_steps": 3,
        "answer": "Hé",
        "usage": USAGE,
        **fields,
    }
    return events.RunFinished(**given)


DELTA = events.TextDelta(seq=3, at=1700000001.0, node_id="llm", text='Hé "x"\n', selector=("llm", "text"))
FINISHED = (
    '{"id":"r","workflow_id":"w","status":"STATUS","outputs":{"answer":"Hé"},"error":ERROR,"elapsed_time":2.0,'
    '"total_tokens":5,"total_steps":3,"created_by":{"id":"e","user":"ada"},"created_at":1700000000,'
    '"finished_at":1700000002,"exceptions_count":0,"files":[]}'
)


def test_a_chatflow_text_piece_has_the_keys_in_order_and_its_variable():
    encoder = encoder_for(ticket("advanced-chat"))

    assert encoder.encode(DELTA).decode() == (
        'data: {"event":"message","conversation_id":"c","message_id":"m","created_at":1700000000,"task_id":"t",'
        '"id":"m","answer":"Hé \\"x\\"\\n","from_variable_selector":["llm","text"]}\n\n'
    )


def test_a_completion_text_piece_has_no_conversation():
    encoder = encoder_for(ticket("completion"))

    assert encoder.encode(DELTA).startswith(
        b'data: {"event":"message","message_id":"m","created_at":1700000000,"task_id":"t","id":"m","answer":"H'
    )


def test_a_workflow_text_piece_is_nested_under_data():
    encoder = encoder_for(ticket("workflow"))

    assert encoder.encode(DELTA).decode() == (
        'data: {"event":"text_chunk","workflow_run_id":"r","task_id":"t",'
        '"data":{"text":"Hé \\"x\\"\\n","from_variable_selector":["llm","text"]}}\n\n'
    )


def test_an_agent_text_piece_has_no_variable():
    encoder = encoder_for(ticket("agent-chat"))

    assert encoder.encode(DELTA).endswith(b'"task_id":"t","id":"m","answer":"H\xc3\xa9 \\"x\\"\\n"}\n\n')


def test_a_chatflow_ends_with_message_end_and_then_workflow_finished():
    encoder = encoder_for(ticket("advanced-chat"))

    first, second, last = encoder.encode(finished()).decode().split("\n\n")

    head = '"conversation_id":"c","message_id":"m","created_at":1700000000,"task_id":"t",'
    assert first == (
        f'data: {{"event":"message_end",{head}"id":"m","metadata":{{"annotation_reply":null,'
        f'"retriever_resources":[],"usage":{USAGE_JSON}}},"files":[]}}'
    )
    data = FINISHED.replace("STATUS", "succeeded").replace("ERROR", "null")
    assert second == f'data: {{"event":"workflow_finished",{head}"workflow_run_id":"r","data":{data}}}'
    assert last == ""


def test_a_stopped_chatflow_ends_with_workflow_finished_and_then_message_end():
    encoder = encoder_for(ticket("advanced-chat"))

    names = [json.loads(part[6:])["event"] for part in encoder.encode(finished(status="stopped")).split(b"\n\n")[:-1]]

    assert names == ["workflow_finished", "message_end"]


def test_a_failed_chatflow_ends_with_workflow_finished_and_an_error_without_task_id():
    encoder = encoder_for(ticket("advanced-chat"))

    parts = encoder.encode(finished(status="failed", error="No model.")).decode().split("\n\n")

    assert json.loads(parts[0][6:])["data"]["status"] == "failed"
    assert parts[1] == (
        'data: {"event":"error","conversation_id":"c","message_id":"m","created_at":1700000000,'
        '"code":"invalid_param","status":400,"message":"Run failed: No model."}'
    )
    assert parts[2:] == [""]


@pytest.mark.parametrize(
    ("error_type", "code", "status"),
    [
        ("ModelNotConfigured", "provider_not_initialize", 400),
        ("InvokeRateLimitError", "rate_limit_error", 429),
        ("QuotaExceededError", "provider_quota_exceeded", 400),
        ("SomethingElse", "completion_request_error", 400),
    ],
)
def test_a_failed_chat_names_what_its_model_call_met(error_type: str, code: str, status: int):
    encoder = encoder_for(ticket("chat"))

    event = json.loads(encoder.encode(finished(status="failed", error="No.", error_type=error_type))[6:])

    assert (event["event"], event["code"], event["status"], event["message"]) == ("error", code, status, "No.")
    assert "task_id" not in event


def test_chat_shows_no_workflow_events():
    encoder = encoder_for(ticket("chat"))
    started = events.RunStarted(seq=1, at=1.0, run_id="r", workflow_id="w", inputs={})

    assert encoder.encode(started) == b""


def test_a_workflow_starts_with_its_inputs():
    encoder = encoder_for(ticket("workflow"))
    started = events.RunStarted(seq=1, at=1700000000.9, run_id="r", workflow_id="w", inputs={"x": "a", "sys.files": []})

    assert encoder.encode(started).decode() == (
        'data: {"event":"workflow_started","workflow_run_id":"r","task_id":"t","data":{"id":"r","workflow_id":"w",'
        '"inputs":{"x":"a","sys.files":[]},"created_at":1700000000,"reason":"initial"}}\n\n'
    )


def test_node_events_have_their_keys_in_order():
    encoder = encoder_for(ticket("workflow"))
    common: dict[str, Any] = {"execution_id": "x", "node_id": "n", "node_type": "llm", "title": "LLM", "index": 2}
    scope = events.Scope("loop", "outer", 3, events.Scope("iteration", "it", 1))
    started = events.NodeStarted(seq=2, at=1700000000.0, predecessor_id="start", scope=scope, **common)
    ended = events.NodeFinished(
        seq=3,
        at=1700000001.0,
        status="succeeded",
        started_at=1700000000.0,
        elapsed_s=1.0,
        predecessor_id="start",
        scope=scope,
        outputs={"text": "a"},
        usage=USAGE,
        **common,
    )

    begun = json.loads(encoder.encode(started)[6:])["data"]
    data = json.loads(encoder.encode(ended)[6:])["data"]

    keys = [
        *("id", "node_id", "node_type", "title", "index", "predecessor_node_id", "inputs", "inputs_truncated"),
        *("created_at", "extras", "iteration_id", "loop_id", "agent_strategy"),
    ]
    assert list(begun) == keys
    assert list(data) == [
        *keys,
        *("process_data", "process_data_truncated", "outputs", "outputs_truncated", "status", "error"),
        *("elapsed_time", "execution_metadata", "finished_at", "files"),
    ]
    assert (begun["iteration_id"], begun["loop_id"]) == ("it", "outer")
    assert data["execution_metadata"] == {
        "total_tokens": 5,
        "total_price": "0.000007",
        "currency": "USD",
        "loop_id": "outer",
        "loop_index": 3,
        "iteration_id": "it",
        "iteration_index": 1,
    }


def test_the_token_budget_of_a_call_is_in_its_nodes_metadata():
    encoder = encoder_for(ticket("advanced-chat"))
    call = events.ModelCalled(
        seq=3,
        at=1.0,
        node_id="n",
        provider="openai",
        model="gpt",
        window_tokens=8192,
        prompt_tokens=4000,
        max_tokens=4192,
        usage=USAGE,
        requested_max_tokens=5000,
        trimmed_messages=2,
    )
    ended = events.NodeFinished(
        seq=4, at=2.0, execution_id="x", node_id="n", node_type="llm", title="LLM", index=1, status="succeeded",
        started_at=1.0, elapsed_s=1.0,
    )  # fmt: skip

    shown = encoder.encode(call)
    budget = json.loads(encoder.encode(ended)[6:])["data"]["execution_metadata"]["budget"]

    assert shown == b""
    assert budget["prompt_tokens"] + budget["max_tokens"] == budget["window_tokens"] == 8192
    assert (budget["requested_max_tokens"], budget["trimmed_messages"]) == (5000, 2)


def test_large_values_are_cut_for_display_and_say_so():
    encoder = encoder_for(ticket("workflow"))
    ended = events.NodeFinished(
        seq=4, at=2.0, execution_id="x", node_id="n", node_type="code", title="C", index=1, status="succeeded",
        started_at=1.0, elapsed_s=1.0, outputs={"text": "a" * 200_000, "items": list(range(50_000))},
    )  # fmt: skip

    data = json.loads(encoder.encode(ended)[6:])["data"]

    assert data["outputs_truncated"] is True
    assert len(data["outputs"]["text"]) == 100_000
    assert len(data["outputs"]["items"]) == 1_000


def test_a_loop_tells_its_length_and_the_last_output():
    encoder = encoder_for(ticket("workflow"))
    common: dict[str, Any] = {"kind": "loop", "execution_id": "x", "node_id": "n", "node_type": "loop", "title": "L"}

    begun = json.loads(
        encoder.encode(events.ContainerStarted(seq=1, at=1.0, inputs={"loop_count": 3}, length=3, **common))[6:]
    )
    turned = json.loads(
        encoder.encode(events.ContainerAdvanced(seq=2, at=1.0, index=1, previous_output={"n": 1}, **common))[6:]
    )

    assert (begun["event"], begun["data"]["metadata"]) == ("loop_started", {"loop_length": 3})
    assert (turned["event"], turned["data"]["index"], turned["data"]["pre_loop_output"]) == ("loop_next", 1, {"n": 1})


def test_citations_of_the_same_document_are_merged_and_renumbered():
    encoder = encoder_for(ticket("chat"))
    resources = [{"dataset_id": "d", "document_id": doc, "position": 7} for doc in ("one", "one", "two")]

    encoder.encode(events.ResourcesRetrieved(seq=2, at=1.0, node_id="k", resources=resources))
    found = json.loads(encoder.encode(finished())[6:])["metadata"]["retriever_resources"]

    assert [(item["document_id"], item["position"]) for item in found] == [("one", 1), ("two", 2)]


def test_text_that_is_no_utf8_is_still_a_single_json_line():
    encoder = encoder_for(ticket("chat"))
    broken = events.TextDelta(seq=2, at=1.0, node_id="n", text="\ud83d", selector=None)

    event = encoder.encode(broken)

    assert event.count(b"\n") == 2
    assert json.loads(event[6:])["answer"] == "\ud83d"


def test_a_blocking_chat_answer_has_its_keys_in_order():
    answer = message_blocking(ticket("advanced-chat"), finished(), [])

    assert list(answer) == [
        *("event", "task_id", "id", "message_id", "conversation_id", "mode", "answer", "metadata", "created_at")
    ]
    assert (answer["event"], answer["id"], answer["answer"]) == ("message", "m", "Hé")
    assert list(answer["metadata"]) == ["usage", "retriever_resources"]


def test_a_blocking_workflow_answer_holds_failed_runs_too():
    answer = workflow_blocking(ticket("workflow"), finished(status="failed", error="No."))

    assert list(answer) == ["task_id", "workflow_run_id", "data"]
    assert (answer["data"]["status"], answer["data"]["error"]) == ("failed", "No.")


def test_an_iterations_events_carry_their_keys_in_order():
    encoder = encoder_for(ticket("workflow"))
    named = {"execution_id": "x", "node_id": "n", "node_type": "iteration", "title": "I"}
    common: dict[str, Any] = {"kind": "iteration", **named}

    def told(event: events.Event) -> dict[str, Any]:
        return json.loads(encoder.encode(event)[6:])

    items = {"iterator_selector": [1, 2]}
    begun = told(events.ContainerStarted(seq=1, at=1.5, inputs=items, length=2, **common))
    turned = told(events.ContainerAdvanced(seq=2, at=2.5, index=0, **common))
    ended = told(
        events.ContainerFinished(
            seq=3, at=3.5, status="failed", inputs=items, outputs={"output": [1]}, started_at=1.5, elapsed_s=2.0,
            steps=4, error="No.", total_tokens=7, metadata={"iteration_duration_map": {"0": 1.0}}, **common,
        )
    )  # fmt: skip

    assert [event["event"] for event in (begun, turned, ended)] == [
        "iteration_started",
        "iteration_next",
        "iteration_completed",
    ]
    assert list(begun["data"]) == [
        *("id", "node_id", "node_type", "title", "created_at", "extras", "metadata", "inputs", "inputs_truncated")
    ]
    assert begun["data"]["metadata"] == {"iteration_length": 2}
    assert list(turned["data"]) == ["id", "node_id", "node_type", "title", "index", "created_at", "extras"]
    assert turned["data"]["index"] == 0
    assert list(ended["data"]) == [
        *("id", "node_id", "node_type", "title", "outputs", "outputs_truncated", "created_at", "extras", "inputs"),
        *("inputs_truncated", "status", "error", "elapsed_time", "total_tokens", "execution_metadata", "finished_at"),
        "steps",
    ]
    assert (ended["data"]["status"], ended["data"]["error"], ended["data"]["steps"]) == ("failed", "No.", 4)
    assert (ended["data"]["created_at"], ended["data"]["finished_at"]) == (1, 3)
    assert ended["data"]["execution_metadata"] == {"iteration_duration_map": {"0": 1.0}}


def test_rounds_at_the_same_time_keep_their_own_budgets():
    encoder = encoder_for(ticket("workflow"))

    def call(execution_id: str, prompt_tokens: int) -> None:
        encoder.encode(
            events.ModelCalled(
                seq=1, at=1.0, node_id="llm", execution_id=execution_id, provider="p", model="m", window_tokens=100,
                prompt_tokens=prompt_tokens, max_tokens=10, usage=USAGE,
            )
        )  # fmt: skip

    def prompt_tokens(execution_id: str) -> int:
        ended = events.NodeFinished(
            seq=2, at=2.0, execution_id=execution_id, node_id="llm", node_type="llm", title="L", index=1,
            status="succeeded", started_at=1.0, elapsed_s=1.0,
        )  # fmt: skip
        return json.loads(encoder.encode(ended)[6:])["data"]["execution_metadata"]["budget"]["prompt_tokens"]

    call("first", 11)
    call("second", 22)

    assert (prompt_tokens("first"), prompt_tokens("second")) == (11, 22)
