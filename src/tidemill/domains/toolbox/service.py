"""Tools that a workspace added: OpenAPI documents, MCP servers, workflows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.adapters.mcp import spec_of
from tidemill.adapters.mcp_server import McpFailed, check_server
from tidemill.domains.toolbox.errors import ToolNameTaken, ToolProviderNotFound, ToolRefused
from tidemill.domains.toolbox.models import ToolProvider
from tidemill.domains.toolbox.port import ToolRegistry, read_api
from tidemill.domains.toolbox.schemas import (
    ApiToolCreate,
    ApiToolUpdate,
    McpToolCreate,
    McpToolUpdate,
    WorkflowToolCreate,
    WorkflowToolUpdate,
)
from tidemill.domains.toolbox.secrets import auth_secrets, completed, hint_of, shown_address
from tidemill.domains.toolbox.shelf import Shelf, server_of
from tidemill.domains.workspaces.permissions import Member, Scoped
from tidemill.ports import Http, HttpFailed, HttpRequest
from tidemill.tools.openapi_document import ApiDocument
from tidemill.tools.openapi_text import MAX_CHARS, DocumentRefused

UsableTools = Shelf
MAX_PROVIDERS = 200


async def usable(db: AsyncSession, scope: Scoped, registry: ToolRegistry) -> UsableTools:
    """What the workspace can use: ask `has(ref)`."""
    return await registry.shelf(scope.workspace_id, db)


async def get(db: AsyncSession, scope: Scoped, provider_id: UUID, kind: str | None = None) -> ToolProvider:
    """A provider that the workspace added.

    Raises:
        ToolProviderNotFound: There is none of this id, or it is of another kind.
    """
    query = select(ToolProvider).where(ToolProvider.workspace_id == scope.workspace_id, ToolProvider.id == provider_id)
    row = (await db.scalars(query)).first()
    if row is None or (kind is not None and row.kind != kind):
        raise ToolProviderNotFound("There are no such tools in this workspace.")
    return row


async def delete(db: AsyncSession, scope: Scoped, registry: ToolRegistry, provider_id: UUID) -> None:
    """Remove a provider with its secrets. Nodes that name it fail from now on, with a sentence."""
    row = await get(db, scope, provider_id)
    await db.delete(row)
    await db.flush()
    registry.forget(scope.workspace_id)


# ---------------------------------------------------------------- OpenAPI


async def examine(
    scope: Scoped, registry: ToolRegistry, *, document: str, url: str, base_url: str, name: str = ""
) -> tuple[str, ApiDocument]:
    """The text of a document, fetched where it is not given, and what it says. Stores nothing.

    Raises:
        ToolRefused: It cannot be fetched or used.
    """
    text = document or await _fetched(scope, registry, url)
    try:
        return text, await read_api(text, name, {"source_url": url, "base_url": base_url})
    except DocumentRefused as error:
        raise ToolRefused(str(error), params="document") from error


async def add_api(db: AsyncSession, member: Member, registry: ToolRegistry, data: ApiToolCreate) -> ToolProvider:
    """Add the operations of an OpenAPI document.

    Raises:
        ToolRefused: The document or the authorization cannot be used.
        ToolNameTaken: Other OpenAPI tools have this name.
    """
    secrets = auth_secrets(data.auth, {})
    text, document = await examine(member, registry, document=data.document, url=data.url, base_url=data.base_url)
    row = ToolProvider(workspace_id=member.workspace_id, kind="api", created_by=member.account_id)
    row.name = (data.name.strip() or document.title or "API")[:100]
    row.description = data.description or document.description[:10_000]
    row.definition = _api_definition(data.url, data.base_url, secrets, document)
    row.document = text
    return await _store(db, registry, row, secrets)


async def update_api(
    db: AsyncSession, member: Member, registry: ToolRegistry, provider_id: UUID, data: ApiToolUpdate
) -> ToolProvider:
    """Change what is given. A new document replaces the old one; with `url` alone it is fetched anew."""
    row = await get(db, member, provider_id, "api")
    secrets = _readable(registry, row, is_replaced=data.auth is not None)
    if data.auth is not None:
        secrets = auth_secrets(data.auth, secrets)
    url = row.definition.get("source_url", "") if data.url is None else data.url
    base_url = row.definition.get("base_url", "") if data.base_url is None else data.base_url
    kept = "" if data.url else await db.scalar(select(ToolProvider.document).where(ToolProvider.id == row.id)) or ""
    text, document = await examine(member, registry, document=data.document or kept, url=url, base_url=base_url)
    row.name = row.name if data.name is None else data.name
    row.description = row.description if data.description is None else data.description
    row.definition = _api_definition(url, base_url, secrets, document)
    row.document = text
    return await _store(db, registry, row, secrets)


def _api_definition(url: str, base_url: str, secrets: Mapping[str, str], document: ApiDocument) -> dict[str, Any]:
    server = next(iter(document.operations.values())).server
    return {
        "source_url": url,
        "base_url": base_url,
        "auth_type": secrets["auth_type"],
        "address": shown_address(server, ""),
        "version": document.version,
    }


async def _fetched(scope: Scoped, registry: ToolRegistry, url: str) -> str:
    if not url:
        raise ToolRefused("Give the OpenAPI document, or the address where it is.", params="document")
    http: Any = registry.ports(scope.workspace_id)[Http]
    request = HttpRequest(method="GET", url=url, read_timeout_s=60.0, max_body_bytes=4 * MAX_CHARS)
    try:
        response = await http.send(request)
    except HttpFailed as error:
        raise ToolRefused(f"The document cannot be fetched: {error}", params="url") from error
    if response.status >= 400:
        raise ToolRefused(f"The document cannot be fetched: the server answered {response.status}.", params="url")
    return response.body.decode(errors="replace")


# ---------------------------------------------------------------- MCP


async def add_mcp(db: AsyncSession, member: Member, registry: ToolRegistry, data: McpToolCreate) -> ToolProvider:
    """Add an MCP server: it is asked for its tools, which are kept.

    Raises:
        ToolRefused: It cannot be reached or used, or its command line is not allowed.
        ToolNameTaken: Another server has this name.
    """
    row = ToolProvider(workspace_id=member.workspace_id, kind="mcp", created_by=member.account_id, tools=[])
    row.name, row.description = data.name.strip(), data.description
    secrets = {"url": data.url, "command": data.command, "headers": data.headers, "env": data.env}
    row.definition = {
        "transport": data.transport,
        "timeout_s": data.timeout_s,
        "call_timeout_s": data.call_timeout_s,
        "address": shown_address(data.url, data.command),
    }
    return await _listed(db, registry, row, secrets)


async def update_mcp(
    db: AsyncSession, member: Member, registry: ToolRegistry, provider_id: UUID, data: McpToolUpdate
) -> ToolProvider:
    """Change what is given, and ask the server for its tools again. An empty update only does that."""
    row = await get(db, member, provider_id, "mcp")
    stored = _readable(registry, row, is_replaced=bool(data.url or data.command))
    url = str(stored.get("url", "")) if data.url is None else data.url
    command = str(stored.get("command", "")) if data.command is None else data.command
    secrets = {
        "url": url,
        "command": command,
        "headers": _changed(stored.get("headers"), data.headers),
        "env": _changed(stored.get("env"), data.env),
    }
    row.name = row.name if data.name is None else data.name.strip()
    row.description = row.description if data.description is None else data.description
    given = data.model_dump(include={"transport", "timeout_s", "call_timeout_s"}, exclude_none=True)
    row.definition = {**row.definition, **given, "address": shown_address(url, command)}
    return await _listed(db, registry, row, secrets)


def _changed(stored: Any, given: Mapping[str, str] | None) -> dict[str, str]:
    kept: dict[str, str] = dict(stored or {})
    return kept if given is None else completed(given, kept)


async def _listed(
    db: AsyncSession, registry: ToolRegistry, row: ToolProvider, secrets: Mapping[str, Any]
) -> ToolProvider:
    server = server_of(row.name, row.definition, secrets)
    try:
        check_server(server)
        declarations = await registry.mcp.declarations(server)
        for declaration in declarations:
            spec_of(declaration, row.name)
    except McpFailed as error:
        raise ToolRefused(str(error)) from error
    row.tools = [msgspec.to_builtins(declaration) for declaration in declarations]
    return await _store(db, registry, row, secrets)


# ---------------------------------------------------------------- workflows


async def add_workflow(
    db: AsyncSession, member: Member, registry: ToolRegistry, data: WorkflowToolCreate
) -> ToolProvider:
    """Make a published workflow a tool of the workspace. Raises `AppError` when it cannot be one."""
    shape = await registry.workflows(db, member, data.app_id)
    row = ToolProvider(workspace_id=member.workspace_id, kind="workflow", created_by=member.account_id)
    row.app_id = data.app_id
    row.name = _tool_name(data.name or shape.name)
    row.label = data.label or shape.name
    row.description = data.description
    row.definition = {"parameters": {name: told.model_dump() for name, told in data.parameters.items()}}
    return await _store(db, registry, row, {})


async def update_workflow(
    db: AsyncSession, member: Member, registry: ToolRegistry, provider_id: UUID, data: WorkflowToolUpdate
) -> ToolProvider:
    """Change what is given. The tool's parameters are the workflow's inputs, always those of its published version."""
    row = await get(db, member, provider_id, "workflow")
    row.name = row.name if data.name is None else _tool_name(data.name)
    row.label = row.label if data.label is None else data.label
    row.description = row.description if data.description is None else data.description
    if data.parameters is not None:
        row.definition = {"parameters": {name: told.model_dump() for name, told in data.parameters.items()}}
    return await _store(db, registry, row, {})


def _tool_name(text: str) -> str:
    """A name that models can call: letters, digits and underscores; other scripts are kept."""
    return re.sub(r"\W+", "_", text.strip()).strip("_")[:100] or "workflow"


# ---------------------------------------------------------------- storing


def _readable(registry: ToolRegistry, row: ToolProvider, *, is_replaced: bool) -> dict[str, Any]:
    """The stored secrets. Unreadable ones are given up only for new ones: the old SECRET_KEY may come back."""
    entry = registry.entry(row)
    if entry.problem and not is_replaced:
        raise ToolRefused(entry.problem)
    return entry.secrets


async def _store(
    db: AsyncSession, registry: ToolRegistry, row: ToolProvider, secrets: Mapping[str, Any]
) -> ToolProvider:
    same = select(ToolProvider.id).where(
        ToolProvider.workspace_id == row.workspace_id, ToolProvider.kind == row.kind, ToolProvider.name == row.name
    )
    with db.no_autoflush:
        taken = [found for found in await db.scalars(same) if found != row.id]
        owned = select(func.count()).select_from(ToolProvider).where(ToolProvider.workspace_id == row.workspace_id)
        count = (await db.scalars(owned)).one()
    if taken:
        raise ToolNameTaken(f"There are tools named {row.name} already. Choose another name.", params="name")
    if count >= MAX_PROVIDERS and row not in db:
        raise ToolRefused(f"A workspace can have {MAX_PROVIDERS} tool providers. Remove one first.")
    row.secrets = registry.seal(row.workspace_id, secrets)
    row.hint = hint_of(secrets)
    db.add(row)
    await db.flush()
    registry.forget(row.workspace_id)
    return row
