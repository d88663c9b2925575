"""The MCP client against real servers: over both HTTP transports, and as started programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
import pytest_asyncio
from aiohttp import web

from support.mcp_site import KEY, STDIO, McpSite, mcp_site, running_mcp
from support.postgres import free_port
from tidemill.adapters.egress import parse_allow_list
from tidemill.adapters.http import GuardedHttp
from tidemill.adapters.mcp import McpClient, spec_of
from tidemill.adapters.mcp_data import McpDeclaration
from tidemill.adapters.mcp_server import McpClosed, McpFailed, McpServer, read_servers
from tidemill.engine.node import RunInfo
from tidemill.engine.values import File
from tidemill.ports import Files, ToolCall, ToolFailed, ToolMessage

__all__ = ["mcp_site"]


@asynccontextmanager
async def client(*, allow: str = "127.0.0.1", stdio: str = "", idle_s: float = 30.0) -> AsyncGenerator[McpClient]:
    http = GuardedHttp(parse_allow_list(allow))
    made = McpClient(http, stdio_allowed=stdio, idle_s=idle_s)
    try:
        yield made
    finally:
        await made.close()
        await http.close()


@pytest_asyncio.fixture
async def mcp() -> AsyncIterator[McpClient]:
    async with client(stdio=f"OURS= {STDIO}") as made:
        yield made


@asynccontextmanager
async def site(answer: Any) -> AsyncGenerator[str]:
    """A server that is no MCP server, or a bad one."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def structured(mcp: McpClient, server: McpServer, name: str, **arguments: Any) -> Any:
    return (await mcp.call(server, name, arguments)).structured["result"]


async def gone(process: psutil.Process, within_s: float = 8.0) -> bool:
    try:
        await asyncio.to_thread(process.wait, within_s)
    except psutil.TimeoutExpired:
        return False
    return True


@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_tools_are_listed_and_called_over_both_transports(mcp: McpClient, mcp_site: McpSite, path: str):
    server = McpServer(url=mcp_site.origin + path)

    declared = {declaration.name: declaration for declaration in await mcp.declarations(server)}

    assert declared["add"].description == "Add two numbers."
    assert declared["add"].is_read_only is True
    assert declared["echo"].is_read_only is False
    assert await structured(mcp, server, "add", a=2, b=3) == 5


async def test_an_answer_of_a_tool_becomes_messages(mcp: McpClient, mcp_site: McpSite):
    kept: list[tuple[str, str, int]] = []

    class Kept:
        async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
            kept.append((filename, mime_type, len(data)))
            return File(type="image", transfer_method="tool_file", filename=filename, mime_type=mime_type)

    tools = {tool.spec.name: tool for tool in await mcp.tools(mcp_site.url)}
    call = ToolCall(info=RunInfo(run_id="r"), ports={Files: Kept()}, idempotency_key="k")

    async def messages(name: str, **arguments: Any) -> list[ToolMessage]:
        return [message async for message in tools[name].call(arguments, call)]

    assert [(message.kind, message.data, message.text) for message in await messages("add", a=1)] == [
        ("json", {"result": 2}, ""),
        ("text", None, "2"),
    ]
    assert [message.kind for message in await messages("picture")] == ["file"]
    assert kept == [("answer.png", "image/png", kept[0][2])]
    with pytest.raises(ToolFailed, match="The tool fail failed"):
        await messages("fail")


async def test_calls_of_one_owner_share_a_session_and_those_of_others_do_not(mcp: McpClient, mcp_site: McpSite):
    server = McpServer(url=mcp_site.url, name="shared")
    before = mcp_site.told()["methods"].count("DELETE /mcp")

    for owner in ("a", "a", "a", "b"):
        await mcp.call(server, "add", {"a": 1}, owner=owner)
    await mcp.close()

    assert mcp_site.told()["methods"].count("DELETE /mcp") - before == 2


async def test_an_idle_session_is_ended():
    with running_mcp() as own:
        async with client(idle_s=0.01) as mcp:
            await mcp.call(McpServer(url=own.url), "add", {"a": 1})
            async with asyncio.timeout(5):
                while "DELETE /mcp" not in await asyncio.to_thread(lambda: own.told()["methods"]):
                    pass


async def test_a_session_that_the_server_forgot_is_opened_again(mcp: McpClient):
    with running_mcp() as first:
        server = McpServer(url=first.url)
        assert await structured(mcp, server, "add", a=1) == 2
    with running_mcp(port=first.port):
        assert await structured(mcp, server, "add", a=2) == 3


async def test_a_cancelled_call_is_cancelled_at_the_server_within_a_second(mcp: McpClient, mcp_site: McpSite):
    counted = mcp_site.told()
    call = asyncio.create_task(mcp.call(McpServer(url=mcp_site.url), "slow", {}))
    await asyncio.to_thread(mcp_site.wait_for, "began", counted["began"] + 1)

    call.cancel()
    waited = await asyncio.to_thread(mcp_site.wait_for, "cancelled", counted["cancelled"] + 1)

    assert waited < 1
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_call_over_its_time_fails_and_is_cancelled_at_the_server(mcp: McpClient, mcp_site: McpSite):
    counted = mcp_site.told()

    with pytest.raises(McpFailed, match="did not answer in time"):
        await mcp.call(McpServer(url=mcp_site.url, call_timeout_s=0.5), "slow", {})

    await asyncio.to_thread(mcp_site.wait_for, "cancelled", counted["cancelled"] + 1)


