"""Import of app files. Reads and checks; executes nothing; stores nothing unless the file is good."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill import dsl
from tidemill.domains.apps import secrets
from tidemill.domains.apps.errors import ImportNotFound, InvalidFile, ModeMismatch
from tidemill.domains.apps.models import App, AppImport
from tidemill.domains.apps.service import describe, get, refs_of
from tidemill.domains.model_providers.service import UsableModels
from tidemill.domains.toolbox.service import UsableTools
from tidemill.domains.workspaces.permissions import Member
from tidemill.kit.crypto import Vault
from tidemill.kit.db import now

CONFIRM_WITHIN = timedelta(minutes=10)
THREAD_CHARS = 100_000


@dataclass(frozen=True)
class Outcome:
    """What an import did. `pending` is set instead of `app` when the file waits for a confirmation."""

    file: dsl.AppFile
    report: dsl.Report
    app: App | None = None
    pending: AppImport | None = None
    is_update: bool = False


async def start(
    db: AsyncSession,
    member: Member,
    content: str | bytes,
    *,
    vault: Vault,
    available: UsableModels,
    tools: UsableTools,
    name: str | None = None,
    app_id: UUID | None = None,
    reuse: bool = False,
) -> Outcome:
    """Import an app file, as a new app or as the new draft of an existing one.

    Args:
        app_id: The app whose draft the file replaces.
        reuse: Replace the draft of the app of the same name and mode, if there is one.

    Raises:
        InvalidFile: The file cannot be read or its graph cannot run; the sentence names line or node.
        AppNotFound: `app_id` is not in the workspace.
        ModeMismatch: The file is of another mode than that app.
    """
    file, report = await examine(content, available, tools)
    if app_id is None and reuse:
        app_id = await _find_same(db, member, file, name)
    if app_id is not None:
        await _check_target(db, member, app_id, file)
    if file.import_status == "pending":
        pending = await _park(db, member, vault, file, name=name, app_id=app_id)
        return Outcome(file, report, pending=pending)
    app = await _store(db, member, vault, file, name=name, app_id=app_id)
    return Outcome(file, report, app=app, is_update=app_id is not None)


async def confirm(
    db: AsyncSession, member: Member, import_id: UUID, *, vault: Vault, available: UsableModels, tools: UsableTools
) -> Outcome:
    """Import the file that waits under this id, unchanged.

    Raises:
        ImportNotFound: It was confirmed already, or ten minutes have passed.
    """
    query = select(AppImport).where(AppImport.workspace_id == member.workspace_id, AppImport.id == import_id)
    pending = (await db.scalars(query)).first()
    if pending is None or pending.expires_at < now():
        raise ImportNotFound("No import waits under this id. Files wait for ten minutes: import the file again.")
    values = secrets.environment(vault, pending)
    file = dsl.AppFile.from_document(secrets.fill(pending.document, values))
    app = await _store(db, member, vault, file, name=pending.name or None, app_id=pending.app_id)
    await db.delete(pending)
    await db.flush()
    report = dsl.check(file, models=available.has, tools=tools.lacks)
    return Outcome(file, report, app=app, is_update=pending.app_id is not None)


async def examine(content: str | bytes, available: UsableModels, tools: UsableTools) -> tuple[dsl.AppFile, dsl.Report]:
    """Read and check a file without storing anything. Raises `InvalidFile`."""
    try:
        if len(content) > THREAD_CHARS:
            file = await asyncio.to_thread(dsl.read, content)
        else:
            file = dsl.read(content)
    except dsl.DslInvalid as error:
        raise InvalidFile(str(error)) from error
    if file.kind != "app":
        raise InvalidFile("This file is a knowledge pipeline, not an app. Export an app instead.")
    report = dsl.check(file, models=available.has, tools=tools.lacks)
    if report.errors:
        raise InvalidFile(" ".join(problem.message for problem in report.errors[:5]))
    return file, report


async def _find_same(db: AsyncSession, member: Member, file: dsl.AppFile, name: str | None) -> UUID | None:
    query = select(App.id).where(
        App.workspace_id == member.workspace_id, App.mode == file.mode, App.name == (name or file.name)
    )
    return (await db.scalars(query.order_by(App.created_at).limit(1))).first()


async def _check_target(db: AsyncSession, member: Member, app_id: UUID, file: dsl.AppFile) -> None:
    app = await get(db, member, app_id)
    if app.mode != file.mode:
        raise ModeMismatch(f"The app is of mode {app.mode} and the file of mode {file.mode}. Import it as a new app.")


async def _park(
    db: AsyncSession, member: Member, vault: Vault, file: dsl.AppFile, *, name: str | None, app_id: UUID | None
) -> AppImport:
    await db.execute(
        delete(AppImport).where(AppImport.workspace_id == member.workspace_id, AppImport.expires_at < now())
    )
    document, sealed = secrets.seal(vault, member.workspace_id, file.document)
    pending = AppImport(
        workspace_id=member.workspace_id,
        document=document,
        secrets=sealed,
        name=name or "",
        app_id=app_id,
        created_by=member.account_id,
        expires_at=now() + CONFIRM_WITHIN,
    )
    db.add(pending)
    await db.flush()
    return pending


async def _store(
    db: AsyncSession, member: Member, vault: Vault, file: dsl.AppFile, *, name: str | None, app_id: UUID | None
) -> App:
    document, sealed = secrets.seal(vault, member.workspace_id, file.document)
    if app_id is None:
        app = App(workspace_id=member.workspace_id, created_by=member.account_id, secrets=sealed, revision=1)
        db.add(app)
    else:
        app = await get(db, member, app_id, with_document=True)
        sealed = secrets.keep(document, sealed, app.secrets)
        if app.document == document and secrets.environment(vault, app) == {
            key: vault.decrypt(member.workspace_id, token) for key, token in sealed.items()
        }:
            return app
        app.revision += 1
        app.secrets = sealed
    app.mode = file.mode
    app.document = document
    app.model_refs = refs_of(file)
    describe(app, file, name)
    await db.flush()
    return app
