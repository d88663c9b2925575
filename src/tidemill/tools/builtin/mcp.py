"""MCP servers that a flow names itself: their tools listed, and one of them called."""

from __future__ import annotations

import ast
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from tidemill.ports import McpServers, Tool, ToolCall, ToolFailed, ToolMessage, ToolParameter
from tidemill.tools.call import cast_arguments, json_schema
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, optional, setting, text

BY_CONFIG = Provider(
    "mcp_sse",
    "MCP servers",
    "Tools of MCP servers, found while the flow runs.",
    credentials=[
        CredentialField(
            name="servers_config",
            label="Configuration of the MCP servers",
            is_required=False,
            help='JSON: {"name": {"transport": "streamable_http", "url": "https://...", "headers": {}}}',
            environment="MCP_SERVERS_CONFIG",
        )
    ],
)
BY_ADDRESS = Provider(
    "mcp_config", "MCP server by address", "Tools of one MCP server.", aliases=("mcp_config_during_use",)
)

_CONFIG: Final[ToolParameter] = optional(
    "servers_config", "JSON of the servers; the provider's own configuration when empty.", form="form"
)
_RESOURCES: Final = (
    setting("resources_as_tools", "Kept for old files.", type="boolean", default=False),
    setting("prompts_as_tools", "Kept for old files.", type="boolean", default=False),
)
_TOOL: Final = (
    asked("tool_name", "Name of the tool to call."),
    optional("arguments", "Arguments of the tool: a JSON object, written as text.", default="{}"),
)
_ADDRESS: Final = (
    asked("server_url", "Address of the MCP server."),
    optional("headers", 'HTTP headers, JSON written as text: {"Authorization": "Bearer token"}.'),
    optional("timeout", "Seconds to wait for a connection.", type="number", default=60),
    optional("sse_read_timeout", "Seconds to wait for an answer.", type="number", default=300),
)


async def _tools(call: ToolCall, config: str) -> Sequence[Tool]:
    if not config.strip():
        raise ToolFailed(
            "No MCP server is named. Put the servers into the tool's `servers_config`, or into the credentials of the "
            "provider mcp_sse (for `tidemill run`: set MCP_SERVERS_CONFIG)."
        )
    return await call.port(McpServers).tools(config)


def _config(arguments: Arguments, call: ToolCall) -> str:
    return arguments.text("servers_config") or call.credentials.get("servers_config", "")


def _address(arguments: Arguments) -> str:
    server: dict[str, Any] = {
        "url": arguments.text("server_url").strip(),
        "timeout": arguments.number("timeout", 60),
        "sse_read_timeout": arguments.number("sse_read_timeout", 300),
    }
    if headers := _object(arguments.text("headers"), "headers"):
        server["headers"] = headers
    return json.dumps({"server": server})


def _object(written: str, name: str) -> dict[str, Any]:
    """A JSON object out of text; models also write it as Python does."""
    if not written.strip():
        return {}
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(written)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, dict):
            return found
    raise ToolFailed(f'`{name}` must be a JSON object written as text, such as {{"key": "value"}}.')


def _listing(tools: Sequence[Tool]) -> str:
    listed = [
        {"name": tool.spec.name, "description": tool.spec.description, "parameters": json_schema(tool.spec)}
        for tool in tools
    ]
    return json.dumps(listed, ensure_ascii=False)


async def _called(call: ToolCall, tools: Sequence[Tool], arguments: Arguments) -> AsyncIterator[ToolMessage]:
    name = arguments.text("tool_name").strip()
    tool = next((tool for tool in tools if tool.spec.name == name), None)
    if tool is None:
        names = ", ".join(tool.spec.name for tool in tools) or "none"
        raise ToolFailed(f"The MCP servers have no tool {name[:80]}. They have: {names[:1000]}.")
    given = cast_arguments(tool.spec, _object(arguments.text("arguments"), "arguments"))
    async for message in tool.call(given, call):
        yield message


@BY_CONFIG.tool("mcp_sse_list_tools", "List MCP tools", "Lists the tools of the MCP servers.", _CONFIG, *_RESOURCES)
async def mcp_sse_list_tools(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    yield text(f"MCP Server tools list: \n{_listing(await _tools(call, _config(arguments, call)))}")


@BY_CONFIG.tool(
    "mcp_sse_call_tool",
    "Call MCP tool",
    "Calls a tool of the MCP servers.",
    *_TOOL,
    _CONFIG,
    *_RESOURCES,
    is_read_only=False,
)
async def mcp_sse_call_tool(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    async for message in _called(call, await _tools(call, _config(arguments, call)), arguments):
        yield message


@BY_ADDRESS.tool("mcp_list_tools", "List MCP tools", "Lists the tools of an MCP server.", *_ADDRESS)
async def mcp_list_tools(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    yield text(_listing(await _tools(call, _address(arguments))))


@BY_ADDRESS.tool(
    "mcp_call_tool", "Call MCP tool", "Calls a tool of an MCP server.", *_ADDRESS, *_TOOL, is_read_only=False
)
async def mcp_call_tool(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    async for message in _called(call, await _tools(call, _address(arguments)), arguments):
        yield message
