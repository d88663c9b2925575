"""Apps ready to run: compiled once per version and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID, uuid5

import msgspec

from tidemill.domains.apps import service as apps
from tidemill.domains.apps.errors import VersionNotFound
from tidemill.domains.runs.errors import AppUnavailable, NotPublished, UnknownVersion
from tidemill.domains.runs.models import Run, RunSnapshot
from tidemill.domains.runs.ticket import AppMode
from tidemill.domains.workspaces.permissions import Scoped
from tidemill.dsl import AppFile, CompiledApp, DslInvalid
from tidemill.dsl import compile as compile_app
from tidemill.engine.errors import GraphInvalid
from tidemill.kit.crypto import Vault
from tidemill.kit.db import Database
from tidemill.kit.single_flight import SingleFlight

MAX_KEPT = 256


@dataclass(frozen=True)
class Snapshot:
    """A draft's content, as it is stored with its runs. Equal content has an equal id."""

    id: UUID
    document: dict[str, Any]
    secrets: dict[str, str]


@dataclass(frozen=True)
class Program:
    """One state of an app, ready to run. `workflow_id` is the version, or the app itself for its draft.

    `max_active` is the app's own limit of requests at a time, 0 for none. `snapshot` is there for drafts.
    """

    app_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID | None
    mode: AppMode
    compiled: CompiledApp
    environment: Mapping[str, str]
    max_active: int = 0
    snapshot: Snapshot | None = None


@dataclass(frozen=True)
class _Workspace:
    """On whose behalf a stored run goes on. A `Scoped`."""

    workspace_id: UUID


class Programs:
    """The compiled apps of this process, least recently used dropped first."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._flight = SingleFlight()
        self._kept: OrderedDict[Hashable, Program] = OrderedDict()

    async def published(self, scope: Scoped, app_id: UUID, version_id: UUID | None) -> Program:
        """The published version of an app. Raises `NotPublished`, `UnknownVersion`, `AppUnavailable`."""
        if version_id is None:
            raise NotPublished("The app has not been published. Publish it, then call it again.")
        key = (scope.workspace_id, app_id, version_id)
        if (program := self._find(key)) is not None:
            return program
        async with self._flight.turn(key):
            if (program := self._find(key)) is not None:
                return program
            try:
                async with self._database.session() as db:
                    version = await apps.get_version(db, scope, app_id, version_id)
            except VersionNotFound as error:
                raise UnknownVersion("The app has no such published version.") from error
            environment = apps.environment(self._vault, version)
            program = _program(scope.workspace_id, app_id, version_id, version_id, version.document, environment)
            return self._keep(key, program)

    async def draft(self, scope: Scoped, app_id: UUID) -> Program:
        """The draft of an app, as it is now. Raises `AppNotFound`, `AppUnavailable`."""
        async with self._database.session() as db:
            app = await apps.get(db, scope, app_id)
            key = (scope.workspace_id, app_id, app.revision)
            if (program := self._find(key)) is not None:
                return program
            app = await apps.get(db, scope, app_id, with_document=True)
        environment = apps.environment(self._vault, app)
        snapshot = _snapshot(app_id, app.document, app.secrets)
        return self._keep(key, _program(scope.workspace_id, app_id, app_id, None, app.document, environment, snapshot))

    async def of_run(self, run: Run) -> Program:
        """What a stored run runs: its version, or the draft as it was when the run began.

        Raises `UnknownVersion`, `AppUnavailable`, `SecretUnreadable`.
        """
        scope = _Workspace(run.workspace_id)
        if run.version_id is not None:
            return await self.published(scope, run.app_id, run.version_id)
        if run.snapshot_id is None:
            raise UnknownVersion("The draft that this run began with was not kept.")
        key = (scope.workspace_id, run.app_id, "snapshot", run.snapshot_id)
        if (program := self._find(key)) is not None:
            return program
        async with self._database.session() as db:
            stored = await db.get(RunSnapshot, run.snapshot_id)
        if stored is None or stored.workspace_id != scope.workspace_id:
            raise UnknownVersion("The draft that this run began with is no longer kept.")
        environment = {name: self._vault.decrypt(scope.workspace_id, token) for name, token in stored.secrets.items()}
        snapshot = Snapshot(stored.id, stored.document, stored.secrets)
        return self._keep(
            key,
            _program(scope.workspace_id, run.app_id, run.app_id, None, stored.document, environment, snapshot),
        )

    def _find(self, key: Hashable) -> Program | None:
        program = self._kept.get(key)
        if program is not None:
            self._kept.move_to_end(key)
        return program

    def _keep(self, key: Hashable, program: Program) -> Program:
        self._kept[key] = program
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return program


def _program(
    workspace_id: UUID,
    app_id: UUID,
    workflow_id: UUID,
    version_id: UUID | None,
    document: dict[str, Any],
    environment: Mapping[str, str],
    snapshot: Snapshot | None = None,
) -> Program:
    try:
        app = AppFile.from_document(document)
        compiled = compile_app(app)
    except (DslInvalid, GraphInvalid) as error:
        raise AppUnavailable(f"The app cannot run: {error}") from error
    return Program(
        app_id=app_id,
        workspace_id=workspace_id,
        workflow_id=workflow_id,
        version_id=version_id,
        mode=cast(AppMode, compiled.mode),
        compiled=compiled,
        environment=environment,
        max_active=app.max_active_requests,
        snapshot=snapshot,
    )


def _snapshot(app_id: UUID, document: dict[str, Any], secrets: dict[str, str]) -> Snapshot:
    content = msgspec.json.encode([document, secrets], order="sorted")
    return Snapshot(uuid5(app_id, content.decode(errors="replace")), document, secrets)
