"""Apps: their drafts and published versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from tidemill import dsl
from tidemill.domains.apps import secrets
from tidemill.domains.apps.errors import AppNotFound, NodeNotFound, NotPublishable, VersionNotFound
from tidemill.domains.apps.models import App, AppVersion
from tidemill.domains.workspaces.permissions import Member, Scoped
from tidemill.engine.errors import GraphInvalid
from tidemill.kit.crypto import Vault
from tidemill.llm.types import ModelRef

DEFAULT_ICON = "🤖"


async def get(db: AsyncSession, scope: Scoped, app_id: UUID, *, with_document: bool = False) -> App:
    """An app of the workspace; `document` is read only when asked for.

    Raises:
        AppNotFound: There is none of this id in the workspace.
    """
    query = select(App).where(App.workspace_id == scope.workspace_id, App.id == app_id)
    # A list may have loaded the row without its document in this same session: it is then read again.
    only_head = query.options(defer(App.document))
    query = query.execution_options(populate_existing=True) if with_document else only_head
    app = (await db.scalars(query)).first()
    if app is None:
        raise AppNotFound("There is no such app in this workspace.")
    return app


async def get_version(db: AsyncSession, scope: Scoped, app_id: UUID, version_id: UUID) -> AppVersion:
    """A published version of an app.

    Raises:
        VersionNotFound: The app has no version of this id.
    """
    query = select(AppVersion).where(
        AppVersion.workspace_id == scope.workspace_id, AppVersion.app_id == app_id, AppVersion.id == version_id
    )
    version = (await db.scalars(query)).first()
    if version is None:
        raise VersionNotFound("The app has no such published version.")
    return version


def environment(vault: Vault, holder: App | AppVersion) -> dict[str, str]:
    """Secret environment variables of a draft or version, readable: what `CompiledApp.pool` is given."""
    return secrets.environment(vault, holder)


async def search(
    db: AsyncSession, scope: Scoped, *, query: str = "", mode: str | None = None, cursor: UUID | None = None, limit: int
) -> tuple[Sequence[App], str | None]:
    """A page of apps, newest first, and the cursor of the next one."""
    statement = select(App).options(defer(App.document)).where(App.workspace_id == scope.workspace_id)
    if words := query.strip():
        statement = statement.where(
            or_(App.name.icontains(words, autoescape=True), App.description.icontains(words, autoescape=True))
        )
    if mode is not None:
        statement = statement.where(App.mode == mode)
    if cursor is not None:
        statement = statement.where(App.id < cursor)
    # Ids are UUIDv7: their order is the order of creation.
    found = (await db.scalars(statement.order_by(App.id.desc()).limit(limit + 1))).all()
    page = found[:limit]
    return page, str(page[-1].id) if len(found) > limit else None


async def update(
    db: AsyncSession,
    scope: Scoped,
    app_id: UUID,
    *,
    name: str | None = None,
    description: str | None = None,
    api_enabled: bool | None = None,
) -> App:
    """Change what is given. Name and description are part of the app file, so they make a new revision."""
    is_described = name is not None or description is not None
    app = await get(db, scope, app_id, with_document=is_described)
    if is_described:
        described = {"name": name, "description": description}
        changes = {key: value for key, value in described.items() if value is not None}
        document = {**app.document, "app": {**app.document.get("app", {}), **changes}}
        _replace(app, dsl.AppFile.from_document(document))
        describe(app, dsl.AppFile.from_document(document), None)
    if api_enabled is not None:
        app.api_enabled = api_enabled
    await db.flush()
    return app


async def delete(db: AsyncSession, scope: Scoped, app_id: UUID) -> None:
    """Delete an app; the database removes what depends on it."""
    app = await get(db, scope, app_id)
    await db.execute(sql_delete(App).where(App.workspace_id == scope.workspace_id, App.id == app.id))


async def draft(db: AsyncSession, scope: Scoped, app_id: UUID) -> tuple[App, dsl.AppFile]:
    """An app with its draft as an app file."""
    app = await get(db, scope, app_id, with_document=True)
    return app, dsl.AppFile.from_document(app.document)


async def graph(db: AsyncSession, scope: Scoped, app_id: UUID) -> dsl.Canvas:
    """Nodes and edges of the draft, as the canvas draws them."""
    _, file = await draft(db, scope, app_id)
    return dsl.canvas(file)


async def rename_node(db: AsyncSession, scope: Scoped, app_id: UUID, node_id: str, title: str) -> App:
    """Give a node of the draft another title.

    Raises:
        NodeNotFound: The draft has no such node.
    """
    app, file = await draft(db, scope, app_id)
    if node_id not in _node_ids(file.document):
        raise NodeNotFound(f"The app has no node {node_id} that can be renamed.")
    _replace(app, dsl.rename_node(file, node_id, title))
    await db.flush()
    return app


async def model_uses(db: AsyncSession, scope: Scoped, app_id: UUID) -> Sequence[dsl.ModelUse]:
    """The models the draft names, node by node."""
    _, file = await draft(db, scope, app_id)
    return dsl.model_uses(file)


async def map_models(db: AsyncSession, scope: Scoped, app_id: UUID, pairs: Sequence[tuple[ModelRef, ModelRef]]) -> App:
    """Replace models in the whole draft."""
    app, file = await draft(db, scope, app_id)
    mapping: dict[tuple[str, str] | str, ModelRef] = {(old.provider, old.name): new for old, new in pairs}
    _replace(app, dsl.map_models(file, mapping))
    await db.flush()
    return app


async def export(db: AsyncSession, scope: Scoped, app_id: UUID, *, vault: Vault | None = None) -> tuple[str, str]:
    """(file name, text) of the draft in the canonical form; with secrets where a vault opens them."""
    app, file = await draft(db, scope, app_id)
    if vault is not None:
        file = dsl.AppFile.from_document(secrets.fill(app.document, secrets.environment(vault, app)))
    return quote(f"{app.name}.yml", safe=""), dsl.write(file, include_secrets=vault is not None)


async def publish(db: AsyncSession, member: Member, app_id: UUID, *, note: str = "") -> AppVersion:
    """Make the draft what callers of the app reach. Without changes the present version stays.

    Raises:
        NotPublishable: The draft's graph cannot run.
    """
    app, file = await draft(db, member, app_id)
    if app.published_version_id is not None and not app.has_unpublished_changes:
        return await get_version(db, member, app_id, app.published_version_id)
    try:
        dsl.compile(file)
    except (dsl.DslInvalid, GraphInvalid) as error:
        raise NotPublishable(f"The app cannot run as it is: {error}") from error
    latest = (await db.scalars(select(func.max(AppVersion.number)).where(AppVersion.app_id == app.id))).one()
    version = AppVersion(
        workspace_id=member.workspace_id,
        app_id=app.id,
        number=(latest or 0) + 1,
        document=app.document,
        secrets=app.secrets,
        note=note,
        created_by=member.account_id,
    )
    db.add(version)
    await db.flush()
    app.published_version_id = version.id
    app.published_revision = app.revision
    await db.flush()
    return version


def describe(app: App, file: dsl.AppFile, name: str | None) -> None:
    """Copy into columns what lists show of an app file."""
    described = file.document.get("app")
    facts: Mapping[str, Any] = described if isinstance(described, dict) else {}
    app.name = (name or file.name or "Untitled")[:255]
    app.description = str(facts.get("description") or "")
    app.icon = str(facts.get("icon") or DEFAULT_ICON)[:255]
    background = facts.get("icon_background")
    app.icon_background = str(background)[:32] if background else None


def refs_of(file: dsl.AppFile) -> list[list[str]]:
    """The distinct (provider, name) pairs a file names, in order."""
    return [list(pair) for pair in dict.fromkeys((use.ref.provider, use.ref.name) for use in dsl.model_uses(file))]


def _replace(app: App, file: dsl.AppFile) -> None:
    if file.document == app.document:
        return
    app.document = file.document
    app.model_refs = refs_of(file)
    app.revision += 1


def _node_ids(document: Mapping[str, Any]) -> set[str]:
    workflow = document.get("workflow")
    nodes = workflow.get("graph", {}).get("nodes", []) if isinstance(workflow, dict) else []
    return {str(node.get("id")) for node in nodes if isinstance(node, dict)}
