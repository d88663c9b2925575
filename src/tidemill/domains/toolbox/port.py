"""Tools of workspaces, ready for use: what runs ask through `ports.Tools`.

A workspace's tools and credentials are read together and kept for a few seconds; a change made in this process is
seen at once, one made by another process when they are read again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from tidemill.adapters.mcp import McpClient, McpTool
from tidemill.adapters.mcp_data import McpDeclaration
from tidemill.domains.toolbox.bound import BoundTool, WorkflowTool
from tidemill.domains.toolbox.models import ToolCredential, ToolProvider
from tidemill.domains.toolbox.shelf import Entry, ProviderKind, Shelf
from tidemill.domains.toolbox.workflows import WorkflowApps, WorkflowRuns, WorkflowShape
from tidemill.kit.crypto import SecretUnreadable, Vault
from tidemill.kit.db import Database
from tidemill.kit.errors import AppError
from tidemill.kit.single_flight import SingleFlight
from tidemill.ports import Tool, ToolMissing, ToolRef, ToolSpec
from tidemill.tools import builtin
from tidemill.tools.openapi import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, OpenApiTool
from tidemill.tools.openapi_document import ApiDocument, read_document
from tidemill.tools.openapi_text import DocumentRefused

KEPT_S = 5.0
MAX_DOCUMENTS = 64
THREAD_CHARS = 50_000

PortsOf = Callable[[UUID], Mapping[type, object]]


class ToolRegistry:
    """All workspaces' tools in this process. `of` gives a run its port.

    Args:
        workflows: What a published workflow takes; asked of the domain that stores apps.
        ports: What a tool may use that is tried without a run.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        mcp: McpClient,
        *,
        workflows: WorkflowApps,
        ports: PortsOf,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.vault = vault
        self.mcp = mcp
        self.workflows = workflows
        self.ports = ports
        self._database = database
        self._timeouts_s = (connect_timeout_s, read_timeout_s)
        self._clock = clock
        self._flight = SingleFlight()
        self._shelves: dict[UUID, tuple[float, Shelf]] = {}
        self._documents: OrderedDict[tuple[UUID, float], ApiDocument] = OrderedDict()

    def of(self, workspace_id: UUID, runs: WorkflowRuns | None = None) -> WorkspaceTools:
        """The tools of one workspace, as nodes ask for them. `runs` runs workflows for the caller."""
        return WorkspaceTools(self, workspace_id, runs)

    async def shelf(self, workspace_id: UUID, db: AsyncSession | None = None) -> Shelf:
        """What the workspace has; read with `db`, or in a transaction of its own."""
        if (shelf := self._kept(workspace_id)) is not None:
            return shelf
        if db is not None:
            return self._keep(workspace_id, await self._read(db, workspace_id))
        async with self._flight.turn(workspace_id):
            if (shelf := self._kept(workspace_id)) is not None:
                return shelf
            async with self._database.session() as own:
                return self._keep(workspace_id, await self._read(own, workspace_id))

    def forget(self, workspace_id: UUID) -> None:
        """Read the workspace anew next time: its tools have changed."""
        self._shelves.pop(workspace_id, None)

    async def document(self, workspace_id: UUID, entry: Entry, db: AsyncSession | None = None) -> ApiDocument:
        """The OpenAPI document of an entry, read once per change. Raises `ToolMissing` when it is unreadable."""
        key = (entry.id, entry.changed)
        if (known := self._documents.get(key)) is not None:
            self._documents.move_to_end(key)
            return known
        query = select(ToolProvider.document).where(
            ToolProvider.workspace_id == workspace_id, ToolProvider.id == entry.id
        )
        if db is not None:
            text = await db.scalar(query)
        else:
            async with self._database.session() as own:
                text = await own.scalar(query)
        try:
            document = await read_api(text or "", entry.name, entry.definition)
        except DocumentRefused as error:
            raise ToolMissing(f"The tools of {entry.name} cannot be used: {error}") from error
        self._documents[key] = document
        if len(self._documents) > MAX_DOCUMENTS:
            self._documents.popitem(last=False)
        return document

    async def shape(self, workspace_id: UUID, app_id: UUID) -> WorkflowShape:
        """What a published workflow takes. Raises `AppError`."""
        async with self._database.session() as db:
            return await self.workflows(db, _Scope(workspace_id), app_id)

    def api_tool(self, document: ApiDocument, name: str) -> OpenApiTool | None:
        operation = document.operations.get(name)
        if operation is None:
            return None
        connect_s, read_s = self._timeouts_s
        return OpenApiTool(operation, connect_timeout_s=connect_s, read_timeout_s=read_s)

    def _kept(self, workspace_id: UUID) -> Shelf | None:
        kept = self._shelves.get(workspace_id)
        return kept[1] if kept is not None and self._clock() - kept[0] < KEPT_S else None

    def _keep(self, workspace_id: UUID, shelf: Shelf) -> Shelf:
        self._shelves[workspace_id] = (self._clock(), shelf)
        return shelf

    async def _read(self, db: AsyncSession, workspace_id: UUID) -> Shelf:
        stored = await db.scalars(
            select(ToolProvider).where(ToolProvider.workspace_id == workspace_id).order_by(ToolProvider.id)
        )
        entries = tuple(self.entry(row) for row in stored)
        given = await db.scalars(select(ToolCredential).where(ToolCredential.workspace_id == workspace_id))
        credentials: dict[str, dict[str, str]] = {}
        for row in given:
            # What cannot be read is as good as not there: whoever needs it asks for it.
            with suppress(SecretUnreadable):
                credentials[row.provider] = self.open(workspace_id, row.secrets)
        return Shelf(entries, credentials)

    def entry(self, row: ToolProvider) -> Entry:
        """A stored provider, its secrets readable."""
        secrets, problem = dict[str, Any](), ""
        try:
            secrets = self.open(row.workspace_id, row.secrets)
        except SecretUnreadable as error:
            problem = str(error)
        return Entry(
            id=row.id,
            kind=cast(ProviderKind, row.kind),
            name=row.name,
            label=row.label,
            description=row.description,
            definition=row.definition,
            secrets=secrets,
            hint=row.hint,
            tools=[msgspec.convert(item, McpDeclaration) for item in row.tools],
            app_id=row.app_id,
            changed=row.updated_at.timestamp(),
            problem=problem,
        )

    def seal(self, workspace_id: UUID, secrets: Mapping[str, Any]) -> str:
        """Secrets as they are stored."""
        return self.vault.encrypt(workspace_id, json.dumps(secrets, ensure_ascii=False)) if secrets else ""

    def open(self, workspace_id: UUID, sealed: str) -> dict[str, Any]:
        """The readable secrets of a stored row."""
        return json.loads(self.vault.decrypt(workspace_id, sealed)) if sealed else {}


