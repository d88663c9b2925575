"""One conversation with an MCP server, by the official SDK over our own guarded HTTP session.

Imported when the first server is called: the SDK costs most of a second of CPU. Whoever wants to talk to MCP servers
uses `adapters.mcp`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import httpx2
from mcp.client.client import Client, ConnectMode
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    METHOD_NOT_FOUND,
    UNSUPPORTED_PROTOCOL_VERSION,
    AudioContent,
    BlobResourceContents,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    Implementation,
    PaginatedRequestParams,
    ResourceLink,
    TextContent,
)
from mcp_types import Tool as ToolDeclaration
from pydantic import ValidationError

from tidemill import __version__
from tidemill.adapters.http import GuardedHttp
from tidemill.adapters.mcp_data import McpAnswer, McpDeclaration, McpPart
from tidemill.adapters.mcp_server import McpClosed, McpFailed, McpServer, McpSessionLost
from tidemill.adapters.mcp_transport import GuardedTransport

MAX_TOOLS: Final = 500
MAX_PAGES: Final = 50
MAX_EVENT_BYTES: Final = 10 * 1024 * 1024
_REFUSED: Final = (401, 403, 407)
_SDK_ERRORS: Final = (MCPError, ValidationError, OSError, ValueError, RuntimeError, httpx2.HTTPError, httpx2.SSEError)
_WHO: Final = Implementation(name="tidemill", version=__version__)


class McpConversation:
    """An initialised session. Calls may run side by side."""

    def __init__(self, client: Client, server: McpServer, transport: GuardedTransport | None) -> None:
        self._session = client.session
        self._server = server
        self._transport = transport

    async def list_tools(self) -> list[McpDeclaration]:
        """All tools of the server, page by page. Raises `McpFailed`, `McpSessionLost`."""
        tools: list[McpDeclaration] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            try:
                params = PaginatedRequestParams(cursor=cursor) if cursor else None
                page = await self._session.list_tools(params=params)
            except _SDK_ERRORS as error:
                raise _failure(self._server, self._transport, error) from error
            tools += [_declaration(tool) for tool in page.tools]
            if len(tools) > MAX_TOOLS:
                raise McpFailed(f"{self._server.label} offers more than {MAX_TOOLS} tools, which is too many.")
            cursor = page.next_cursor
            if not cursor:
                return tools
        raise McpFailed(f"{self._server.label} lists its tools without end.")

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> McpAnswer:
        """What the tool answers. Raises `McpFailed`, `McpSessionLost`."""
        # Not `Client.call_tool`: it refuses answers that miss their declared output schema, after the tool has acted.
        request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=arguments))
        try:
            result = await self._session.send_request(request, CallToolResult)
        except _SDK_ERRORS as error:
            raise _failure(self._server, self._transport, error) from error
        parts = tuple(part for block in result.content for part in _parts(block))
        return McpAnswer(is_error=result.is_error, parts=parts, structured=result.structured_content)


@asynccontextmanager
async def conversation(
    server: McpServer, http: GuardedHttp, arguments: list[str] | None
) -> AsyncGenerator[McpConversation]:
    """Open a session and close it afterwards.

    Args:
        arguments: The words of an allowed command line, for a server that is started.

    Raises:
        McpFailed: It cannot be opened.
    """
    try:
        async with AsyncExitStack() as stack:
            yield await _opened(stack, server, http, arguments)
    except ExceptionGroup as group:
        raise _failure(server, None, _first_of(group)) from group


async def _opened(
    stack: AsyncExitStack, server: McpServer, http: GuardedHttp, arguments: list[str] | None
) -> McpConversation:
    if arguments is not None:
        silence = stack.enter_context(_nowhere())
        return await _entered(stack, server, None, Client(_started(server, arguments, silence), client_info=_WHO))
    failed: McpFailed | None = None
    for is_sse, mode in _ways(server):
        transport = GuardedTransport(http, server)
        client = Client(_wire(server, transport, is_sse=is_sse), client_info=_WHO, mode=mode)
        try:
            return await _entered(stack, server, transport, client)
        except McpFailed as error:
            failed = failed or error
            if transport.status is None or transport.status in _REFUSED:
                break
    raise failed or McpFailed(f"{server.label} cannot be opened.")


def _nowhere() -> TextIO:
    """Where a program's complaints go: they are not the server's log."""
    return Path(os.devnull).open("w", encoding="utf-8")


def _ways(server: McpServer) -> Iterator[tuple[bool, ConnectMode]]:
    """How to try: servers of today all take the handshake; newest ones may not, old ones speak the older transport."""
    is_old_address = server.url.partition("?")[0].rstrip("/").endswith("/sse")
    if server.transport == "sse" or (server.transport == "auto" and is_old_address):
        yield True, "legacy"
        return
    yield False, "legacy"
    yield False, "auto"
    if server.transport == "auto":
        yield True, "legacy"


def _wire(server: McpServer, transport: GuardedTransport, *, is_sse: bool) -> Any:
    """The SDK's own transport, on a client whose every request goes through the guard."""

    def client(headers: Any = None, timeout: Any = None, auth: Any = None) -> httpx2.AsyncClient:
        del headers, timeout, auth
        return httpx2.AsyncClient(
            transport=transport, headers=list(server.headers), timeout=None, trust_env=False, follow_redirects=False
        )

    if is_sse:
        return sse_client(server.url, httpx_client_factory=client)
    return streamable_http_client(server.url, http_client=client(), max_sse_event_size=MAX_EVENT_BYTES)


