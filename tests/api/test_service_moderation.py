"""Words that an app does not read and does not say."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from support.served import Api, Served, chatflow, model_app, workflow
from tidemill.dsl import AppFile, check


def moderation(*, asks: bool = False, says: bool = False, kind: str = "keywords") -> dict[str, Any]:
    config = {
        "keywords": "Flood\nspring tide",
        "inputs_config": {"enabled": asks, "preset_response": "Ask something {{#sys.query#}} else."},
        "outputs_config": {"enabled": says, "preset_response": "I would rather not say."},
    }
    return {"sensitive_word_avoidance": {"enabled": True, "type": kind, "config": config}}


async def publish(served: Served, mode: str, model: str, *, asks: bool = False, says: bool = False) -> Api:
    if mode == "advanced-chat":
        return await served.publish(chatflow(model, features=moderation(asks=asks, says=says)))
    return await served.publish(model_app(mode, model, **moderation(asks=asks, says=says)))


async def ask(app: Api, mode: str, query: str, **fields: Any) -> Any:
    path = "/completion-messages" if mode == "completion" else "/chat-messages"
    body = {"inputs": {}, "query": query, "user": "ada", "auto_generate_name": False, **fields}
    return await app.post(path, body)


MODES = pytest.mark.parametrize("mode", ["chat", "completion", "advanced-chat"])


@MODES
async def test_a_message_with_a_refused_word_is_answered_without_the_model(served: Served, mode: str):
    app = await publish(served, mode, "mock-echo", asks=True)

    streamed = await ask(app, mode, "Tell me of FLOODS", response_mode="streaming")
    blocking = await ask(app, mode, "a Spring Tide?")

    assert served.models.requests() == []
    assert streamed.names == ["message", "message_end"]
    assert streamed.events[0]["answer"] == "Ask something {{#sys.query#}} else."
    assert streamed.events[-1]["metadata"]["usage"]["total_tokens"] == 0
    assert blocking.json()["answer"] == "Ask something {{#sys.query#}} else."
    assert blocking.json()["metadata"]["usage"]["total_tokens"] == 0


async def test_a_refused_word_in_an_input_counts_too_and_the_turn_is_kept(served: Served):
    field = {"paragraph": {"variable": "topic", "label": "Topic", "required": False}}
    app = await served.publish(model_app("chat", "mock-echo", form=[field], **moderation(asks=True)))

    answer = (await app.chat("hello", inputs={"topic": "the flood"})).json()
    kept = await app.get("/messages", params={"user": "ada", "conversation_id": answer["conversation_id"]})

    assert served.models.requests() == []
    assert [message["answer"] for message in kept.json()["data"]] == [answer["answer"]]


async def test_other_messages_pass(served: Served):
    app = await publish(served, "advanced-chat", "mock-echo", asks=True, says=True)

    assert (await app.chat("neap tide")).json()["answer"] == "neap tide"


@MODES
async def test_an_answer_with_a_refused_word_is_replaced_and_generation_stops(served: Served, mode: str):
    served.models.script({"match": ".", "reply": "It is a " + "very " * 40 + "high spring tide " + "indeed " * 200})
    app = await publish(served, mode, "mock-2ms", says=True)
    await served.add_models("mock-2ms")

    streamed = await ask(app, mode, "tell me", response_mode="streaming")
    blocking = await ask(app, mode, "tell me")

    text = "".join(event["answer"] for event in streamed.events if event["event"] == "message")
    replaced = [event for event in streamed.events if event["event"] == "message_replace"]
    assert "spring tide" not in text
    assert "high spring" in text
    assert [(event["answer"], event["reason"]) for event in replaced] == [
        ("I would rather not say.", "output_moderation")
    ]
    assert streamed.names[-1] == "message_end"
    assert "message" not in streamed.names[streamed.names.index("message_replace") :]
    assert blocking.json()["answer"] == "I would rather not say."
    assert served.models.stats()["disconnects"] == 2


async def test_a_replaced_answer_is_the_one_that_is_kept(served: Served):
    app = await publish(served, "chat", "mock-echo", says=True)

    answer = (await app.chat("flood")).json()
    kept = await app.get("/messages", params={"user": "ada", "conversation_id": answer["conversation_id"]})

    assert answer["answer"] == "I would rather not say."
    assert [message["answer"] for message in kept.json()["data"]] == ["I would rather not say."]


async def test_openai_clients_learn_that_an_answer_was_filtered(served: Served):
    app = await publish(served, "chat", "mock-echo", says=True)

    async with openai.AsyncOpenAI(api_key=app.key, base_url=f"{app.base}/openai/v1") as client:
        messages: Any = [{"role": "user", "content": "flood"}]
        whole = await client.chat.completions.create(model="m", messages=messages)
        stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
        chunks = [chunk async for chunk in stream]

    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == (
        "I would rather not say.",
        "content_filter",
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).strip() == "I would rather not say."
    assert chunks[-1].choices[0].finish_reason == "content_filter"


@pytest.mark.parametrize("kind", ["api", "openai_moderation"])
def test_moderation_that_is_not_applied_is_a_warning(kind: str):
    report = check(AppFile.from_document(chatflow(features=moderation(asks=True, kind=kind))))

    assert [problem.code for problem in report.warnings] == ["moderation_not_applied"]
    assert kind in report.warnings[0].message


def test_applied_moderation_and_that_of_a_workflow_are_no_warning():
    flow = workflow()
    flow["workflow"]["features"] = moderation(asks=True, kind="api")

    for document in (flow, chatflow(features=moderation(asks=True))):
        assert check(AppFile.from_document(document)).warnings == []
