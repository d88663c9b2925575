"""How a batch of rows reaches the database: one transaction, refused once this process has lost its lease."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.sql.dml import Insert, Update

from tidemill.domains.runs.models import RunExecutor
from tidemill.kit.db import Database, configure_sqlite

Row: TypeAlias = dict[str, Any]
Batch: TypeAlias = "list[tuple[Insert | Update, list[Row]]]"

# Result codes of SQLite that tell of the disk: full, and a failed read or write.
SQLITE_FULL, SQLITE_IOERR = 13, 10
# "disk_full" and "insufficient_resources" among the states of PostgreSQL.
POSTGRES_FULL = frozenset({"53100", "53000"})
# No connection, or a server that is just starting or stopping.
POSTGRES_AWAY = ("08", "57P")


class LeaseLost(Exception):
    """Other processes hold this one for dead and go on with its runs: it must not write any more."""


class Writer(Protocol):
    """Executes a batch in one transaction, if `holder` still has its lease (None: whoever it is).

    Raises:
        LeaseLost: It has not; nothing was written.
    """

    async def write(self, batch: Batch, holder: UUID | None) -> None: ...

    async def close(self) -> None: ...


class ThreadWriter:
    """SQLite: one thread with its own connection, one hop per commit instead of one per statement."""

    def __init__(self, database: Database) -> None:
        self.engine: Engine = create_engine(database.url.set(drivername="sqlite"))
        event.listen(self.engine, "connect", configure_sqlite)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")

    async def write(self, batch: Batch, holder: UUID | None) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._execute, batch, holder)

    def _execute(self, batch: Batch, holder: UUID | None) -> None:
        with self.engine.begin() as connection:
            for statement, rows in batch:
                connection.execute(statement, rows)
            # Last: from its first write on, this transaction is the only one, so nothing can come between.
            if holder is not None and connection.execute(_LEASE, {"id_1": holder}).first() is None:
                raise LeaseLost

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown()


class AsyncWriter:
    """PostgreSQL: the database's own pool."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine

    async def write(self, batch: Batch, holder: UUID | None) -> None:
        async with self._engine.begin() as connection:
            # First: the row stays locked against whoever would take the lease until this transaction ends.
            if holder is not None and (await connection.execute(_HELD_LEASE, {"id_1": holder})).first() is None:
                raise LeaseLost
            for statement, rows in batch:
                await connection.execute(statement, rows)

    async def close(self) -> None:
        return


_ANY_ID = UUID(int=0)
_LEASE = select(RunExecutor.id).where(RunExecutor.id == _ANY_ID)
_HELD_LEASE = _LEASE.with_for_update(read=True, key_share=True)


def is_away(error: Exception) -> bool:
    """Whether the database cannot be reached at this moment, as when it is being restarted."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = _state_of(error)
    if state is not None:
        return state.startswith(POSTGRES_AWAY)
    if isinstance(error, InterfaceError):
        return True
    return isinstance(error, OSError) and not isinstance(error, DBAPIError)


def is_full(error: Exception) -> bool:
    """Whether there is no room left for what is to be stored."""
    if isinstance(error, OperationalError):
        code = getattr(error.orig, "sqlite_errorcode", None)
        if isinstance(code, int):
            return code & 0xFF in (SQLITE_FULL, SQLITE_IOERR)
    return _state_of(error) in POSTGRES_FULL


def is_of_one_row(error: Exception) -> bool:
    """Whether a row is to blame, and not the database: the others can be stored without it."""
    return isinstance(error, DBAPIError) and not isinstance(error, OperationalError) and not is_away(error)


def _state_of(error: Exception) -> str | None:
    """The SQLSTATE of a PostgreSQL error, however wrapped."""
    orig = error.orig if isinstance(error, DBAPIError) else error
    for candidate in (orig, getattr(orig, "__cause__", None)):
        state = getattr(candidate, "sqlstate", None)
        if isinstance(state, str):
            return state
    return None
