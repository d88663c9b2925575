"""One per process: gathers the rows of all runs and commits them together, few and large.

A statement through the asynchronous stack costs many times a raw one, so runs only queue rows here.
Whoever needs durability awaits `settle`; rows nobody waits for are committed a little later.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.dml import Insert, Update

from tidemill.domains.runs.writers import (
    AsyncWriter,
    Batch,
    LeaseLost,
    Row,
    ThreadWriter,
    Writer,
    is_away,
    is_full,
    is_of_one_row,
)
from tidemill.kit.db import Base, Database

# In the order of execution. An "ensure" is an insert of a row that may be there already.
Kind: TypeAlias = Literal["ensure", "insert", "update"]
KINDS: tuple[Kind, ...] = ("ensure", "insert", "update")
Done: TypeAlias = Callable[["JournalFailed | None"], None]

# How long rows gather: with somebody waiting for them, with readers of a stream, and without.
GATHER_S = 0.003
STREAM_S = 0.05
LAZY_S = 0.5
ATTEMPTS = 4
# How long a database that is being restarted is waited for.
PATIENCE_S = 30.0
PAUSE_S = 0.25

_log = logging.getLogger(__name__)


class JournalFailed(Exception):
    """Rows of a run could not be stored. One sentence. `is_passing` when they can be, some time later."""

    def __init__(self, message: str, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing


class _Change:
    """A queued row: an insert, or an update of the row whose primary key is `key`."""

    __slots__ = ("key", "kind", "owner", "table", "values")

    def __init__(self, owner: UUID, table: Table, key: tuple[Any, ...], values: Row, kind: Kind) -> None:
        self.owner = owner
        self.table = table
        self.key = key
        self.values = values
        self.kind: Kind = kind


class Recorder:
    """Queues rows of many owners (runs) and commits them in groups.

    `holder` is the executor in whose name this process writes; once that one's lease is lost, `on_lease_lost` is
    awaited with it, and nothing is written before that has set another `holder`.
    """

    def __init__(self, database: Database) -> None:
        self.writer: Writer = ThreadWriter(database) if database.dialect == "sqlite" else AsyncWriter(database)
        self.holder: UUID | None = None
        self.on_lease_lost: Callable[[UUID], Awaitable[None]] | None = None
        self._order = {table.name: number for number, table in enumerate(Base.metadata.sorted_tables)}
        self._queue: dict[tuple[str, tuple[Any, ...]], _Change] = {}
        self._sources: dict[UUID, tuple[Callable[[], None], Done | None]] = {}
        self._waiters: list[tuple[UUID, asyncio.Future[None]]] = []
        self._go = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        self._is_hurried = False
        self._committed_at = 0.0
        self._is_sqlite = database.dialect == "sqlite"
        self._statements: dict[tuple[str, Kind, tuple[str, ...]], Insert | Update] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="recorder")

    async def close(self) -> None:
        """Commit what is queued and stop."""
        self._is_closing = True
        self._go.set()
        if self._task is not None:
            await self._task
        if self._timer is not None:
            self._timer.cancel()
        await self.writer.close()

    def insert(self, owner: UUID, table: Table, row: Row) -> None:
        """Queue a new row. `row` holds every column without a server default."""
        key = tuple([row[name] for name in _key_names(table)])
        self._queue[table.name, key] = _Change(owner, table, key, row, "insert")
        self._schedule(LAZY_S)

    def ensure(self, owner: UUID, table: Table, row: Row) -> None:
        """Queue a row that need not be new: if one with its unique values is there, that one stays."""
        key = tuple([row[name] for name in _key_names(table)])
        self._queue.setdefault((table.name, key), _Change(owner, table, key, row, "ensure"))
        self._schedule(LAZY_S)

    def update(self, owner: UUID, table: Table, key: tuple[Any, ...], values: Row) -> None:
        """Queue new values of a row; joined to its insert while that is still queued."""
        queued = self._queue.get((table.name, key))
        if queued is not None:
            queued.values = {**queued.values, **values}
        else:
            self._queue[table.name, key] = _Change(owner, table, key, values, "update")
        self._schedule(LAZY_S)

    def announce(self, owner: UUID, flush: Callable[[], None], done: Done | None = None) -> None:
        """Have `flush` called just before the next commit, to queue what the owner holds until then.

        `done` is called after it, with None or with why the owner's rows could not be stored.
        """
        self._sources[owner] = (flush, done)
        self._schedule(LAZY_S)

    def hurry(self) -> None:
        """Somebody reads along: commit soon, though not more often than a reader would notice."""
        if not self._is_hurried:
            self._is_hurried = True
            self._schedule(max(GATHER_S, self._committed_at + STREAM_S - time.monotonic()))

    async def settle(self, owner: UUID) -> None:
        """Return when everything queued so far is durable. Raises `JournalFailed`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((owner, future))
        self._schedule(GATHER_S)
        await future

    def discard(self, owners: frozenset[UUID]) -> None:
        """Forget what is queued for some owners, and fail those who wait for it."""
        self._queue = {key: change for key, change in self._queue.items() if change.owner not in owners}
        for owner in owners:
            self._sources.pop(owner, None)
        self._wake(self._take_waiters(owners), {}, JournalFailed("The run goes on in another process."))

    # ------------------------------------------------------------ when

    def _schedule(self, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        when = loop.time() + delay_s
        if self._timer is not None:
            if self._due_at <= when:
                return
            self._timer.cancel()
        # Kept beside the timer: a loop may answer a time that has come with a handle that does not know it.
        self._due_at = when
        self._timer = loop.call_at(when, self._due)

    def _due(self) -> None:
        self._timer = None
        self._is_hurried = False
        self._go.set()

    async def _run(self) -> None:
        while True:
            await self._go.wait()
            self._go.clear()
            await self._commit()
            self._committed_at = time.monotonic()
            if self._is_closing and not self._queue and not self._sources:
                return
            if self._is_closing:
                self._go.set()

    # ------------------------------------------------------------ what

    async def _commit(self) -> None:
        sources, self._sources = self._sources, {}
        for flush, _ in sources.values():
            flush()
        changes, self._queue = list(self._queue.values()), {}
        waiters, self._waiters = self._waiters, []
        failed: dict[UUID, JournalFailed] = {}
        holder = self.holder
        if changes:
            try:
                failed = await self._write(changes)
            except LeaseLost:
                await self._lose(changes, waiters, holder)
                return
            except Exception as fault:  # noqa: BLE001 - the edge of a job: nothing is written any more once it has ended
                _log.exception("Rows could not be stored.")
                failed = dict.fromkeys((change.owner for change in changes), _failure(fault))
        for owner, (_, done) in sources.items():
            if done is not None:
                done(failed.get(owner))
        self._wake(waiters, failed, None)

    async def _lose(
        self, changes: Sequence[_Change], waiters: list[tuple[UUID, asyncio.Future[None]]], holder: UUID | None
    ) -> None:
        """Give the rows back to the queue: whoever hears of the loss discards those of its runs."""
        newer, self._queue = self._queue, {(change.table.name, change.key): change for change in changes}
        self._queue.update(newer)
        self._waiters = [*waiters, *self._waiters]
        if self.on_lease_lost is not None and holder is not None:
            await self.on_lease_lost(holder)
        self._schedule(GATHER_S)

    def _take_waiters(self, owners: frozenset[UUID]) -> list[tuple[UUID, asyncio.Future[None]]]:
        taken = [waiter for waiter in self._waiters if waiter[0] in owners]
        self._waiters = [waiter for waiter in self._waiters if waiter[0] not in owners]
        return taken

    def _wake(
        self,
        waiters: Sequence[tuple[UUID, asyncio.Future[None]]],
        failed: dict[UUID, JournalFailed],
        general: JournalFailed | None,
    ) -> None:
        for owner, future in waiters:
            if future.done():
                continue
            if (error := failed.get(owner, general)) is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    async def _write(self, changes: Sequence[_Change]) -> dict[UUID, JournalFailed]:
        """Commit all together; when one of them cannot be stored, owner by owner, so that it harms no other."""
        owners = dict.fromkeys(change.owner for change in changes)
        error = await self._attempt(changes)
        if error is None:
            return {}
        if not is_of_one_row(error):
            _log.error("Rows of %d runs could not be stored: %s", len(owners), error)
            return dict.fromkeys(owners, _failure(error))
        failed: dict[UUID, JournalFailed] = {}
        for owner in owners:
            own = [change for change in changes if change.owner == owner]
            if (error := await self._attempt(own)) is not None:
                _log.error("Rows of run %s could not be stored: %s", owner, error)
                failed[owner] = _failure(error)
        return failed

    async def _attempt(self, changes: Sequence[_Change]) -> Exception | None:
        """Write, patiently where waiting can help. Returns why it did not work. Raises `LeaseLost`."""
        batch = self._batch(changes)
        until = time.monotonic() + PATIENCE_S
        attempt = 0
        while True:
            try:
                await self.writer.write(batch, self.holder)
            except (SQLAlchemyError, OSError) as fault:
                attempt += 1
                away = is_away(fault)
                if is_of_one_row(fault) or (time.monotonic() > until if away else attempt == ATTEMPTS):
                    return fault
                if self._is_closing and away:
                    return fault
                await asyncio.sleep(PAUSE_S if away else 0.05 * 2**attempt)
            else:
                return None

    def _batch(self, changes: Sequence[_Change]) -> Batch:
        """Group into one statement per table and set of columns: parents first, inserts before updates."""
        groups: dict[tuple[int, int, tuple[str, ...]], list[_Change]] = {}
        for change in changes:
            key = (KINDS.index(change.kind), self._order[change.table.name], tuple(change.values))
            groups.setdefault(key, []).append(change)
        batch: Batch = []
        for (_, _, columns), group in sorted(groups.items(), key=lambda item: item[0][:2]):
            table: Table = group[0].table
            kind: Kind = group[0].kind
            rows = [_with_key(change) for change in group] if kind == "update" else [row.values for row in group]
            batch.append((self._statement(table, columns, kind), rows))
        return batch

    def _statement(self, table: Table, columns: tuple[str, ...], kind: Kind) -> Insert | Update:
        key = (table.name, kind, columns)
        statement = self._statements.get(key)
        if statement is None:
            statement = self._statements[key] = self._build(table, columns, kind)
        return statement

    def _build(self, table: Table, columns: tuple[str, ...], kind: Kind) -> Insert | Update:
        match kind:
            case "insert":
                return insert(table)
            case "ensure":
                dialect_insert = sqlite.insert if self._is_sqlite else postgresql.insert
                return dialect_insert(table).on_conflict_do_nothing()
            case "update":
                where = [column == bindparam(f"key_{column.name}") for column in table.primary_key]
                return update(table).where(*where).values({name: bindparam(name) for name in columns})


def _failure(error: Exception) -> JournalFailed:
    if is_full(error):
        sentence = "The run could not be saved: the disk of the database is full. Free some space."
        return JournalFailed(sentence, is_passing=True)
    if is_away(error):
        sentence = "The run could not be saved: the database cannot be reached. Check that it runs."
        return JournalFailed(sentence, is_passing=True)
    return JournalFailed(f"The run could not be saved: {type(error).__name__}. The server's log has the details.")


@cache
def _key_names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key)


def _with_key(change: _Change) -> Row:
    names = [f"key_{name}" for name in _key_names(change.table)]
    return {**change.values, **dict(zip(names, change.key, strict=True))}
