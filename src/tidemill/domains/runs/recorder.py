"""One per process: gathers the rows of all runs and commits them together, few and large.

A statement through the asynchronous stack costs many times a raw one, so runs only queue rows here.
Whoever needs durability awaits `settle`; rows nobody waits for are committed a little later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Literal, Protocol, TypeAlias
from uuid import UUID

from sqlalchemy import Engine, Table, bindparam, create_engine, event, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.dml import Insert, Update

from tidemill.kit.db import Base, Database, _configure_sqlite

Row: TypeAlias = dict[str, Any]
Batch: TypeAlias = "list[tuple[Insert | Update, list[Row]]]"

# In the order of execution. An "ensure" is an insert of a row that may be there already.
Kind: TypeAlias = Literal["ensure", "insert", "update"]
KINDS: tuple[Kind, ...] = ("ensure", "insert", "update")

# How long rows gather: with somebody waiting for them, and without.
GATHER_S = 0.003
LAZY_S = 0.5
ATTEMPTS = 4

_log = logging.getLogger(__name__)


class JournalFailed(Exception):
    """Rows of a run could not be stored."""


class _Change:
    """A queued row: an insert, or an update of the row whose primary key is `key`."""

    __slots__ = ("key", "kind", "owner", "table", "values")

    def __init__(self, owner: UUID, table: Table, key: tuple[Any, ...], values: Row, kind: Kind) -> None:
        self.owner = owner
        self.table = table
        self.key = key
        self.values = values
        self.kind: Kind = kind


class Writer(Protocol):
    """Executes a batch in one transaction."""

    async def write(self, batch: Batch) -> None: ...

    async def close(self) -> None: ...


class ThreadWriter:
    """SQLite: one thread with its own connection, one hop per commit instead of one per statement."""

    def __init__(self, database: Database) -> None:
        self.engine: Engine = create_engine(database.url.set(drivername="sqlite"))
        event.listen(self.engine, "connect", _configure_sqlite)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")

    async def write(self, batch: Batch) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._execute, batch)

    def _execute(self, batch: Batch) -> None:
        with self.engine.begin() as connection:
            for statement, rows in batch:
                connection.execute(statement, rows)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown()


class AsyncWriter:
    """PostgreSQL: the database's own pool."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine

    async def write(self, batch: Batch) -> None:
        async with self._engine.begin() as connection:
            for statement, rows in batch:
                await connection.execute(statement, rows)

    async def close(self) -> None:
        return


class Recorder:
    """Queues rows of many owners (runs) and commits them in groups."""

    def __init__(self, database: Database) -> None:
        self.writer: Writer = ThreadWriter(database) if database.dialect == "sqlite" else AsyncWriter(database)
        self._order = {table.name: number for number, table in enumerate(Base.metadata.sorted_tables)}
        self._queue: dict[tuple[str, tuple[Any, ...]], _Change] = {}
        self._sources: dict[UUID, Callable[[], None]] = {}
        self._waiters: list[tuple[UUID, asyncio.Future[None]]] = []
        self._work = asyncio.Event()
        self._urgent = asyncio.Event()
        self._is_sqlite = database.dialect == "sqlite"
        self._statements: dict[tuple[str, Kind, tuple[str, ...]], Insert | Update] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="recorder")

    async def close(self) -> None:
        """Commit what is queued and stop."""
        self._is_closing = True
        self._work.set()
        self._urgent.set()
        if self._task is not None:
            await self._task
        await self.writer.close()

    def insert(self, owner: UUID, table: Table, row: Row) -> None:
        """Queue a new row. `row` holds every column without a server default."""
        key = tuple([row[name] for name in _key_names(table)])
        self._queue[table.name, key] = _Change(owner, table, key, row, "insert")
        self._work.set()

    def ensure(self, owner: UUID, table: Table, row: Row) -> None:
        """Queue a row that need not be new: if one with its unique values is there, that one stays."""
        key = tuple([row[name] for name in _key_names(table)])
        self._queue.setdefault((table.name, key), _Change(owner, table, key, row, "ensure"))
        self._work.set()

    def update(self, owner: UUID, table: Table, key: tuple[Any, ...], values: Row) -> None:
        """Queue new values of a row; joined to its insert while that is still queued."""
        queued = self._queue.get((table.name, key))
        if queued is not None:
            queued.values = {**queued.values, **values}
        else:
            self._queue[table.name, key] = _Change(owner, table, key, values, "update")
        self._work.set()

    def announce(self, owner: UUID, flush: Callable[[], None]) -> None:
        """Have `flush` called just before the next commit, to queue what the owner holds until then."""
        self._sources[owner] = flush
        self._work.set()

    async def settle(self, owner: UUID) -> None:
        """Return when everything queued so far is durable. Raises `JournalFailed`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((owner, future))
        self._work.set()
        self._urgent.set()
        await future

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            if not self._urgent.is_set():
                await self._wait_lazily()
            if not self._is_closing:
                await asyncio.sleep(GATHER_S)
            self._work.clear()
            self._urgent.clear()
            await self._commit()
            if self._is_closing and not self._work.is_set():
                return

    async def _wait_lazily(self) -> None:
        try:
            async with asyncio.timeout(LAZY_S):
                await self._urgent.wait()
        except TimeoutError:
            return

    async def _commit(self) -> None:
        sources, self._sources = self._sources, {}
        for flush in sources.values():
            flush()
        changes, self._queue = list(self._queue.values()), {}
        waiters, self._waiters = self._waiters, []
        failed = await self._write(changes) if changes else {}
        for owner, future in waiters:
            if future.done():
                continue
            if (error := failed.get(owner)) is None:
                future.set_result(None)
            else:
                future.set_exception(JournalFailed(f"The run could not be saved: {type(error).__name__}."))

    async def _write(self, changes: Sequence[_Change]) -> dict[UUID, DBAPIError]:
        """Commit all together; when that fails, owner by owner, so that one cannot harm the others."""
        error = await self._attempt(changes)
        if error is None:
            return {}
        failed: dict[UUID, DBAPIError] = {}
        for owner in dict.fromkeys(change.owner for change in changes):
            own = [change for change in changes if change.owner == owner]
            if (error := await self._attempt(own)) is not None:
                _log.error("Rows of run %s were lost: %s", owner, error)
                failed[owner] = error
        return failed

    async def _attempt(self, changes: Sequence[_Change]) -> DBAPIError | None:
        batch = self._batch(changes)
        error: DBAPIError | None = None
        for attempt in range(ATTEMPTS):
            try:
                await self.writer.write(batch)
            except IntegrityError as fault:
                return fault
            except DBAPIError as fault:
                error = fault
                await asyncio.sleep(0.05 * 2**attempt)
            else:
                return None
        return error

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


@cache
def _key_names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key)


def _with_key(change: _Change) -> Row:
    names = [f"key_{name}" for name in _key_names(change.table)]
    return {**change.values, **dict(zip(names, change.key, strict=True))}