async def test_headers_are_sent_and_a_refusal_says_so(mcp: McpClient):
    with running_mcp(key=KEY) as locked:
        assert await structured(mcp, McpServer(url=locked.url, headers=(("X-Key", KEY),)), "add", a=1) == 2
        with pytest.raises(McpFailed, match="401") as refused:
            await mcp.declarations(McpServer(url=locked.url, headers=(("X-Key", "wrong-key-0000"),)))

    assert "wrong-key" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/mcp", "http://127.0.0.1:PORT/mcp", "http://[::1]:PORT/mcp", "http://2130706433:PORT/sse"],
)
async def test_no_private_address_is_reached(mcp_site: McpSite, url: str):
    before = len(mcp_site.told()["methods"])

    async with client(allow="") as mcp:
        with pytest.raises(McpFailed):
            await mcp.declarations(McpServer(url=url.replace("PORT", str(mcp_site.port))))

    assert len(mcp_site.told()["methods"]) == before


async def test_a_redirect_does_not_lead_to_a_private_address(mcp_site: McpSite):
    async def answer(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(mcp_site.url)

    before = len(mcp_site.told()["methods"])
    async with site(answer) as origin, client(allow=origin.removeprefix("http://")) as mcp:
        with pytest.raises(McpFailed):
            await mcp.declarations(McpServer(url=origin))

    assert len(mcp_site.told()["methods"]) == before


async def test_a_server_that_is_not_there_is_told(mcp: McpClient):
    with pytest.raises(McpFailed, match="cannot be reached"):
        await mcp.declarations(McpServer(url=f"http://127.0.0.1:{free_port()}/mcp"))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, "<html>hello</html>", "text/html"),
        (200, "{", "application/json"),
        (200, '{"jsonrpc": "2.0", "id": 0, "result": 5}', "application/json"),
        (500, "down", "text/plain"),
        (429, "{}", "application/json"),
        (404, "nothing here", "text/plain"),
    ],
)
async def test_garbage_ends_in_a_sentence_that_names_the_server(mcp: McpClient, status: int, body: str, kind: str):
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=kind)

    async with site(answer) as origin:
        with pytest.raises(McpFailed, match="The MCP server junk"):
            await mcp.declarations(McpServer(name="junk", url=f"{origin}/mcp", timeout_s=5))


async def test_a_server_that_never_answers_is_given_up(mcp: McpClient):
    async def answer(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with site(answer) as origin:
        with pytest.raises(McpFailed, match="did not answer in time"):
            await mcp.declarations(McpServer(url=f"{origin}/mcp", timeout_s=0.3))


async def test_an_allowed_program_is_started_with_a_clean_environment(mcp: McpClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_KEY", "a-secret-of-ours")

    names = await structured(mcp, McpServer(command=STDIO, env=(("OURS", "x"),)), "environment")

    assert "OURS" in names
    assert not {"SECRET_KEY", "PYTHONPATH", "VIRTUAL_ENV"} & set(names)


@pytest.mark.parametrize("command", ["sh -c id", f"{STDIO} more", f"OURS=x {STDIO}", STDIO.rpartition(" ")[0]])
async def test_no_other_command_line_is_started(mcp: McpClient, command: str):
    with pytest.raises(McpFailed, match="TIDEMILL_MCP_STDIO_ALLOWED"):
        await mcp.declarations(McpServer(command=command))


async def test_a_variable_that_is_not_allowed_is_refused(mcp: McpClient):
    with pytest.raises(McpFailed, match="LD_PRELOAD"):
        await mcp.declarations(McpServer(command=STDIO, env=(("LD_PRELOAD", "x.so"),)))


async def test_a_program_ends_with_its_session(mcp: McpClient):
    process = psutil.Process(await structured(mcp, McpServer(command=STDIO), "pid"))

    await mcp.close()

    assert await gone(process)


async def test_a_program_that_dies_fails_its_call_and_is_started_again(mcp: McpClient):
    server = McpServer(command=STDIO)

    with pytest.raises(McpClosed, match="ended the connection"):
        await mcp.call(server, "die", {})

    assert await structured(mcp, server, "add", a=1) == 2


async def test_a_program_that_hangs_is_killed_with_its_session(mcp: McpClient):
    server = McpServer(command=STDIO, call_timeout_s=0.5)
    process = psutil.Process(await structured(mcp, server, "pid"))

    with pytest.raises(McpFailed, match="did not answer in time"):
        await mcp.call(server, "slow", {})

    assert await gone(process)


def test_a_schema_with_a_reference_out_of_itself_is_refused():
    schema = {"type": "object", "properties": {"a": {"$ref": "http://169.254.169.254/latest"}}}

    with pytest.raises(McpFailed, match="leads out of the document"):
        spec_of(McpDeclaration(name="t", title="", description="", input_schema=schema), "p")


def test_servers_that_an_app_names_are_read_in_every_usual_form():
    by_name = {"map": {"transport": "sse", "url": "https://m.example/x", "headers": {"A": "b"}, "timeout": 5}}

    assert read_servers("") == ()
    assert [server.url for server in read_servers("https://mcp.example/sse?key=")] == ["https://mcp.example/sse?key="]
    for text in (json.dumps(by_name), json.dumps({"mcpServers": by_name})):
        assert read_servers(text) == (
            McpServer(name="map", url="https://m.example/x", transport="sse", headers=(("A", "b"),), timeout_s=5),
        )
    [started] = read_servers('{"files": {"command": "npx", "args": ["-y", "files"]}}')
    assert started.command == "npx -y files"


@pytest.mark.parametrize("config", ["hello", "[]", '"x"', '{"a": {"url": "ftp://h"}}', '{"a": {"headers": {}}}'])
def test_a_configuration_that_names_no_server_is_refused(config: str):
    with pytest.raises(McpFailed):
        read_servers(config)