def _started(server: McpServer, arguments: list[str], silence: TextIO) -> Any:
    # The SDK passes on a handful of harmless variables (PATH, HOME, ...) and nothing else of our environment.
    parameters = StdioServerParameters(command=arguments[0], args=arguments[1:], env=dict(server.env))
    return stdio_client(parameters, errlog=silence)


async def _entered(
    stack: AsyncExitStack, server: McpServer, transport: GuardedTransport | None, client: Client
) -> McpConversation:
    try:
        await stack.enter_async_context(client)
    except ExceptionGroup as group:
        raise _failure(server, transport, _first_of(group)) from group
    except _SDK_ERRORS as error:
        raise _failure(server, transport, error) from error
    return McpConversation(client, server, transport)


def _first_of(group: ExceptionGroup[Exception]) -> Exception:
    found: Exception = group
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found


def _failure(server: McpServer, transport: GuardedTransport | None, error: Exception) -> McpFailed:
    if transport is not None and transport.has_lost_session:
        return McpSessionLost(f"{server.label} has ended the session. Try again.")
    if transport is not None and transport.failure:
        return McpFailed(f"{server.label} did not answer: {transport.failure}")
    if isinstance(error, MCPError):
        if error.code == CONNECTION_CLOSED:
            return McpClosed(f"{server.label} ended the connection. Look at the server, and try again.")
        if error.code in (UNSUPPORTED_PROTOCOL_VERSION, METHOD_NOT_FOUND):
            return McpFailed(f"{server.label} does not know what it is asked: {error.message}")
        return McpFailed(f"{server.label} failed: {error.message}")
    if isinstance(error, ValidationError):
        return McpFailed(f"{server.label} answered something that is not of the protocol.")
    if isinstance(error, httpx2.HTTPStatusError):
        return McpFailed(f"{server.label} answered {error.response.status_code}. Check its address, headers and keys.")
    if isinstance(error, FileNotFoundError):
        return McpFailed(f"{server.label} cannot be started: there is no such program on the server's machine.")
    return McpFailed(f"{server.label} failed: {error or type(error).__name__}")


def _declaration(tool: ToolDeclaration) -> McpDeclaration:
    hints = tool.annotations
    return McpDeclaration(
        name=tool.name,
        title=tool.title or (hints.title if hints and hints.title else "") or tool.name,
        description=tool.description or "",
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        is_read_only=bool(hints and hints.read_only_hint),
    )


def _parts(block: ContentBlock) -> Iterator[McpPart]:
    match block:
        case TextContent():
            yield McpPart(text=block.text)
        case ImageContent() | AudioContent():
            yield McpPart(data=_bytes(block.data), mime_type=block.mime_type)
        case ResourceLink():
            yield McpPart(url=str(block.uri), name=block.title or block.name, mime_type=block.mime_type or "")
        case EmbeddedResource(resource=BlobResourceContents() as resource):
            name = str(resource.uri).rstrip("/").rpartition("/")[2]
            yield McpPart(data=_bytes(resource.blob), mime_type=resource.mime_type or "", name=name)
        case EmbeddedResource():
            yield McpPart(text=getattr(block.resource, "text", ""))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except ValueError:
        return b""
