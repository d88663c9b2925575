"""The console's routes of tools."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from tidemill.domains.toolbox import credentials, service, shapes, trial
from tidemill.domains.toolbox.models import ToolProvider
from tidemill.domains.toolbox.port import Registry, ToolRegistry
from tidemill.domains.toolbox.schemas import (
    ApiDocumentRead,
    ApiToolCreate,
    ApiToolUpdate,
    McpToolCreate,
    McpToolUpdate,
    ToolCredentialsWrite,
    ToolProviderRead,
    ToolTest,
    ToolTestResult,
    WorkflowToolCreate,
    WorkflowToolUpdate,
)
from tidemill.domains.workspaces.permissions import Admin, Editor, Member, Viewer
from tidemill.kit.db import Db
from tidemill.tools import builtin

router = APIRouter(prefix="/tools", tags=["tools"])


async def _read(row: ToolProvider, member: Member, registry: ToolRegistry, db: Db) -> ToolProviderRead:
    return await shapes.added_provider(registry.entry(row), member, registry, db)


@router.get("")
async def list_tools(member: Viewer, registry: Registry, db: Db) -> list[ToolProviderRead]:
    """Everything that tool nodes and agents can call: what the workspace added, then what comes with Tidemill."""
    shelf = await registry.shelf(member.workspace_id, db)
    hints = await credentials.hints(db, member)
    added = [await shapes.added_provider(entry, member, registry, db) for entry in shelf.entries]
    own = [shapes.builtin_provider(item, shelf, hints.get(item.name, "")) for item in builtin.providers()]
    return [*added, *own]


@router.post("/api/examine")
async def examine_document(body: ApiToolCreate, member: Admin, registry: Registry) -> ApiDocumentRead:
    """What tools an OpenAPI document gives. Stores nothing."""
    _, document = await service.examine(
        member, registry, document=body.document, url=body.url, base_url=body.base_url, name=body.name
    )
    return shapes.api_document(document)


@router.post("/api", status_code=201)
async def add_api_tool(body: ApiToolCreate, member: Admin, registry: Registry, db: Db) -> ToolProviderRead:
    """Add the operations of an OpenAPI document as tools."""
    return await _read(await service.add_api(db, member, registry, body), member, registry, db)


@router.patch("/api/{provider_id}")
async def update_api_tool(
    provider_id: UUID, body: ApiToolUpdate, member: Admin, registry: Registry, db: Db
) -> ToolProviderRead:
    """Change an OpenAPI tool's document, name, address or authorization."""
    return await _read(await service.update_api(db, member, registry, provider_id, body), member, registry, db)


@router.post("/mcp", status_code=201)
async def add_mcp_tool(body: McpToolCreate, member: Admin, registry: Registry, db: Db) -> ToolProviderRead:
    """Add the tools of an MCP server."""
    return await _read(await service.add_mcp(db, member, registry, body), member, registry, db)


@router.patch("/mcp/{provider_id}")
async def update_mcp_tool(
    provider_id: UUID, body: McpToolUpdate, member: Admin, registry: Registry, db: Db
) -> ToolProviderRead:
    """Change an MCP server, and ask it for its tools again."""
    return await _read(await service.update_mcp(db, member, registry, provider_id, body), member, registry, db)


@router.post("/workflow", status_code=201)
async def add_workflow_tool(body: WorkflowToolCreate, member: Editor, registry: Registry, db: Db) -> ToolProviderRead:
    """Make a published workflow a tool."""
    return await _read(await service.add_workflow(db, member, registry, body), member, registry, db)


@router.patch("/workflow/{provider_id}")
async def update_workflow_tool(
    provider_id: UUID, body: WorkflowToolUpdate, member: Editor, registry: Registry, db: Db
) -> ToolProviderRead:
    """Change what a workflow's tool is called and how it is described."""
    return await _read(await service.update_workflow(db, member, registry, provider_id, body), member, registry, db)


@router.put("/builtin/{provider:path}/credentials", status_code=204)
async def save_tool_credentials(
    provider: str, body: ToolCredentialsWrite, member: Admin, registry: Registry, db: Db
) -> None:
    """Store a built-in provider's credentials, encrypted."""
    await credentials.save(db, member, registry, provider, body.credentials)


@router.delete("/builtin/{provider:path}/credentials", status_code=204)
async def delete_tool_credentials(provider: str, member: Admin, registry: Registry, db: Db) -> None:
    """Forget a built-in provider's credentials."""
    await credentials.delete(db, member, registry, provider)


@router.post("/builtin/{provider:path}/test")
async def test_builtin_tool(provider: str, body: ToolTest, member: Admin, registry: Registry, db: Db) -> ToolTestResult:
    """Call a built-in tool once."""
    return await trial.try_builtin(db, member, registry, provider, body)


@router.post("/{provider_id}/test")
async def test_tool(provider_id: UUID, body: ToolTest, member: Admin, registry: Registry, db: Db) -> ToolTestResult:
    """Call a tool once, or ask an MCP server for its tools."""
    return await trial.try_provider(db, member, registry, provider_id, body)


@router.delete("/{provider_id}", status_code=204)
async def delete_tool(provider_id: UUID, member: Admin, registry: Registry, db: Db) -> None:
    """Remove tools that the workspace added."""
    await service.delete(db, member, registry, provider_id)
