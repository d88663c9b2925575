"""What the console does with a draft: chat, run, stop, look at traces."""

from __future__ import annotations

import json
from typing import Any

from httpx import Response

from support.installation import Person
from support.served import Served, chatflow, checked, model_app, workflow


def events_of(response: Response) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in response.text.split("\n") if line.startswith("data: {")]


async def import_app(owner: Person, document: dict[str, Any]) -> str:
    """An app that was never published."""
    content = json.dumps(document, ensure_ascii=False)
    imported = await checked(owner.browser, "POST", "/apps/import", {"content": content})
    return str(imported["app"]["id"])


async def test_a_draft_is_chatted_with_and_the_conversation_continues(served: Served, owner: Person):
    app_id = await import_app(owner, chatflow(memory=True))

    first = events_of(await owner.browser.post(f"/apps/{app_id}/chat", json={"query": "one", "inputs": {}}))
    conversation = first[0]["conversation_id"]
    body = {"query": "two", "inputs": {}, "conversation_id": conversation}
    second = events_of(await owner.browser.post(f"/apps/{app_id}/chat", json=body))
    listed = await checked(owner.browser, "GET", f"/apps/{app_id}/conversations")
    messages = await checked(owner.browser, "GET", f"/apps/{app_id}/conversations/{conversation}/messages")

    assert [event["event"] for event in first][-2:] == ["message_end", "workflow_finished"]
    assert first[-1]["data"]["created_by"]["email"] == owner.email
    assert second[0]["conversation_id"] == conversation
    assert [item["id"] for item in listed["data"]] == [conversation]
    assert [item["query"] for item in messages["data"]] == ["one", "two"]
    assert [item["workflow_run_id"] for item in messages["data"]] == [
        first[0]["workflow_run_id"],
        second[0]["workflow_run_id"],
    ]


async def test_a_workflow_draft_is_run_and_its_trace_can_be_read(served: Served, owner: Person):
    app_id = await import_app(owner, workflow())

    events = events_of(await owner.browser.post(f"/apps/{app_id}/run", json={"inputs": {"x": "tide"}}))
    page = await checked(owner.browser, "GET", f"/apps/{app_id}/runs")
    trace = await checked(owner.browser, "GET", f"/runs/{events[0]['workflow_run_id']}")

    assert events[-1]["data"]["outputs"] == {"out": "tide"}
    assert (page["items"][0]["status"], page["items"][0]["source"], page["next_cursor"]) == (
        "succeeded", "console", None,
    )  # fmt: skip
    assert trace["run"]["outputs"] == {"out": "tide"}
    assert [(node["node_id"], node["status"], node["index"]) for node in trace["nodes"]] == [
        ("start", "succeeded", 1),
        ("end", "succeeded", 2),
    ]


async def test_a_trace_tells_what_a_model_call_cost_and_its_budget(served: Served, owner: Person):
    app_id = await import_app(owner, chatflow())

    events = events_of(await owner.browser.post(f"/apps/{app_id}/chat", json={"query": "hi", "inputs": {}}))
    trace = await checked(owner.browser, "GET", f"/runs/{events[0]['workflow_run_id']}")

    node = trace["nodes"][1]
    assert node["usage"]["completion_tokens"] == 5
    assert node["budget"]["window_tokens"] == 8192
    assert trace["run"]["total_tokens"] == node["usage"]["total_tokens"]


async def test_pages_of_runs_follow_the_cursor(served: Served, owner: Person):
    app_id = await import_app(owner, workflow())
    for word in ("a", "b", "c"):
        await owner.browser.post(f"/apps/{app_id}/run", json={"inputs": {"x": word}})

    first = await checked(owner.browser, "GET", f"/apps/{app_id}/runs?limit=2")
    second = await checked(owner.browser, "GET", f"/apps/{app_id}/runs?limit=2&cursor={first['next_cursor']}")

    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (2, 1, None)


async def test_a_conversation_is_renamed_and_deleted(served: Served, owner: Person):
    app_id = await import_app(owner, chatflow())
    events = events_of(await owner.browser.post(f"/apps/{app_id}/chat", json={"query": "hi", "inputs": {}}))
    path = f"/apps/{app_id}/conversations/{events[0]['conversation_id']}"

    renamed = await checked(owner.browser, "PATCH", path, {"name": "Tides"})
    await checked(owner.browser, "DELETE", path)

    assert renamed["name"] == "Tides"
    assert (await owner.browser.get(f"{path}/messages")).status_code == 404


async def test_console_conversations_and_those_of_keys_are_apart(served: Served, owner: Person):
    app = await served.publish(chatflow())
    await app.chat(user=str(owner.member.account_id))
    await owner.browser.post(f"/apps/{app.app_id}/chat", json={"query": "from the console", "inputs": {}})

    console = await checked(owner.browser, "GET", f"/apps/{app.app_id}/conversations")
    by_key = (await app.get("/conversations", params={"user": str(owner.member.account_id)})).json()

    assert len(console["data"]) == len(by_key["data"]) == 1
    assert console["data"][0]["id"] != by_key["data"][0]["id"]


async def test_a_file_is_uploaded_for_the_draft(served: Served, owner: Person):
    app_id = await import_app(owner, chatflow())

    response = await owner.browser.post(f"/apps/{app_id}/files", files={"file": ("a.txt", b"tides", "text/plain")})

    assert (response.status_code, response.json()["name"], response.json()["size"]) == (201, "a.txt", 5)


async def test_the_wrong_kind_of_run_is_refused(served: Served, owner: Person):
    chat, flow = await import_app(owner, model_app("chat")), await import_app(owner, workflow())

    run = await owner.browser.post(f"/apps/{chat}/run", json={"inputs": {}})
    talk = await owner.browser.post(f"/apps/{flow}/chat", json={"query": "hi", "inputs": {}})

    assert (run.json()["code"], talk.json()["code"]) == ("not_workflow_app", "not_chat_app")


async def test_a_plain_member_may_look_and_not_run(served: Served, owner: Person, onlooker: Person):
    app_id = await import_app(owner, chatflow())

    chat = await onlooker.browser.post(f"/apps/{app_id}/chat", json={"query": "hi", "inputs": {}})
    stop = await onlooker.browser.post(f"/apps/{app_id}/tasks/nothing/stop")
    runs = await onlooker.browser.get(f"/apps/{app_id}/runs")

    assert (chat.status_code, stop.status_code, runs.status_code) == (403, 403, 200)


async def test_another_workspace_sees_nothing(served: Served, owner: Person, stranger: Person):
    app_id = await import_app(owner, workflow())
    events = events_of(await owner.browser.post(f"/apps/{app_id}/run", json={"inputs": {"x": "a"}}))
    browser = stranger.browser

    answers = [
        await browser.post(f"/apps/{app_id}/run", json={"inputs": {"x": "a"}}),
        await browser.post(f"/apps/{app_id}/tasks/nothing/stop"),
        await browser.get(f"/apps/{app_id}/runs"),
        await browser.get(f"/runs/{events[0]['workflow_run_id']}"),
        await browser.get(f"/apps/{app_id}/conversations"),
        await browser.post(f"/apps/{app_id}/files", files={"file": ("a.txt", b"x", "text/plain")}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