class WorkspaceTools:
    """Implements `ports.Tools` for one workspace."""

    def __init__(self, registry: ToolRegistry, workspace_id: UUID, runs: WorkflowRuns | None) -> None:
        self._registry = registry
        self._workspace_id = workspace_id
        self._runs = runs

    async def find(self, ref: ToolRef) -> Tool:
        """The tool ready for use, its credentials bound.

        Raises:
            ToolMissing: The workspace has no such tool, or it cannot be used.
        """
        shelf = await self._registry.shelf(self._workspace_id)
        if ref.kind in ("builtin", "plugin"):
            tool = builtin.find(ref.provider, ref.name) or builtin.find(ref.provider_name, ref.name)
            if tool is not None:
                return BoundTool(tool, shelf.credentials.get(tool.provider.name, {}))
        entry = shelf.find(ref)
        if entry is None:
            raise builtin.missing(ref)
        tool = await self.tool(entry, ref.name)
        if tool is None:
            raise ToolMissing(f"The tools of {entry.name} do not include {ref.name}. Choose another one for the node.")
        return tool

    async def tool(self, entry: Entry, name: str) -> Tool | None:
        """A tool of an entry; None when it has none of this name. Raises `ToolMissing`."""
        if entry.problem:
            raise ToolMissing(f"The tools of {entry.name} cannot be used: {entry.problem}")
        match entry.kind:
            case "api":
                document = await self._registry.document(self._workspace_id, entry)
                found = self._registry.api_tool(document, name)
                return None if found is None else BoundTool(found, entry.credentials)
            case "mcp":
                declared = next((item for item in entry.tools if item.name == name), None)
                if declared is None:
                    return None
                return McpTool(self._registry.mcp, entry.server, declared, provider=entry.name)
            case "workflow":
                return await self._workflow(entry)

    async def _workflow(self, entry: Entry) -> Tool:
        if entry.app_id is None:
            raise ToolMissing(f"The workflow of the tool {entry.name} no longer exists. Choose another tool.")
        try:
            shape = await self._registry.shape(self._workspace_id, entry.app_id)
        except AppError as error:
            raise ToolMissing(f"The tool {entry.name} cannot be used: {error.message}") from error
        return WorkflowTool(entry.app_id, workflow_spec(entry, shape), self._runs)


class _Scope(msgspec.Struct, frozen=True):
    """Asks on behalf of a workspace."""

    workspace_id: UUID


async def read_api(text: str, name: str, definition: Mapping[str, Any]) -> ApiDocument:
    """Read a document as the definition says; a long one in a thread. Raises `DocumentRefused`."""

    def read() -> ApiDocument:
        source_url, base_url = str(definition.get("source_url") or ""), str(definition.get("base_url") or "")
        return read_document(text, provider=name, source_url=source_url, base_url=base_url)

    return await asyncio.to_thread(read) if len(text) > THREAD_CHARS else read()


def workflow_spec(entry: Entry, shape: WorkflowShape) -> ToolSpec:
    """The workflow's present inputs, with the descriptions that were given to them as parameters of the tool."""
    told: Mapping[str, Any] = entry.definition.get("parameters") or {}
    parameters = tuple(
        msgspec.structs.replace(
            parameter,
            description=str(told.get(parameter.name, {}).get("description") or parameter.description),
            form="form" if told.get(parameter.name, {}).get("form") == "form" else "llm",
        )
        for parameter in shape.parameters
    )
    return ToolSpec(
        provider=entry.name,
        name=entry.name,
        label=entry.label or entry.name,
        description=entry.description or shape.description,
        parameters=parameters,
    )


def _registry(connection: HTTPConnection) -> ToolRegistry:
    return connection.app.state.tools


Registry = Annotated[ToolRegistry, Depends(_registry)]
