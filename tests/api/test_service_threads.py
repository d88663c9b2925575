"""Conversations, messages and ratings over the Service API."""

from __future__ import annotations

import asyncio
from typing import Any

from support.served import Served, chatflow, model_app

NIL = "00000000-0000-0000-0000-000000000000"
ADA = {"user": "ada"}


async def test_a_message_is_kept_with_all_its_fields(served: Served):
    app = await served.publish(chatflow())
    said = (await app.chat("What is a tide mill, and how does it work?")).json()

    conversations = (await app.get("/conversations", params=ADA)).json()
    messages = (await app.get("/messages", params={**ADA, "conversation_id": said["conversation_id"]})).json()

    assert (conversations["limit"], conversations["has_more"]) == (20, False)
    assert list(conversations["data"][0]) == [
        *("id", "name", "inputs", "status", "introduction", "created_at", "updated_at")
    ]
    assert conversations["data"][0]["name"] == "What is a tide mill,…"
    message = messages["data"][0]
    assert list(message) == [
        *("id", "conversation_id", "parent_message_id", "inputs", "query", "answer", "status", "error"),
        *("message_files", "feedback", "retriever_resources", "agent_thoughts", "created_at", "extra_contents"),
        *("message_tokens", "answer_tokens", "total_tokens", "provider_response_latency", "total_price", "currency"),
    ]
    assert (message["answer"], message["parent_message_id"]) == (said["answer"], NIL)
    assert message["total_tokens"] == said["metadata"]["usage"]["total_tokens"]


async def test_users_do_not_see_each_other(served: Served):
    app = await served.publish(chatflow())
    said = (await app.chat(user="ada")).json()
    conversation, message = said["conversation_id"], said["message_id"]
    eve = {"user": "eve"}

    answers = [
        await app.get("/messages", params={**eve, "conversation_id": conversation}),
        await app.chat(user="eve", conversation_id=conversation),
        await app.post(f"/conversations/{conversation}/name", {"name": "Mine", **eve}),
        await app.get(f"/conversations/{conversation}/variables", params=eve),
        await app.post(f"/messages/{message}/feedbacks", {"rating": "like", **eve}),
        await app.call("DELETE", f"/conversations/{conversation}", eve),
    ]

    assert [answer.status for answer in answers] == [404] * 6
    assert (await app.get("/conversations", params=eve)).json()["data"] == []
    assert len((await app.get("/conversations", params=ADA)).json()["data"]) == 1


async def test_another_app_sees_nothing(served: Served):
    app, other = await served.publish(chatflow()), await served.publish(chatflow())
    conversation = (await app.chat()).json()["conversation_id"]

    answer = await other.get("/messages", params={**ADA, "conversation_id": conversation})

    assert (answer.status, answer.json()["code"]) == (404, "not_found")


async def test_pages_of_messages_go_back_in_time(served: Served):
    app = await served.publish(chatflow())
    conversation = (await app.chat("one")).json()["conversation_id"]
    for query in ("two", "three"):
        await app.chat(query, conversation_id=conversation)
    where: dict[str, Any] = {**ADA, "conversation_id": conversation, "limit": 2}

    newest = (await app.get("/messages", params=where)).json()
    older = (await app.get("/messages", params={**where, "first_id": newest["data"][0]["id"]})).json()
    lost = await app.get("/messages", params={**where, "first_id": NIL})

    assert ([item["query"] for item in newest["data"]], newest["has_more"]) == (["two", "three"], True)
    assert ([item["query"] for item in older["data"]], older["has_more"]) == (["one"], False)
    assert lost.status == 404


async def test_pages_of_conversations_go_forward(served: Served):
    app = await served.publish(chatflow())
    for query in ("one", "two", "three"):
        await app.chat(query)

    first = (await app.get("/conversations", params={**ADA, "limit": 2})).json()
    last = (await app.get("/conversations", params={**ADA, "last_id": first["data"][-1]["id"]})).json()
    oldest = (await app.get("/conversations", params={**ADA, "sort_by": "created_at", "pinned": "false"})).json()
    lost = await app.get("/conversations", params={**ADA, "last_id": NIL})

    assert ([item["name"] for item in first["data"]], first["has_more"]) == (["three", "two"], True)
    assert ([item["name"] for item in last["data"]], last["has_more"]) == (["one"], False)
    assert [item["name"] for item in oldest["data"]] == ["one", "two", "three"]
    assert lost.status == 404


