"""Workflows called as tools: runs of their own, for the same caller, in the caller's time and count."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from httpx import AsyncClient
from sqlalchemy import select

from domains.toolbox.conftest import Shop
from domains.toolbox.flows import finish_of, flow, llm_node, published, run, template_node, tool_node
from support.apps import add_app
from support.installation import Installation, Person
from tidemill.domains.runs.models import Run

SHOUT = flow("Shout", [template_node("{{ word }}!")], {"loud": ("made", "output")})


async def _as_tool(console: AsyncClient, app: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await console.post("/tools/workflow", json={"app_id": app["id"], **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _runs(console: AsyncClient, app: dict[str, Any]) -> list[dict[str, Any]]:
    return (await console.get(f"/apps/{app['id']}/runs")).json()["items"]


async def test_a_workflow_becomes_a_tool_with_its_inputs_as_parameters(console: AsyncClient):
    shout = await published(console, SHOUT)

    told = {"word": {"description": "What to shout.", "form": "llm"}}
    added = await _as_tool(console, shout, name="shout", description="Shouts.", parameters=told)

    assert (added["name"], added["description"], added["app_id"]) == ("shout", "Shouts.", shout["id"])
    [tool] = added["tools"]
    assert [(item["name"], item["description"], item["is_required"]) for item in tool["parameters"]] == [
        ("word", "What to shout.", True)
    ]


async def test_a_called_workflow_is_a_run_of_its_own_and_gives_its_outputs(console: AsyncClient):
    shout = await published(console, SHOUT)
    await _as_tool(console, shout, name="shout")
    node = tool_node("workflow", "shout", "shout", word="{{#start.word#}}")
    caller = await published(console, flow("Caller", [node], {"loud": ("tool", "loud"), "text": ("tool", "text")}))

    finished = finish_of(await run(console, caller, word="tide"))

    assert finished["status"] == "succeeded", finished
    assert finished["outputs"] == {"loud": "tide!", "text": '{"loud": "tide!"}'}
    [inner] = await _runs(console, shout)
    assert inner["status"] == "succeeded"


async def test_the_id_in_a_file_of_another_installation_is_found_by_name(console: AsyncClient):
    shout = await published(console, SHOUT)
    await _as_tool(console, shout, name="shout")
    foreign = "7c7f0f56-8f0f-4a59-9e0b-6a2b2a5e1c11"
    node = tool_node("workflow", foreign, "shout", provider_name="shout", word="{{#start.word#}}")
    content = flow("Caller", [node], {"loud": ("tool", "loud")})

    imported = (await console.post("/apps/import", json={"content": content})).json()
    finished = finish_of(await run(console, imported["app"], word="sea"))

    assert imported["report"]["missing_tools"] == []
    assert finished["outputs"] == {"loud": "sea!"}


async def test_an_import_names_the_tools_that_are_not_here(console: AsyncClient):
    node = tool_node("workflow", "7c7f0f56-8f0f-4a59-9e0b-6a2b2a5e1c11", "shout", provider_name="shout", word="x")

    imported = (
        await console.post("/apps/import", json={"content": flow("Caller", [node], {"t": ("tool", "text")})})
    ).json()
    finished = finish_of(await run(console, imported["app"], word="sea"))

    assert imported["report"]["missing_tools"] == ["shout"]
    assert finished["status"] == "failed"
    assert "shout" in finished["error"]


async def test_the_error_of_a_called_workflow_is_the_tools_error(console: AsyncClient, shop: Shop):
    await console.post("/tools/api", json={"document": shop.document})
    broken = flow("Broken", [tool_node("api", "Shop", "broken")], {"t": ("tool", "text")})
    inner = await published(console, broken)
    await _as_tool(console, inner, name="broken")
    node = tool_node("workflow", "broken", "broken", word="{{#start.word#}}")
    caller = await published(console, flow("Caller", [node], {"t": ("tool", "text")}))

    finished = finish_of(await run(console, caller, word="sea"))

    assert finished["status"] == "failed"
    assert "The till is on fire." in finished["error"]
    assert [row["status"] for row in await _runs(console, inner)] == ["failed"]


async def test_what_a_called_workflow_spends_counts_for_its_caller(console: AsyncClient):
    inner = await published(console, flow("Thinks", [llm_node()], {"text": ("llm", "text")}))
    await _as_tool(console, inner, name="thinks")
    node = tool_node("workflow", "thinks", "thinks", word="{{#start.word#}}")
    caller = await published(console, flow("Caller", [node], {"text": ("tool", "text")}))

    finished = finish_of(await run(console, caller, word="Hello"))

    [called] = await _runs(console, inner)
    assert called["total_tokens"] > 0
    assert finished["total_tokens"] == called["total_tokens"]


async def test_workflows_that_call_one_another_without_end_stop_at_the_limit(console: AsyncClient):
    node = tool_node("workflow", "again", "again", word="{{#start.word#}}")
    app = await published(console, flow("Again", [node], {"text": ("tool", "text")}))
    await _as_tool(console, app, name="again")

    finished = finish_of(await run(console, app, word="x"))

    assert finished["status"] == "failed"
    assert "WORKFLOW_CALL_MAX_DEPTH" in finished["error"]
    assert len(await _runs(console, app)) == 6


async def test_stopping_the_caller_stops_the_called(installation: Installation, console: AsyncClient, shop: Shop):
    await console.post("/tools/api", json={"document": shop.document})
    slow = flow("Slow", [tool_node("api", "Shop", "findItems", q="held")], {"t": ("tool", "text")})
    inner = await published(console, slow)
    await _as_tool(console, inner, name="slow")
    node = tool_node("workflow", "slow", "slow", word="{{#start.word#}}")
    caller = await published(console, flow("Caller", [node], {"t": ("tool", "text")}))

    running = asyncio.create_task(run(console, caller, word="x"))
    await asyncio.wait_for(shop.is_held.wait(), 10)
    async with installation.app.state.database.session() as db:
        task = (await db.scalars(select(Run.task_id).where(Run.app_id == UUID(caller["id"])))).one()
    stopped = await console.post(f"/apps/{caller['id']}/tasks/{task}/stop")
    finished = finish_of(await asyncio.wait_for(running, 10))

    assert stopped.status_code < 300, stopped.text
    assert finished["status"] == "stopped"
    assert [row["status"] for row in await _runs(console, inner)] == ["stopped"]


async def test_an_app_that_is_not_published_or_no_workflow_is_no_tool(console: AsyncClient):
    draft = await add_app(console, SHOUT)
    chat = await add_app(console)

    answers = [await console.post("/tools/workflow", json={"app_id": app["id"]}) for app in (draft, chat)]

    assert [answer.json()["code"] for answer in answers] == ["not_publishable", "not_publishable"]


async def test_a_workflow_of_another_workspace_is_no_tool(console: AsyncClient, stranger: Person):
    shout = await published(console, SHOUT)
    added = await _as_tool(console, shout, name="shout")

    foreign = await stranger.browser.post("/tools/workflow", json={"app_id": shout["id"]})
    changed = await stranger.browser.patch(f"/tools/workflow/{added['id']}", json={"label": "Mine"})

    assert (foreign.status_code, foreign.json()["code"]) == (404, "app_not_found")
    assert changed.status_code == 404


async def test_deleting_the_app_removes_its_tool(console: AsyncClient):
    shout = await published(console, SHOUT)
    await _as_tool(console, shout, name="shout")

    await console.delete(f"/apps/{shout['id']}")

    assert [row for row in (await console.get("/tools")).json() if row["kind"] == "workflow"] == []
