"""An agent whose process is gone goes on elsewhere; the rounds it has finished are not done again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domains.runs.servers import numbered, running
from support.served import Api, Served, model_app
from tidemill.domains.conversations.attach import Wish, attach
from tidemill.domains.conversations.models import Message

Piece = MutableMapping[str, Any]

ASK = "How much is 6 times 7?"
# A second long: it can be killed in the middle of its answer.
SLOW = "mock-50tok-20ms"


def agent_app() -> dict[str, Any]:
    tool = {
        "enabled": True,
        "provider_id": "maths",
        "provider_name": "maths",
        "provider_type": "builtin",
        "tool_name": "eval_expression",
        "tool_label": "Calculator",
        "tool_parameters": {"expression": ""},
    }
    mode = {"enabled": True, "strategy": "function_call", "max_iteration": 5, "prompt": None, "tools": [tool]}
    return model_app("agent-chat", SLOW, agent_mode=mode)


def final_thoughts(story: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    last = {event["id"]: event for event in story if event["event"] == "agent_thought"}
    names = ("position", "thought", "tool", "tool_input", "observation")
    return [tuple(event[name] for name in names) for event in last.values()]


async def run_of(served: Served, message_id: str) -> UUID:
    async with served.desk.database.session() as db:
        return (await db.scalars(select(Message.run_id).where(Message.id == UUID(message_id)))).one()


async def whole_story(served: Served, run_id: UUID) -> list[dict[str, Any]]:
    """All events of a run, read until it has ended; clients of agent apps have no address for that."""
    body: list[bytes] = []

    async def send(message: Piece) -> None:
        body.append(message.get("body", b""))

    async def receive() -> Piece:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async with served.desk.database.session() as db:
        stream = await attach(db, served.desk, run_id, Wish(is_whole=True))
    await stream({"type": "http"}, receive, send)
    lines = b"".join(body).decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


async def listed(app: Api, conversation_id: str) -> dict[str, Any]:
    answer = await app.get(f"/messages?user=ada&conversation_id={conversation_id}")
    return answer.json()["data"][0]


async def test_an_agent_of_a_killed_process_goes_on_with_the_round_that_was_cut_off(
    served: Served, database_settings: dict[str, str], tmp_path: Path
):
    call = {"name": "eval_expression", "arguments": {"expression": "6*7"}}
    served.models.script({"match": "How much", "tool": call})
    app = await served.publish(agent_app())
    usual = await app.chat(ASK, response_mode="streaming")
    told = await listed(app, usual.events[0]["conversation_id"])
    asked_before = len(served.models.requests())

    async with running(served, database_settings, tmp_path) as server:
        async with numbered(app, server.url, "/chat-messages", {"query": ASK}) as stream:
            first = await stream.until("agent_message")
            await asyncio.to_thread(server.kill)
            await stream.rest()
        run_id = await run_of(served, first["message_id"])
        story = await whole_story(served, run_id)

    message = await listed(app, first["conversation_id"])
    requests = served.models.requests()[asked_before:]
    assert story[: len(stream.seen)] == stream.seen
    assert story[-1]["event"] == "message_end"
    assert final_thoughts(story) == final_thoughts(usual.events)
    assert (message["status"], message["answer"]) == ("normal", told["answer"])
    assert [item["tool"] for item in message["agent_thoughts"]] == ["eval_expression", ""]
    # The first round was asked for once, the second once more after the kill.
    assert [request.body["messages"][-1]["role"] for request in requests] == ["user", "tool", "tool"]
