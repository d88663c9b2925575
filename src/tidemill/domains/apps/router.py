"""The console's routes of apps: list, import, change, publish."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse

from tidemill import dsl
from tidemill.domains.apps import gallery, imports, service, shapes
from tidemill.domains.apps.available import Available, AvailableTools
from tidemill.domains.apps.parameters import parameters
from tidemill.domains.apps.schemas import (
    AppImportCreate,
    AppPage,
    AppRead,
    AppUpdate,
    GraphRead,
    ImportResult,
    Mode,
    ModelMappings,
    ModelUseRead,
    NodeUpdate,
    Parameters,
    PublishCreate,
    TemplateRead,
    TemplateUse,
    VersionRead,
)
from tidemill.domains.workspaces.permissions import Editor, Viewer
from tidemill.kit.db import Db
from tidemill.kit.state import CurrentSettings, CurrentVault

router = APIRouter(tags=["apps"])


@router.get("/templates")
async def list_templates(member: Viewer) -> list[TemplateRead]:
    """The built-in templates."""
    return gallery.templates()


@router.post("/templates/{slug}/use", status_code=201)
async def use_template(
    slug: str,
    body: TemplateUse,
    member: Editor,
    available: Available,
    tools: AvailableTools,
    vault: CurrentVault,
    db: Db,
) -> ImportResult:
    """Make an app from a template."""
    content = gallery.content(slug, body.language)
    outcome = await imports.start(db, member, content, name=body.name, vault=vault, available=available, tools=tools)
    return shapes.import_result(outcome, available)


@router.get("/apps")
async def list_apps(
    member: Viewer,
    available: Available,
    db: Db,
    query: Annotated[str, Query(max_length=255)] = "",
    mode: Mode | None = None,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
) -> AppPage:
    """The workspace's apps, newest first; `query` looks in names and descriptions."""
    apps, next_cursor = await service.search(db, member, query=query, mode=mode, cursor=cursor, limit=limit)
    return AppPage(items=[shapes.app(app, available) for app in apps], next_cursor=next_cursor)


@router.post("/apps/import")
async def import_app(
    body: AppImportCreate, member: Editor, available: Available, tools: AvailableTools, vault: CurrentVault, db: Db
) -> ImportResult:
    """Import an app file. A file of a newer version waits for a confirmation."""
    outcome = await imports.start(
        db, member, body.content, name=body.name, app_id=body.app_id, vault=vault, available=available, tools=tools
    )
    return shapes.import_result(outcome, available)


@router.post("/apps/import/{import_id}/confirm")
async def confirm_import(
    import_id: UUID, member: Editor, available: Available, tools: AvailableTools, vault: CurrentVault, db: Db
) -> ImportResult:
    """Import the file that waits under this id."""
    outcome = await imports.confirm(db, member, import_id, vault=vault, available=available, tools=tools)
    return shapes.import_result(outcome, available)


@router.get("/apps/{app_id}")
async def read_app(app_id: UUID, member: Viewer, available: Available, db: Db) -> AppRead:
    """One app."""
    return shapes.app(await service.get(db, member, app_id), available)


@router.patch("/apps/{app_id}")
async def update_app(app_id: UUID, body: AppUpdate, member: Editor, available: Available, db: Db) -> AppRead:
    """Change an app's name, description, or whether the Service API serves it."""
    app = await service.update(
        db, member, app_id, name=body.name, description=body.description, api_enabled=body.api_enabled
    )
    return shapes.app(app, available)


@router.delete("/apps/{app_id}", status_code=204)
async def delete_app(app_id: UUID, member: Editor, db: Db) -> None:
    """Delete an app with its versions, keys, runs and conversations."""
    await service.delete(db, member, app_id)


@router.get("/apps/{app_id}/graph")
async def read_graph(app_id: UUID, member: Viewer, db: Db) -> GraphRead:
    """The draft as the canvas draws it."""
    return GraphRead.model_validate(await service.graph(db, member, app_id))


@router.patch("/apps/{app_id}/nodes/{node_id}")
async def rename_node(
    app_id: UUID, node_id: str, body: NodeUpdate, member: Editor, available: Available, db: Db
) -> AppRead:
    """Give a node of the draft another title."""
    return shapes.app(await service.rename_node(db, member, app_id, node_id, body.title), available)


@router.get("/apps/{app_id}/models")
async def list_model_uses(app_id: UUID, member: Viewer, available: Available, db: Db) -> list[ModelUseRead]:
    """The models the draft names, node by node."""
    return [shapes.model_use(use, available) for use in await service.model_uses(db, member, app_id)]


@router.put("/apps/{app_id}/models")
async def map_models(app_id: UUID, body: ModelMappings, member: Editor, available: Available, db: Db) -> AppRead:
    """Replace models in the whole draft."""
    pairs = [(shapes.ref(mapping.source), shapes.ref(mapping.target)) for mapping in body.mappings]
    return shapes.app(await service.map_models(db, member, app_id, pairs), available)


@router.get("/apps/{app_id}/parameters")
async def read_parameters(app_id: UUID, member: Viewer, settings: CurrentSettings, db: Db) -> Parameters:
    """The draft's input form and features, as the Service API tells them."""
    _, file = await service.draft(db, member, app_id)
    return parameters(dsl.compile(file), settings)


@router.get("/apps/{app_id}/export", response_class=PlainTextResponse)
async def export_app(
    app_id: UUID, member: Editor, vault: CurrentVault, db: Db, include_secrets: bool = False
) -> Response:
    """The draft as an app file."""
    filename, text = await service.export(db, member, app_id, vault=vault if include_secrets else None)
    return PlainTextResponse(
        text,
        media_type="application/yaml",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{filename}"},
    )


@router.post("/apps/{app_id}/publish")
async def publish_app(app_id: UUID, body: PublishCreate, member: Editor, db: Db) -> VersionRead:
    """Make the draft what callers of the app reach."""
    version = await service.publish(db, member, app_id, note=body.note)
    return VersionRead(version_id=version.id, number=version.number, created_at=version.created_at)
