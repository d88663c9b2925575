"""What the domain's results look like on the wire."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.adapters.mcp import spec_of
from tidemill.adapters.mcp_server import McpFailed
from tidemill.domains.toolbox.port import ToolRegistry, workflow_spec
from tidemill.domains.toolbox.schemas import (
    ApiDocumentRead,
    ToolCredentialField,
    ToolParameterRead,
    ToolProviderRead,
    ToolRead,
)
from tidemill.domains.toolbox.shelf import Entry, Shelf
from tidemill.domains.workspaces.permissions import Scoped
from tidemill.kit.errors import AppError
from tidemill.ports import ToolMissing, ToolSpec
from tidemill.tools import builtin
from tidemill.tools.openapi_document import ApiDocument


def builtin_provider(provider: builtin.Provider, shelf: Shelf, hint: str) -> ToolProviderRead:
    is_ready = shelf.is_ready(provider)
    return ToolProviderRead(
        id=provider.name,
        kind="builtin",
        name=provider.name,
        label=provider.label,
        description=provider.description,
        is_usable=is_ready,
        problem="" if is_ready else "It needs credentials.",
        address="",
        auth_type="",
        credential_hint=hint,
        credential_fields=[
            ToolCredentialField(
                name=field.name,
                label=field.label,
                help=field.help,
                is_required=field.is_required,
                is_secret=field.is_secret,
            )
            for field in provider.credential_fields
        ],
        app_id=None,
        tools=[tool(found.spec) for found in provider.tools.values()],
    )


async def added_provider(entry: Entry, scope: Scoped, registry: ToolRegistry, db: AsyncSession) -> ToolProviderRead:
    problem, specs = entry.problem, list[ToolSpec]()
    try:
        specs = await _specs(entry, scope, registry, db)
    except (ToolMissing, McpFailed, AppError) as error:
        problem = str(error)
    return ToolProviderRead(
        id=str(entry.id),
        kind=entry.kind,
        name=entry.name,
        label=entry.label or entry.name,
        description=entry.description,
        is_usable=not problem,
        problem=problem,
        address=str(entry.definition.get("address") or ""),
        auth_type=str(entry.definition.get("auth_type") or ""),
        credential_hint=entry.hint,
        credential_fields=[],
        app_id=entry.app_id,
        tools=[tool(spec) for spec in specs],
    )


async def _specs(entry: Entry, scope: Scoped, registry: ToolRegistry, db: AsyncSession) -> list[ToolSpec]:
    match entry.kind:
        case "api":
            document = await registry.document(scope.workspace_id, entry, db)
            return [operation.spec for operation in document.operations.values()]
        case "mcp":
            return [spec_of(declaration, entry.name) for declaration in entry.tools]
        case "workflow":
            if entry.app_id is None:
                return []
            return [workflow_spec(entry, await registry.workflows(db, scope, entry.app_id))]


def api_document(document: ApiDocument) -> ApiDocumentRead:
    servers: Iterable[str] = dict.fromkeys(operation.server for operation in document.operations.values())
    return ApiDocumentRead(
        title=document.title,
        description=document.description,
        version=document.version,
        servers=list(servers),
        tools=[tool(operation.spec) for operation in document.operations.values()],
    )


def tool(spec: ToolSpec) -> ToolRead:
    return ToolRead(
        name=spec.name,
        label=spec.label,
        description=spec.description,
        parameters=[
            ToolParameterRead(
                name=parameter.name,
                label=parameter.label,
                type=parameter.type,
                description=parameter.description,
                form=parameter.form,
                is_required=parameter.is_required,
                default=parameter.default,
                options=list(parameter.options),
            )
            for parameter in spec.parameters
        ],
    )
