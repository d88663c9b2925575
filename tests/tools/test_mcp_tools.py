"""Tools of MCP servers that a flow names itself, on a real MCP server."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tidemill.adapters.http import open_sessions
from tidemill.adapters.mcp import McpClient
from tidemill.ports import McpServers, ToolFailed
from tools.vendors import Bench

PROGRAM = Path(__file__).parent.parent / "support" / "mcp_program.py"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "http"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MCP_TEST_KEY": ""},
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{process.stdout.readline().strip().rpartition('=')[2]}"
    process.kill()
    process.wait()


@pytest_asyncio.fixture
async def desk(bench: Bench) -> AsyncIterator[Bench]:
    sessions = await open_sessions(allow="127.0.0.1")
    client = McpClient(sessions.http)
    bench.ports[McpServers] = client
    yield bench
    await client.close()
    await sessions.close()


async def test_the_tools_of_configured_servers_are_listed(desk: Bench, server: str):
    config = json.dumps({"sea": {"transport": "streamable_http", "url": f"{server}/mcp"}})

    found = await desk.run(
        "junjiem/mcp_sse/mcp_sse", "mcp_sse_list_tools", {"prompts_as_tools": True}, {"servers_config": config}
    )

    listed = json.loads(found.text.removeprefix("MCP Server tools list: \n"))
    add = next(tool for tool in listed if tool["name"] == "add")
    assert add["description"] == "Add two numbers."
    assert add["parameters"]["properties"]["a"]["type"] in ("integer", "number")
    assert add["parameters"]["required"] == ["a"]


@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_a_tool_is_called_with_arguments_written_as_text(desk: Bench, server: str, path: str):
    config = json.dumps({"mcpServers": {"sea": {"url": server + path}}})
    arguments = {"tool_name": "add", "arguments": '{"a": 2, "b": 3}', "servers_config": config}

    found = await desk.run("mcp_sse", "mcp_sse_call_tool", arguments)

    assert "5" in found.text


async def test_a_server_named_by_its_address_is_listed_and_called(desk: Bench, server: str):
    provider = "arrenxxxxx/mcp_config_during_use/mcp_config"
    address = {"server_url": f"{server}/mcp", "headers": '{"X-Key": "k"}', "timeout": 20, "sse_read_timeout": 20}

    listed = await desk.run(provider, "mcp_list_tools", address)
    called = await desk.run(
        provider, "mcp_call_tool", {**address, "tool_name": "echo", "arguments": "{'text': 'hello'}"}
    )

    assert "echo" in [tool["name"] for tool in json.loads(listed.text)]
    assert called.text == "hello"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"tool_name": "nothing"}, "have no tool nothing.*add"),
        ({"tool_name": "add", "arguments": "[1"}, "`arguments` must be a JSON object"),
        ({"tool_name": "add", "arguments": "{}"}, "needs a value for a"),
        ({"tool_name": "fail"}, "The tool fail failed"),
    ],
)
async def test_what_goes_wrong_is_said(desk: Bench, server: str, arguments: dict[str, str], sentence: str):
    with pytest.raises(ToolFailed, match=sentence):
        await desk.run("mcp_sse", "mcp_sse_call_tool", {**arguments, "servers_config": f"{server}/mcp"})


async def test_without_servers_the_tool_says_where_to_name_them(desk: Bench):
    with pytest.raises(ToolFailed, match="MCP_SERVERS_CONFIG"):
        await desk.run("mcp_sse", "mcp_sse_list_tools", {})
