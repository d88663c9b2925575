"""MCP servers of a workspace: asked for their tools, called, refused; their keys go in and never out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from domains.toolbox.flows import finish_of, flow, published, run, tool_node
from support.installation import Installation, Person
from support.mcp_site import KEY, STDIO, McpSite, running_mcp
from tidemill.domains.toolbox.models import ToolProvider


@pytest.fixture(scope="module")
def locked() -> Iterator[McpSite]:
    """A server that wants a key."""
    with running_mcp(key=KEY) as site:
        yield site


async def _add(console: AsyncClient, site: McpSite, **more: Any) -> dict[str, Any]:
    body = {"name": "sea", "url": site.url, "headers": {"X-Key": KEY}, **more}
    answer = await console.post("/tools/mcp", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_server_is_asked_for_its_tools(console: AsyncClient, locked: McpSite):
    added = await _add(console, locked)

    assert added["is_usable"] is True
    assert added["address"] == locked.origin
    parameters = {tool["name"]: tool["parameters"] for tool in added["tools"]}
    assert {"add", "echo", "picture"} <= parameters.keys()
    assert [(item["name"], item["type"], item["is_required"]) for item in parameters["add"]] == [
        ("a", "number", True),
        ("b", "number", False),
    ]
    assert [(item["name"], item["type"]) for item in parameters["echo"]] == [("text", "string"), ("tags", "array")]


async def test_address_and_keys_are_encrypted_and_not_told(
    installation: Installation, console: AsyncClient, locked: McpSite
):
    await _add(console, locked, url=f"{locked.url}?secret=in-the-address")

    listed = await console.get("/tools")
    async with installation.app.state.database.session() as db:
        row = (await db.scalars(select(ToolProvider))).one()
    for text in (listed.text, row.secrets, str(row.definition)):
        assert KEY not in text
        assert "in-the-address" not in text


async def test_a_flow_calls_a_tool_of_the_server(console: AsyncClient, locked: McpSite):
    await _add(console, locked)
    node = tool_node("mcp", "sea", "add", a="{{#start.word#}}", b="40")
    app = await published(console, flow("Adds", [node], {"text": ("tool", "text"), "json": ("tool", "json")}))

    finished = finish_of(await run(console, app, word="2"))

    assert finished["status"] == "succeeded", finished
    assert finished["outputs"] == {"text": "42", "json": [{"result": 42}]}


async def test_a_picture_becomes_a_file_of_the_run(console: AsyncClient, locked: McpSite):
    await _add(console, locked)
    app = await published(console, flow("Draws", [tool_node("mcp", "sea", "picture")], {"files": ("tool", "files")}))

    finished = finish_of(await run(console, app, word="x"))

    [file] = finished["outputs"]["files"]
    assert (file["mime_type"], file["type"]) == ("image/png", "image")


async def test_a_tool_that_fails_fails_its_node_with_its_words(console: AsyncClient, locked: McpSite):
    await _add(console, locked)
    app = await published(console, flow("Fails", [tool_node("mcp", "sea", "fail")], {"t": ("tool", "text")}))

    finished = finish_of(await run(console, app, word="x"))

    assert finished["status"] == "failed"
    assert "The tool fail failed" in finished["error"]


async def test_a_server_that_wants_another_key_is_not_added(console: AsyncClient, locked: McpSite):
    answer = await console.post("/tools/mcp", json={"name": "sea", "url": locked.url, "headers": {"X-Key": "wrong"}})

    assert (answer.status_code, answer.json()["code"]) == (422, "tool_refused")
    assert "401" in answer.json()["message"]
    assert [row for row in (await console.get("/tools")).json() if row["kind"] == "mcp"] == []


async def test_an_update_keeps_keys_left_empty_and_lists_the_tools_again(console: AsyncClient, locked: McpSite):
    added = await _add(console, locked)

    changed = await console.patch(f"/tools/mcp/{added['id']}", json={"name": "ocean", "headers": {"X-Key": ""}})
    tried = await console.post(f"/tools/{added['id']}/test", json={"tool": "add", "arguments": {"a": 1}})
    asked = await console.post(f"/tools/{added['id']}/test", json={})

    assert (changed.status_code, changed.json()["name"]) == (200, "ocean")
    assert tried.json()["data"] == [{"result": 2}]
    assert "add" in asked.json()["text"]


async def test_an_allowed_command_line_is_started_and_no_other(console: AsyncClient):
    allowed = await console.post("/tools/mcp", json={"name": "program", "command": STDIO})
    refused = await console.post("/tools/mcp", json={"name": "shell", "command": "sh -c id"})
    longer = await console.post("/tools/mcp", json={"name": "longer", "command": f"{STDIO} --more"})

    assert allowed.status_code == 201, allowed.text
    assert [refused.status_code, longer.status_code] == [422, 422]
    assert "TIDEMILL_MCP_STDIO_ALLOWED" in refused.json()["message"]


async def test_another_workspace_finds_none_of_it(console: AsyncClient, stranger: Person, locked: McpSite):
    added = await _add(console, locked)

    answers = [
        await stranger.browser.patch(f"/tools/mcp/{added['id']}", json={}),
        await stranger.browser.post(f"/tools/{added['id']}/test", json={"tool": "add"}),
        await stranger.browser.delete(f"/tools/{added['id']}"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
