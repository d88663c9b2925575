"""Tries tools from the console: one call, its result shown and not kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.toolbox import credentials, service
from tidemill.domains.toolbox.bound import BoundTool
from tidemill.domains.toolbox.errors import ToolNotFound
from tidemill.domains.toolbox.port import ToolRegistry
from tidemill.domains.toolbox.schemas import ToolTest, ToolTestResult
from tidemill.domains.workspaces.permissions import Member
from tidemill.engine.node import RunInfo
from tidemill.engine.values import File
from tidemill.kit.db import new_id
from tidemill.ports import Files, FileUnavailable, MediaPart, Tool, ToolCall, ToolFailed, ToolMissing
from tidemill.tools.call import Collected, cast_arguments

MAX_TEXT = 20_000


class _NoFiles:
    """Implements `ports.Files` for a call outside a run: what a tool makes is named and let go."""

    async def read(self, file: File) -> bytes:
        raise FileUnavailable(f"The file {file.filename} cannot be read here. Try the tool in a run.")

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        return File(
            type="custom", transfer_method="tool_file", filename=filename, mime_type=mime_type, size_bytes=len(data)
        )

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        raise FileUnavailable(f"The file {file.filename} cannot be shown to a model here. Try the tool in a run.")


async def try_provider(
    db: AsyncSession, member: Member, registry: ToolRegistry, provider_id: UUID, wish: ToolTest
) -> ToolTestResult:
    """Call a tool of an added provider; without one, an MCP server is asked for its tools, and a workflow looked at.

    Raises:
        ToolProviderNotFound, ToolNotFound: There is no such provider, or no such tool of it.
    """
    row = await service.get(db, member, provider_id)
    entry = registry.entry(row)
    began = time.perf_counter()
    try:
        if entry.kind == "mcp" and not wish.tool:
            declared = await registry.mcp.declarations(entry.server)
            return _result(began, text=", ".join(item.name for item in declared))
        if entry.kind == "workflow":
            shape = await registry.workflows(db, member, entry.app_id or provider_id)
            return _result(began, text=", ".join(parameter.name for parameter in shape.parameters))
        found = await registry.of(member.workspace_id).tool(entry, wish.tool)
    except (ToolMissing, ToolFailed) as error:
        return _result(began, message=str(error))
    if found is None:
        raise ToolNotFound(f"{entry.name} has no tool {wish.tool[:100]}. List its tools and choose one.")
    return await _called(found, member, registry, wish.arguments)


async def try_builtin(
    db: AsyncSession, member: Member, registry: ToolRegistry, provider: str, wish: ToolTest
) -> ToolTestResult:
    """Call a built-in tool with the stored credentials. Raises `ToolProviderNotFound`, `ToolNotFound`."""
    found = credentials.provider_of(provider)
    tool = found.find(wish.tool)
    if tool is None:
        raise ToolNotFound(f"{found.label} has no tool {wish.tool[:100]}. It has: {', '.join(found.tools)}.")
    shelf = await registry.shelf(member.workspace_id, db)
    return await _called(BoundTool(tool, shelf.credentials.get(found.name, {})), member, registry, wish.arguments)


async def _called(tool: Tool, member: Member, registry: ToolRegistry, given: Mapping[str, Any]) -> ToolTestResult:
    call = ToolCall(
        info=RunInfo(run_id=str(new_id()), user_id=str(member.account_id)),
        ports={Files: _NoFiles(), **registry.ports(member.workspace_id)},
        idempotency_key=new_id().hex,
    )
    collected = Collected()
    began = time.perf_counter()
    try:
        async for message in tool.call(cast_arguments(tool.spec, given), call):
            collected.add(message)
    except ToolFailed as error:
        return _result(began, message=str(error))
    return _result(
        began, text=collected.text[:MAX_TEXT], data=collected.json, files=[file.filename for file in collected.files]
    )


def _result(
    began: float, *, message: str = "", text: str = "", data: list[Any] | None = None, files: list[str] | None = None
) -> ToolTestResult:
    return ToolTestResult(
        ok=not message,
        latency_ms=round((time.perf_counter() - began) * 1000),
        message=message,
        text=text,
        data=data or [],
        files=files or [],
    )
