"""Chat, completion and workflow runs over the Service API, on a real server with a real model wire."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from support.served import (
    Served,
    assigning_chatflow,
    chatflow,
    model_app,
    model_workflow,
    workflow,
)


async def test_a_chatflow_streams_its_events_in_order(served: Served):
    app = await served.publish(chatflow())

    answer = await app.chat(response_mode="streaming")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in answer.headers
    messages = [event["answer"] for event in answer.events if event["event"] == "message"]
    assert len(messages) == 5
    assert [name for name in answer.names if name != "message"] == [
        *("workflow_started", "node_started", "node_finished", "node_started", "node_finished"),
        *("node_started", "node_finished", "message_end", "workflow_finished"),
    ]
    finished = answer.events[-1]["data"]
    assert finished["outputs"]["answer"] == "".join(messages)
    assert finished["total_tokens"] == answer.events[-2]["metadata"]["usage"]["total_tokens"] > 0


async def test_blocking_is_the_default_and_answers_the_whole_message(served: Served):
    app = await served.publish(chatflow())

    answer = await app.chat("hello")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert list(answer.json()) == [
        *("event", "task_id", "id", "message_id", "conversation_id", "mode", "answer", "metadata", "created_at")
    ]
    assert answer.json()["mode"] == "advanced-chat"
    assert isinstance(answer.json()["metadata"]["usage"]["total_price"], str)


@pytest.mark.parametrize("mode", ["chat", "completion"])
async def test_model_apps_stream_messages_and_no_workflow_events(served: Served, mode: str):
    app = await served.publish(model_app(mode))
    path = "/chat-messages" if mode == "chat" else "/completion-messages"
    body = {"inputs": {"query": "hello"}, "query": "hello", "user": "ada", "auto_generate_name": False}

    streamed = await app.post(path, {**body, "response_mode": "streaming"})
    blocking = await app.post(path, body)

    assert streamed.names == ["message"] * 5 + ["message_end"]
    assert ("conversation_id" in streamed.events[0]) == (mode == "chat")
    text = "".join(event["answer"] for event in streamed.events[:-1])
    assert blocking.json()["answer"] == text
    assert blocking.json()["mode"] == mode


async def test_agent_apps_refuse_to_block(served: Served):
    app = await served.publish(model_app("agent-chat", agent_mode={"enabled": True, "tools": []}))

    answer = await app.chat()

    assert (answer.status, answer.json()["code"]) == (400, "bad_request")


async def test_a_workflow_runs_and_its_record_can_be_read(served: Served):
    app = await served.publish(workflow())

    answer = await app.run({"x": "tide"})
    record = await app.get(f"/workflows/run/{answer.json()['workflow_run_id']}")

    data = answer.json()["data"]
    assert (data["status"], data["outputs"], data["total_steps"]) == ("succeeded", {"out": "tide"}, 2)
    assert data["created_by"]["user"] == "ada"
    assert list(record.json()) == [
        *("id", "workflow_id", "status", "inputs", "outputs", "error", "total_steps", "total_tokens"),
        *("created_at", "finished_at", "elapsed_time"),
    ]
    assert record.json()["outputs"] == {"out": "tide"}
    assert isinstance(record.json()["inputs"], str)


async def test_a_workflow_streams_text_chunks_between_its_node_events(served: Served):
    app = await served.publish(model_workflow("mock-5tok-0ms"))

    answer = await app.run({"x": "hi"}, response_mode="streaming")

    assert answer.names[0] == "workflow_started"
    assert answer.names[-1] == "workflow_finished"
    assert answer.names.count("text_chunk") == 5
    assert "message_end" not in answer.names


async def test_a_failed_workflow_is_an_answer_and_a_failed_chatflow_an_error(served: Served):
    flow = await served.publish(model_workflow("mock-err401"))
    chat = await served.publish(chatflow("mock-err401"))
    plain = await served.publish(model_app("chat", "mock-err401"))

    ran, chatted, talked = await flow.run({"x": "hi"}), await chat.chat(), await plain.chat()
    streamed = await chat.chat(response_mode="streaming")

    assert (ran.status, ran.json()["data"]["status"]) == (200, "failed")
    assert (chatted.status, chatted.json()["code"]) == (400, "invalid_param")
    assert chatted.json()["message"].startswith("Run failed: ")
    assert (talked.status, talked.json()["code"]) == (400, "provider_not_initialize")
    assert streamed.names[-2:] == ["workflow_finished", "error"]
    assert "message_end" not in streamed.names
    assert "task_id" not in streamed.events[-1]


async def test_a_published_version_can_be_run_by_its_id(served: Served):
    app = await served.publish(workflow())
    version = (await app.run({"x": "a"})).json()["data"]["workflow_id"]
    body = {"inputs": {"x": "b"}, "user": "ada"}

    known = await app.post(f"/workflows/{version}/run", body)
    draft = await app.post(f"/workflows/{app.app_id}/run", body)
    malformed = await app.post("/workflows/draft/run", body)
    unknown = await app.post("/workflows/00000000-0000-0000-0000-000000000001/run", body)

    assert known.json()["data"]["outputs"] == {"out": "b"}
    assert (draft.status, malformed.status, unknown.status) == (400, 400, 404)
    assert malformed.json()["code"] == "bad_request"
    assert unknown.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"user": ""}, "invalid_param"),
        ({"user": None}, "invalid_param"),
        ({"query": " "}, "invalid_param"),
        ({"inputs": None}, "invalid_param"),
        ({"response_mode": "fast"}, "invalid_param"),
        ({"conversation_id": "no-uuid"}, "invalid_param"),
        ({"workflow_id": "draft"}, "bad_request"),
    ],
)
async def test_a_message_that_cannot_be_used_is_refused(served: Served, change: dict[str, Any], code: str):
    app = await served.publish(chatflow())

    answer = await app.chat(**{"query": "hello", **change})

    assert (answer.status, answer.json()["code"], answer.json()["status"]) == (400, code, 400)


async def test_a_required_input_is_asked_for_once_and_remembered_by_the_conversation(served: Served):
    name = {"variable": "name", "label": "Name", "type": "text-input", "required": True, "max_length": 20}
    app = await served.publish(chatflow(answer="Hi {{#start.name#}}", variables=[name]))

    missing = await app.chat()
    first = await app.chat(inputs={"name": "Ada"})
    second = await app.chat(conversation_id=first.json()["conversation_id"])

    assert missing.status == 400
    assert "name" in missing.json()["message"]
    assert (first.json()["answer"], second.json()["answer"]) == ("Hi Ada", "Hi Ada")


async def test_an_earlier_turn_is_in_the_next_prompt(served: Served):
    app = await served.publish(chatflow(memory=True))

    first = await app.chat("the first question")
    await app.chat("the second question", conversation_id=first.json()["conversation_id"])

    sent = [message["content"] for message in served.models.requests()[-1].body["messages"]]
    assert sent[-3:] == ["the first question", first.json()["answer"], "the second question"]


async def test_conversation_variables_outlive_the_turn(served: Served):
    app = await served.publish(assigning_chatflow())

    first = await app.chat("tides")
    conversation = first.json()["conversation_id"]
    variables = await app.get(f"/conversations/{conversation}/variables", params={"user": "ada"})
    row = variables.json()["data"][0]
    changed = await app.call(
        "PUT", f"/conversations/{conversation}/variables/{row['id']}", {"value": "mills", "user": "ada"}
    )
    mismatch = await app.call(
        "PUT", f"/conversations/{conversation}/variables/{row['id']}", {"value": 3, "user": "ada"}
    )

    assert first.json()["answer"] == "Topic: tides"
    assert [(item["name"], item["value_type"], item["value"]) for item in variables.json()["data"]] == [
        ("topic", "string", "tides"),
        ("count", "number", "3"),
    ]
    assert (changed.status, changed.json()["value"]) == (200, "mills")
    assert (mismatch.status, mismatch.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("kind", ["chat", "workflow"])
async def test_a_stop_ends_a_hanging_run_within_a_second_and_closes_the_upstream(served: Served, kind: str):
    is_chat = kind == "chat"
    app = await served.publish(chatflow("mock-hang3") if is_chat else model_workflow("mock-hang3"))
    path, body = ("/chat-messages", {"query": "hi"}) if is_chat else ("/workflows/run", {"inputs": {"x": "hi"}})
    stop = "/chat-messages/{}/stop" if is_chat else "/workflows/tasks/{}/stop"

    async with app.stream(path, body) as stream:
        text = await stream.until("message" if is_chat else "text_chunk")
        began = time.monotonic()
        answer = await app.post(stop.format(text["task_id"]), {"user": "ada"})
        names = await stream.rest()
        took_s = time.monotonic() - began

    assert (answer.status, answer.json()) == (200, {"result": "success"})
    assert took_s < 1.0
    assert names[-2:] == (["workflow_finished", "message_end"] if is_chat else [names[-2], "workflow_finished"])
    finished = next(event for event in stream.seen if event["event"] == "workflow_finished")
    assert finished["data"]["status"] == "stopped"
    await _until(lambda: served.models.stats()["disconnects"] == 1)


async def test_another_user_cannot_stop_a_reply(served: Served):
    app = await served.publish(chatflow("mock-hang3"))

    async with app.stream("/chat-messages", {"query": "hi"}) as stream:
        task = (await stream.until("message"))["task_id"]
        foreign = await app.post(f"/chat-messages/{task}/stop", {"user": "eve"})
        unknown = await app.post("/chat-messages/nothing/stop", {"user": "ada"})
        other_app = await served.publish(chatflow())
        await other_app.post(f"/chat-messages/{task}/stop", {"user": "ada"})
        is_running = served.desk.runner.is_running(task)
        await app.post(f"/chat-messages/{task}/stop", {"user": "ada"})
        await stream.rest()

    assert (foreign.status, unknown.status) == (200, 200)
    assert is_running


async def test_a_run_outlives_the_clients_connection(served: Served):
    app = await served.publish(model_workflow("mock-50tok-20ms"))

    async with app.stream("/workflows/run", {"inputs": {"x": "hi"}}) as stream:
        run_id = (await stream.until("text_chunk"))["workflow_run_id"]
        task_id = stream.seen[-1]["task_id"]
        stream.response.close()
    await _until(lambda: not served.desk.runner.is_running(task_id))
    record = await app.get(f"/workflows/run/{run_id}")

    assert record.json()["status"] == "succeeded"
    assert len(record.json()["outputs"]["out"].split()) == 50


async def test_paced_text_arrives_in_as_many_events_as_the_model_sent(served: Served):
    app = await served.publish(chatflow("mock-50tok-20ms"))

    answer = await app.chat(response_mode="streaming")

    assert answer.names.count("message") >= 45


async def test_the_old_spelling_of_the_workflow_stop_is_accepted(served: Served):
    app = await served.publish(workflow())

    answer = await app.post("/workflows/some-task/stop", {"user": "ada"})

    assert (answer.status, answer.json()) == (200, {"result": "success"})


async def test_a_key_of_another_mode_is_told_so(served: Served):
    flow, chat = await served.publish(workflow()), await served.publish(chatflow())

    assert (await flow.chat()).json()["code"] == "not_chat_app"
    assert (await chat.run({})).json()["code"] == "not_workflow_app"
    assert (await chat.post("/completion-messages", {"inputs": {}, "user": "a"})).json()["code"] == "app_unavailable"


async def test_the_budget_of_a_model_call_is_in_the_nodes_event(served: Served):
    app = await served.publish(chatflow())

    answer = await app.chat(response_mode="streaming")

    node = next(e["data"] for e in answer.events if e["event"] == "node_finished" and e["data"]["node_id"] == "llm")
    budget = node["execution_metadata"]["budget"]
    assert budget["prompt_tokens"] + budget["max_tokens"] <= budget["window_tokens"] == 8192


async def _until(is_true: Any) -> None:
    async with asyncio.timeout(5):
        while not is_true():
            await asyncio.sleep(0.01)