async def test_a_conversation_is_renamed_and_deleted(served: Served):
    app = await served.publish(chatflow())
    conversation = (await app.chat()).json()["conversation_id"]

    renamed = await app.post(f"/conversations/{conversation}/name", {"name": "Tides", **ADA})
    empty = await app.post(f"/conversations/{conversation}/name", ADA)
    deleted = await app.call("DELETE", f"/conversations/{conversation}", ADA)
    gone = await app.get("/messages", params={**ADA, "conversation_id": conversation})

    assert renamed.json()["name"] == "Tides"
    assert (empty.status, empty.json()["code"]) == (400, "invalid_param")
    assert (deleted.status, deleted.body) == (204, b"")
    assert gone.status == 404


async def test_the_model_names_a_new_conversation_in_the_background(served: Served):
    served.models.script({"match": "short title", "reply": "Mills and tides"})
    app = await served.publish(chatflow())

    await app.chat("Tell me about mills", auto_generate_name=True)

    async with asyncio.timeout(5):
        while (await app.get("/conversations", params=ADA)).json()["data"][0]["name"] != "Mills and tides":
            await asyncio.sleep(0.02)


async def test_a_name_can_be_asked_of_the_model(served: Served):
    app = await served.publish(chatflow())
    conversation = (await app.chat("Tell me about mills")).json()["conversation_id"]
    served.models.script({"match": "short title", "reply": '"Mills"'})

    answer = await app.post(f"/conversations/{conversation}/name", {"auto_generate": True, **ADA})

    assert (answer.status, answer.json()["name"]) == (200, "Mills")


async def test_follow_up_questions_come_from_the_model(served: Served):
    asked = {"suggested_questions_after_answer": {"enabled": True}}
    app = await served.publish(chatflow(features=asked))
    silent = await served.publish(chatflow())
    message = (await app.chat()).json()["message_id"]
    other = (await silent.chat()).json()["message_id"]
    served.models.script({"match": "three short questions", "reply": 'Here: ["Why?", "How?", "When?", "Who?"]'})

    on = await app.get(f"/messages/{message}/suggested", params=ADA)
    off = await silent.get(f"/messages/{other}/suggested", params=ADA)

    assert on.json() == {"result": "success", "data": ["Why?", "How?", "When?"]}
    assert (off.status, off.json()["code"]) == (400, "bad_request")


async def test_a_rating_is_made_changed_and_revoked(served: Served):
    app = await served.publish(model_app("chat"))
    said = (await app.chat()).json()
    path = f"/messages/{said['message_id']}/feedbacks"

    liked = await app.post(path, {"rating": "like", "content": "good", **ADA})
    listed = (await app.get("/app/feedbacks")).json()["data"]
    await app.post(path, {"rating": "dislike", **ADA})
    messages = (await app.get("/messages", params={**ADA, "conversation_id": said["conversation_id"]})).json()
    revoked = await app.post(path, {"rating": None, **ADA})
    again = await app.post(path, {"rating": None, **ADA})
    wrong = await app.post(path, {"rating": "meh", **ADA})

    assert liked.json() == {"result": "success"}
    assert (listed[0]["rating"], listed[0]["content"], listed[0]["from_source"]) == ("like", "good", "user")
    assert listed[0]["created_at"].endswith("Z")
    assert messages["data"][0]["feedback"] == {"rating": "dislike"}
    assert revoked.status == 200
    assert (again.status, again.json()["code"]) == (400, "invalid_param")
    assert wrong.status == 400


async def test_variables_can_be_filtered_by_name(served: Served):
    app = await served.publish(chatflow(conversation=[_variable("colour"), _variable("size")]))
    conversation = (await app.chat()).json()["conversation_id"]
    path = f"/conversations/{conversation}/variables"

    found = (await app.get(path, params={**ADA, "variable_name": "COL"})).json()["data"]
    refused = await app.get(path, params={**ADA, "variable_name": "a b"})

    assert [item["name"] for item in found] == ["colour"]
    assert refused.status == 400


async def test_an_end_user_can_be_looked_up(served: Served):
    app, other = await served.publish(chatflow()), await served.publish(chatflow())
    await app.chat(user="ada")
    run = (await app.chat(user="ada", response_mode="streaming")).events[-1]
    user_id = run["data"]["created_by"]["id"]

    known, foreign = await app.get(f"/end-users/{user_id}"), await other.get(f"/end-users/{user_id}")

    assert (known.json()["session_id"], known.json()["type"]) == ("ada", "service-api")
    assert (foreign.status, foreign.json()["code"]) == (404, "end_user_not_found")


def _variable(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "value_type": "string", "value": "x", "description": ""}
