"""Who calls through a key: one statement finds the key, its app and what the app allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, event, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session

from tidemill.domains.api_keys.models import ApiKey
from tidemill.domains.apps.models import App
from tidemill.domains.runs.recorder import Recorder
from tidemill.domains.runs.ticket import AppMode
from tidemill.domains.workspaces.models import Workspace
from tidemill.kit.crypto import digest
from tidemill.kit.db import Database, now
from tidemill.kit.errors import AppError
from tidemill.kit.single_flight import SingleFlight

KEYS = cast(Table, ApiKey.__table__)
KEPT_S = 2.0
TOUCH_S = 60.0
MAX_KEPT = 10_000
_CHANGED = "tidemill.callers_changed"


class Unauthorized(AppError):
    status, code = 401, "unauthorized"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": 'Bearer realm="api"'})


class CallRefused(AppError):
    status, code = 403, "forbidden"


@dataclass(frozen=True)
class Caller:
    """An app, as the holder of one of its keys sees it."""

    key_id: UUID
    key_used_at: datetime | None
    workspace_id: UUID
    app_id: UUID
    mode: AppMode
    name: str
    published_version_id: UUID | None
    is_enabled: bool


_BY_DIGEST = (
    select(
        ApiKey.id.label("key_id"),
        ApiKey.last_used_at,
        App.workspace_id,
        App.id.label("app_id"),
        App.mode,
        App.name,
        App.published_version_id,
        App.api_enabled,
    )
    .join(App, App.id == ApiKey.app_id)
    .where(ApiKey.digest == bindparam("digest"))
)


class Callers:
    """Finds callers by key, and keeps them for a moment.

    Any change of a key or an app that this process commits empties what is kept, whoever made it and however:
    a revoked key is refused by the next request. Changes of other processes are seen after `KEPT_S`.
    """

    def __init__(self, database: Database, recorder: Recorder, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._kept: dict[str, tuple[float, Caller]] = {}
        self._touched: dict[UUID, float] = {}
        self._generation = 0
        self._flight = SingleFlight()

    def watch(self) -> None:
        """Begin to listen to this process's commits."""
        event.listen(Session, "after_flush", _note_flush)
        event.listen(Session, "do_orm_execute", _note_statement)
        event.listen(Session, "after_commit", self._after_commit)

    def unwatch(self) -> None:
        event.remove(Session, "after_flush", _note_flush)
        event.remove(Session, "do_orm_execute", _note_statement)
        event.remove(Session, "after_commit", self._after_commit)

    async def identify(self, authorization: str | None) -> Caller:
        """The caller whose `Authorization` header this is.

        Raises:
            Unauthorized: No header, another scheme, or no such key.
            CallRefused: The app's API is switched off.
        """
        key = digest(_secret(authorization))
        caller = self._known(key)
        if caller is None:
            async with self._flight.turn(key):
                caller = self._known(key) or await self._look_up(key)
        if not caller.is_enabled:
            raise CallRefused("API access of this app is switched off. Switch it on in the app's settings.")
        self._touch(caller)
        return caller

    def _known(self, key: str) -> Caller | None:
        kept = self._kept.get(key)
        return kept[1] if kept is not None and self._clock() < kept[0] else None

    async def _look_up(self, key: str) -> Caller:
        generation = self._generation
        async with self._database.session() as db:
            caller = await _find(db, key)
        # What was read before a change was committed must not be kept after it.
        if generation == self._generation:
            self._keep(key, caller)
        return caller

    def _keep(self, key: str, caller: Caller) -> None:
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[key] = (self._clock() + KEPT_S, caller)

    def _touch(self, caller: Caller) -> None:
        """Note the key's use, at most once a minute."""
        moment = self._clock()
        if moment - self._touched.get(caller.key_id, -TOUCH_S) < TOUCH_S:
            return
        self._touched[caller.key_id] = moment
        if caller.key_used_at is None or (now() - caller.key_used_at).total_seconds() >= TOUCH_S:
            self._recorder.update(caller.key_id, KEYS, (caller.key_id,), {"last_used_at": now()})

    def _after_commit(self, session: Session) -> None:
        if session.info.pop(_CHANGED, False):
            self._generation += 1
            self._kept.clear()


def _note_flush(session: Session, context: object) -> None:
    del context
    if any(isinstance(row, (ApiKey, App)) for rows in (session.new, session.dirty, session.deleted) for row in rows):
        session.info[_CHANGED] = True


def _note_statement(state: ORMExecuteState) -> None:
    if state.is_update or state.is_delete or state.is_insert:
        mapper = state.bind_mapper
        # Deleting what apps and keys belong to deletes them too, so every such statement counts but few are made.
        if mapper is None or mapper.class_ in (ApiKey, App, Workspace):
            state.session.info[_CHANGED] = True


def _secret(authorization: str | None) -> str:
    scheme, _, secret = (authorization or "").strip().partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise Unauthorized("Send the app's key in the header `Authorization: Bearer app-...`.")
    if not secret.startswith("app-"):
        raise Unauthorized("This is not a key of an app. Check the key.")
    return secret


async def _find(db: AsyncSession, key: str) -> Caller:
    found = (await db.execute(_BY_DIGEST, {"digest": key})).first()
    if found is None:
        raise Unauthorized("The key is unknown or was revoked. Check the key.")
    return Caller(
        key_id=found.key_id,
        key_used_at=found.last_used_at,
        workspace_id=found.workspace_id,
        app_id=found.app_id,
        mode=cast(AppMode, found.mode),
        name=found.name,
        published_version_id=found.published_version_id,
        is_enabled=found.api_enabled,
    )
