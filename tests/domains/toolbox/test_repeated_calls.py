"""A call of a workflow that a crash repeats: its run is found again, and not begun a second time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from domains.toolbox.conftest import Shop
from domains.toolbox.flows import flow, published, template_node, tool_node
from support.installation import Installation, Person
from tidemill.domains.conversations.called import run_id_of
from tidemill.domains.conversations.desk import Asker
from tidemill.domains.conversations.history import GivenHistory
from tidemill.domains.conversations.origin import ports_for
from tidemill.domains.runs.models import Run
from tidemill.engine.node import RunInfo
from tidemill.kit.db import new_id
from tidemill.ports import ToolCall, ToolFailed, ToolMessage, ToolRef, Tools


class Caller:
    """A run of the owner's that calls tools."""

    def __init__(self, installation: Installation, owner: Person, app: dict[str, Any]) -> None:
        self._installation = installation
        desk = installation.app.state.desk
        member = owner.member
        asker = Asker(member.workspace_id, UUID(app["id"]), "console", member.account_id, owner.email)
        self._ports = ports_for(desk, asker.file_owner, GivenHistory(()), calling=asker.calling)
        self._run_id = new_id()

    async def call(self, name: str, key: str, **arguments: Any) -> list[ToolMessage]:
        tools: Any = self._ports[Tools]
        tool = await tools.find(ToolRef(kind="workflow", provider=name, name=name))
        call = ToolCall(info=RunInfo(run_id=str(self._run_id)), ports=self._ports, idempotency_key=key)
        return [message async for message in tool.call(arguments, call)]

    async def runs(self, app: dict[str, Any]) -> list[str]:
        async with self._installation.app.state.database.session() as db:
            query = select(Run.status).where(Run.app_id == UUID(app["id"])).order_by(Run.created_at)
            return list(await db.scalars(query))


def outputs(messages: list[ToolMessage]) -> dict[str, Any]:
    return {message.name: message.data for message in messages if message.kind == "variable"}


async def test_the_same_call_is_answered_by_the_run_it_began(
    installation: Installation, owner: Person, console: AsyncClient
):
    shout = await published(console, flow("Shout", [template_node("{{ word }}!")], {"loud": ("made", "output")}))
    await console.post("/tools/workflow", json={"app_id": shout["id"], "name": "shout"})
    caller = Caller(installation, owner, shout)

    first = await caller.call("shout", "one", word="sea")
    again = await caller.call("shout", "one", word="sea")
    other = await caller.call("shout", "two", word="tide")

    assert outputs(first) == outputs(again) == {"loud": "sea!"}
    assert outputs(other) == {"loud": "tide!"}
    assert await caller.runs(shout) == ["succeeded", "succeeded"]


async def test_the_next_try_of_a_call_that_failed_is_a_run_of_its_own(
    installation: Installation, owner: Person, console: AsyncClient, shop: Shop
):
    await console.post("/tools/api", json={"document": shop.document})
    broken = await published(console, flow("Broken", [tool_node("api", "Shop", "broken")], {"t": ("tool", "text")}))
    await console.post("/tools/workflow", json={"app_id": broken["id"], "name": "broken"})
    caller = Caller(installation, owner, broken)

    for _ in range(2):
        with pytest.raises(ToolFailed, match="The till is on fire"):
            await caller.call("broken", "one", word="x")

    assert await caller.runs(broken) == ["failed", "failed"]


def test_the_id_of_a_called_run_is_sorted_with_its_caller():
    earlier, later = new_id(), new_id()

    called = [run_id_of(earlier, "one", 0), run_id_of(earlier, "two", 0), run_id_of(earlier, "one", 1)]

    assert len({*called, earlier}) == 4
    assert called[0] == run_id_of(earlier, "one", 0)
    assert all(item.version == 7 and item.int >> 80 == earlier.int >> 80 for item in called)
    assert later > earlier
