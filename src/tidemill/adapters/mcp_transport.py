"""The MCP SDK's HTTP requests on our guarded session: no address is reached that the egress guard does not permit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import httpx2
from aiohttp import ClientError, ClientResponse

from tidemill.adapters.http import GuardedHttp
from tidemill.adapters.mcp_server import McpServer
from tidemill.ports import HttpFailed, HttpRequest

MAX_BODY_BYTES: Final = 20 * 1024 * 1024
MAX_ERROR_BYTES: Final = 64 * 1024
_SESSION: Final = "mcp-session-id"
# These are made anew for each hop.
_HOP_HEADERS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "user-agent"})
# Bodies arrive here decoded and unframed, so these no longer hold.
_STALE_HEADERS: Final = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends one server's requests. A request that gets no good answer is answered here, with a JSON-RPC error: the
    SDK hands that to whoever made the call, where an exception would end the session for all.

    Attributes:
        status: The last HTTP status, None while no answer has come.
        failure: Why the last request got no good answer; empty when it did.
        has_lost_session: The server no longer knows the session.
    """

    def __init__(self, http: GuardedHttp, server: McpServer) -> None:
        self._http = http
        self._server = server
        self.status: int | None = None
        self.failure = ""
        self.has_lost_session = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        sent = HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=tuple(pair for pair in request.headers.multi_items() if pair[0].lower() not in _HOP_HEADERS),
            body=body or None,
            connect_timeout_s=self._server.timeout_s,
            # A stream may be silent as long as a call may last; the call's own limit ends it.
            read_timeout_s=self._server.call_timeout_s,
            write_timeout_s=self._server.call_timeout_s,
        )
        stack = AsyncExitStack()
        try:
            response = await stack.enter_async_context(self._http.open(sent))
            self.status = response.status
            if response.status >= 400:
                async with stack:
                    return await self._refusal(request, body, response)
        except HttpFailed as error:
            self.failure = str(error)
            if request.method != "POST":
                raise httpx2.ConnectError(str(error), request=request) from error
            return _rpc_error(request, body, 502, str(error))
        if request.method == "POST":
            self.failure = ""
        headers = [(name, value) for name, value in response.headers.items() if name.lower() not in _STALE_HEADERS]
        return httpx2.Response(response.status, headers=headers, stream=_Body(response, stack), request=request)

    async def _refusal(self, request: httpx2.Request, body: bytes, response: ClientResponse) -> httpx2.Response:
        if response.status == 404 and request.headers.get(_SESSION):
            self.has_lost_session = True
        said = (await response.content.read(MAX_ERROR_BYTES)).decode(errors="replace")
        if request.method != "POST" or _is_rpc_error(said):
            headers = {"content-type": response.headers.get("content-type", "")}
            return httpx2.Response(response.status, headers=headers, content=said.encode(), request=request)
        hint = " Check its headers and keys." if response.status in (401, 403) else ""
        words = " ".join(said.split())[:200]
        self.failure = f"it answered {response.status}{f' ({words})' if words else ''}.{hint}"
        return _rpc_error(request, body, response.status, self.failure)


class _Body(httpx2.AsyncByteStream):
    """A response's body, piece by piece as it arrives."""

    def __init__(self, response: ClientResponse, stack: AsyncExitStack) -> None:
        self._response = response
        self._stack = stack

    async def __aiter__(self) -> AsyncIterator[bytes]:
        is_stream = self._response.content_type == "text/event-stream"
        size = 0
        try:
            async for block in self._response.content.iter_any():
                size += len(block)
                if size > MAX_BODY_BYTES and not is_stream:
                    raise httpx2.ReadError(f"the answer is larger than {MAX_BODY_BYTES} bytes")
                yield block
        except (ClientError, TimeoutError, OSError) as error:
            raise httpx2.ReadError(str(error) or "the connection broke off") from error

    async def aclose(self) -> None:
        await self._stack.aclose()


def _is_rpc_error(said: str) -> bool:
    try:
        found = json.loads(said)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("error"), dict) and found.get("jsonrpc") == "2.0"


def _rpc_error(request: httpx2.Request, body: bytes, status: int, sentence: str) -> httpx2.Response:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    wanted = asked.get("id") if isinstance(asked, dict) else None
    # -32603: the code of the protocol for a fault on the way.
    answer = {"jsonrpc": "2.0", "id": wanted, "error": {"code": -32603, "message": sentence}}
    return httpx2.Response(status, json=answer, request=request)
