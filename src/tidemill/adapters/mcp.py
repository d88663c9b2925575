"""Calls the tools of MCP servers: over HTTP through the egress guard, or on a started program's standard streams.

A session is kept between the calls of one owner (a run) and ends when it has been idle for a while. The SDK that
speaks the protocol is imported with the first call.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tidemill.adapters.http import GuardedHttp
from tidemill.adapters.mcp_data import McpAnswer, McpDeclaration, McpPart
from tidemill.adapters.mcp_server import (
    Allowance,
    McpClosed,
    McpFailed,
    McpServer,
    McpSessionLost,
    check_server,
    read_servers,
)
from tidemill.engine.values import Value, plain
from tidemill.ports import Files, FileUnavailable, Tool, ToolCall, ToolFailed, ToolMessage, ToolSpec
from tidemill.tools.json_schema import References, SchemaRefused, parameters_of

if TYPE_CHECKING:
    from tidemill.adapters.mcp_session import McpConversation

T = TypeVar("T")

IDLE_S: Final = 30.0
CLOSE_S: Final = 8.0
MAX_SESSIONS: Final = 200
MAX_PROGRAMS: Final = 16


class McpClient:
    """The MCP servers that this process talks to. Make it inside a running event loop.

    Args:
        http: Every address is reached through its egress guard.
        stdio_allowed: The text of `TIDEMILL_MCP_STDIO_ALLOWED`.
        idle_s: How long an unused session is kept.
    """

    def __init__(self, http: GuardedHttp, *, stdio_allowed: str = "", idle_s: float = IDLE_S) -> None:
        self._http = http
        self._allowance = Allowance(stdio_allowed)
        self._idle_s = idle_s
        self._held: dict[tuple[str, McpServer], _Held] = {}

    async def declarations(self, server: McpServer, *, owner: str = "") -> list[McpDeclaration]:
        """The tools a server declares. Raises `McpFailed`."""
        return await self._with(server, owner, server.timeout_s, lambda session: session.list_tools())

    async def call(self, server: McpServer, name: str, arguments: Mapping[str, Any], *, owner: str = "") -> McpAnswer:
        """What a tool answers; a call that runs out of its time is cancelled at the server. Raises `McpFailed`."""
        given = dict(arguments)
        return await self._with(server, owner, server.call_timeout_s, lambda session: session.call_tool(name, given))

    async def tools(self, config: str) -> Sequence[Tool]:
        """Implements `ports.McpServers`: the tools of servers that an app names itself. Raises `McpFailed`."""
        servers = read_servers(config)
        listed = await asyncio.gather(*(self.declarations(server) for server in servers))
        return [
            McpTool(self, server, declaration, provider=server.name)
            for server, declarations in zip(servers, listed, strict=True)
            for declaration in declarations
        ]

    async def close(self) -> None:
        """End all sessions and the programs started for them."""
        held, self._held = list(self._held.values()), {}
        await asyncio.gather(*(one.end() for one in held))

    async def _with(
        self, server: McpServer, owner: str, limit_s: float, work: Callable[[McpConversation], Awaitable[T]]
    ) -> T:
        for is_last in (False, True):
            held = self._hold(server, owner)
            try:
                async with held.use(), asyncio.timeout(server.timeout_s + limit_s):
                    async with asyncio.timeout(server.timeout_s):
                        session = await asyncio.shield(held.ready)
                    async with asyncio.timeout(limit_s):
                        return await work(session)
            except TimeoutError as error:
                self._drop(held)
                raise McpFailed(f"{server.label} did not answer in time. Try again later.") from error
            except McpSessionLost:
                # The server did not take the call, so making it again is safe.
                self._drop(held)
                if is_last:
                    raise
            except McpFailed as error:
                if isinstance(error, McpClosed) or held.is_failed:
                    self._drop(held)
                raise
        raise AssertionError("unreachable")

    def _hold(self, server: McpServer, owner: str) -> _Held:
        key = (owner, server)
        held = self._held.get(key)
        if held is not None and not held.task.done():
            return held
        check_server(server)
        arguments = self._allowance.arguments(server) if server.command else None
        self._make_room(is_program=arguments is not None)
        held = _Held(key, self._http, arguments, idle_s=self._idle_s, on_end=self._forget)
        self._held[key] = held
        return held

    def _make_room(self, *, is_program: bool) -> None:
        """End the session that has been idle longest when there are as many as there may be."""
        kind = [held for held in self._held.values() if not is_program or held.key[1].command]
        if len(kind) < (MAX_PROGRAMS if is_program else MAX_SESSIONS):
            return
        idle = [held for held in kind if not held.users]
        if not idle:
            raise McpFailed("Too many MCP servers are in use at once. Try again later.")
        self._drop(min(idle, key=lambda held: held.used_at))

    def _drop(self, held: _Held) -> None:
        self._forget(held)
        held.closing.set()

    def _forget(self, held: _Held) -> None:
        if self._held.get(held.key) is held:
            del self._held[held.key]


class _Held:
    """One session and the task that owns it: the SDK wants it opened and closed by the same task."""

    def __init__(
        self,
        key: tuple[str, McpServer],
        http: GuardedHttp,
        arguments: list[str] | None,
        *,
        idle_s: float,
        on_end: Callable[[_Held], None],
    ) -> None:
        self.key = key
        self.users = 0
        self.used_at = time.monotonic()
        self.closing = asyncio.Event()
        self.ready: asyncio.Future[McpConversation] = asyncio.get_running_loop().create_future()
        self._idle_s = idle_s
        self._on_end = on_end
        self._timer: asyncio.TimerHandle | None = None
        self.task = asyncio.create_task(self._own(http, arguments), name=f"MCP session {key[1].name}")

    @property
    def is_failed(self) -> bool:
        return self.ready.done() and not self.ready.cancelled() and self.ready.exception() is not None

    def use(self) -> _Use:
        return _Use(self)

    def enter(self) -> None:
        self.users += 1
        if self._timer is not None:
            self._timer.cancel()

    def leave(self) -> None:
        self.users -= 1
        self.used_at = time.monotonic()
        if not self.users:
            self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._expire)

    async def end(self) -> None:
        self.closing.set()
        if self._timer is not None:
            self._timer.cancel()
        done, _ = await asyncio.wait([self.task], timeout=CLOSE_S)
        if not done:
            self.task.cancel()
            await asyncio.wait([self.task], timeout=CLOSE_S)

    def _expire(self) -> None:
        if not self.users:
            self._on_end(self)
            self.closing.set()

    async def _own(self, http: GuardedHttp, arguments: list[str] | None) -> None:
        server = self.key[1]
        try:
            module = await asyncio.to_thread(_session_module)
            async with asyncio.timeout(None) as limit:
                limit.reschedule(asyncio.get_running_loop().time() + server.timeout_s)
                async with module.conversation(server, http, arguments) as session:
                    limit.reschedule(None)
                    if not self.ready.done():
                        self.ready.set_result(session)
                    await self.closing.wait()
        except TimeoutError:
            self._fail(McpFailed(f"{server.label} did not answer in time. Try again later."))
        except McpFailed as error:
            self._fail(error)
        finally:
            self._fail(McpFailed(f"{server.label} ended the connection. Try again."))
            self._on_end(self)

    def _fail(self, error: McpFailed) -> None:
        if not self.ready.done():
            self.ready.set_exception(error)
            # Whoever waited may have left; nobody need be told twice.
            self.ready.exception()


class _Use:
    """Keeps a session from ending while it is in use."""

    def __init__(self, held: _Held) -> None:
        self._held = held

    async def __aenter__(self) -> None:
        self._held.enter()

    async def __aexit__(self, *_: object) -> None:
        self._held.leave()


def _session_module() -> Any:
    # Weight: the SDK is imported in a thread, when the first server is called.
    from tidemill.adapters import mcp_session

    return mcp_session


class McpTool:
    """Implements `ports.Tool` for a tool of an MCP server."""

    def __init__(self, client: McpClient, server: McpServer, declaration: McpDeclaration, *, provider: str) -> None:
        self._client = client
        self._server = server
        self._name = declaration.name
        self._spec = spec_of(declaration, provider)

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        """Call the tool. Its structured answer is a json message; texts, files and links are messages of their own.

        Raises:
            ToolFailed: The server cannot be reached, refuses, or the tool says that it failed.
        """
        given = {name: plain(value) for name, value in arguments.items()}
        answer = await self._client.call(self._server, self._name, given, owner=call.info.run_id)
        if answer.is_error:
            said = " ".join(part.text for part in answer.parts if part.text)[:1000]
            raise ToolFailed(f"The tool {self._name} failed: {said or 'it gave no reason'}")
        if answer.structured is not None:
            yield ToolMessage(kind="json", data=answer.structured)
        if answer.structured is not None and not any(part.text for part in answer.parts):
            yield ToolMessage(kind="text", text=json.dumps(answer.structured, ensure_ascii=False))
        for part in answer.parts:
            yield await _message(part, call)


def spec_of(declaration: McpDeclaration, provider: str) -> ToolSpec:
    """A declared tool as a spec. Raises `McpFailed` when its schema has references out of itself."""
    try:
        schema = References(declaration.input_schema).expand(declaration.input_schema)
    except SchemaRefused as error:
        raise McpFailed(f"The tool {declaration.name} cannot be used: {error}") from error
    return ToolSpec(
        provider=provider,
        name=declaration.name,
        label=declaration.title or declaration.name,
        description=declaration.description,
        parameters=parameters_of(schema),
        output_schema=declaration.output_schema,
        is_read_only=declaration.is_read_only,
    )


async def _message(part: McpPart, call: ToolCall) -> ToolMessage:
    if part.url:
        return ToolMessage(kind="link", text=part.url)
    if part.data is None:
        return ToolMessage(kind="text", text=part.text)
    mime_type = part.mime_type or "application/octet-stream"
    name = part.name or f"answer.{mime_type.rpartition('/')[2].partition('+')[0]}"
    try:
        saved = await call.port(Files).save(filename=name, mime_type=mime_type, data=part.data)
    except FileUnavailable as error:
        raise ToolFailed(str(error)) from error
    return ToolMessage(kind="file", file=saved)
