"""Databases that the administrator named, asked read-only: implements `ports.Databases`.

Every question has a connection of its own, so that nothing one statement sets is there for the next. SQLite is opened
read-only, with a list of what statements may do; PostgreSQL in a read-only transaction of a read-only session. On
PostgreSQL, functions do what the role may do: name a role that can only read.
"""

from __future__ import annotations

import asyncio
import base64
import re
import sqlite3
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

import asyncpg

from tidemill.ports import DatabaseFailed, SqlRows

SETTING: Final = "TIDEMILL_SQL_CONNECTIONS"
TIMEOUT_S: Final = 30.0
MAX_ANSWER_BYTES: Final = 5 * 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,50}")
_ALLOWED: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
_FORBIDDEN_FUNCTIONS: Final = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})


class ConnectionsInvalid(ValueError):
    """The setting holds something that is not NAME=URL."""


def parse_connections(text: str) -> dict[str, str]:
    """Read the setting: NAME=URL, divided by blanks.

    Raises:
        ConnectionsInvalid: An entry is not like that; its URL, which may hold a password, is not shown.
    """
    found: dict[str, str] = {}
    for number, entry in enumerate(text.split(), 1):
        name, equals, url = entry.partition("=")
        scheme = urlsplit(url).scheme.partition("+")[0]
        if not equals or not _NAME.fullmatch(name) or scheme not in ("sqlite", "postgresql", "postgres"):
            raise ConnectionsInvalid(
                f"Entry {number} of {SETTING} is not NAME=URL with a sqlite:/// or postgresql:// address. Correct it."
            )
        found[name] = url
    return found


class NamedDatabases:
    """Implements `ports.Databases` on the connections of the setting `TIDEMILL_SQL_CONNECTIONS`."""

    def __init__(self, connections: str = "", *, timeout_s: float = TIMEOUT_S) -> None:
        self._connections = parse_connections(connections)
        self._timeout_s = timeout_s

    async def query(self, connection: str, statement: str, *, max_rows: int) -> SqlRows:
        """Run one statement that reads.

        Raises:
            DatabaseFailed: No such connection, or the statement is wrong, writes, or takes too long.
        """
        url = self._url(connection)
        if not statement.strip():
            raise DatabaseFailed("There is no SQL statement. Give the tool one.")
        if urlsplit(url).scheme.startswith("sqlite"):
            return await self._sqlite(_path(url), statement, max_rows)
        return await self._postgresql(url, statement, max_rows)

    def _url(self, name: str) -> str:
        if not self._connections:
            raise DatabaseFailed(f"No database is open to queries. An administrator can name some in {SETTING}.")
        if not name and len(self._connections) == 1:
            return next(iter(self._connections.values()))
        if name not in self._connections:
            names = ", ".join(self._connections)
            raise DatabaseFailed(f"There is no database connection {name!r}. Set `connection` to one of: {names}.")
        return self._connections[name]

    async def _sqlite(self, path: str, statement: str, max_rows: int) -> SqlRows:
        try:
            opened = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, check_same_thread=False, timeout=5)
        except sqlite3.Error as error:
            raise DatabaseFailed(f"The database cannot be opened: {error}.") from error
        work = asyncio.ensure_future(asyncio.to_thread(_ask_sqlite, opened, statement, max_rows))
        try:
            done, _ = await asyncio.wait({work}, timeout=self._timeout_s)
            if not done:
                raise self._too_long()
            return work.result()
        finally:
            # The thread has to let go of the connection before it is closed; an interrupted statement ends at once.
            opened.interrupt()
            with suppress(DatabaseFailed, asyncio.CancelledError):
                await asyncio.shield(work)
            opened.close()

    async def _postgresql(self, url: str, statement: str, max_rows: int) -> SqlRows:
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": str(int(self._timeout_s * 1000)),
            "application_name": "tidemill",
        }
        dsn = re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql://", url)
        opened: Any = None
        try:
            async with asyncio.timeout(self._timeout_s + 5):
                opened = await asyncpg.connect(dsn, timeout=10, server_settings=settings)
                async with opened.transaction(readonly=True):
                    prepared = await opened.prepare(statement)
                    cursor = await prepared.cursor()
                    rows = await cursor.fetch(max_rows + 1)
                    columns = tuple(attribute.name for attribute in prepared.get_attributes())
        except asyncpg.ReadOnlySQLTransactionError as error:
            raise DatabaseFailed("The statement writes, and this connection only reads. Use SELECT.") from error
        except (TimeoutError, asyncpg.QueryCanceledError) as error:
            raise self._too_long() from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            raise DatabaseFailed(f"The database refused the statement: {_first_line(error)}.") from error
        finally:
            if opened is not None:
                opened.terminate()
        return _rows(columns, [tuple(row) for row in rows], max_rows)

    def _too_long(self) -> DatabaseFailed:
        return DatabaseFailed(f"The statement takes longer than {self._timeout_s:g} seconds. Ask for less.")


def _path(url: str) -> str:
    """sqlite:////data/shop.db is /data/shop.db, sqlite:///shop.db is relative."""
    return unquote(url.split("://", 1)[1].removeprefix("/"))


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION and second in _FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    del first
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _ask_sqlite(opened: sqlite3.Connection, statement: str, max_rows: int) -> SqlRows:
    try:
        opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ANSWER_BYTES)
        opened.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        opened.execute("PRAGMA query_only=ON")
        opened.set_authorizer(_authorize)
        cursor = opened.execute(statement)
        rows = cursor.fetchmany(max_rows + 1)
    except sqlite3.DatabaseError as error:
        if "not authorized" in str(error) or "prohibited" in str(error) or "readonly" in str(error):
            raise DatabaseFailed(
                "The statement does more than read, and this connection only reads. Use SELECT."
            ) from error
        raise DatabaseFailed(f"The database refused the statement: {_first_line(error)}.") from error
    except (sqlite3.Warning, ValueError) as error:
        raise DatabaseFailed(f"The database refused the statement: {_first_line(error)}.") from error
    columns = tuple(column[0] for column in cursor.description or ())
    return _rows(columns, rows, max_rows)


def _rows(columns: tuple[str, ...], rows: list[tuple[Any, ...]], max_rows: int) -> SqlRows:
    kept: list[tuple[Any, ...]] = []
    size = 0
    for row in rows[:max_rows]:
        values = tuple(_plain(value) for value in row)
        size += sum(len(value) if isinstance(value, str) else 8 for value in values)
        if size > MAX_ANSWER_BYTES:
            return SqlRows(columns=columns, rows=tuple(kept), is_cut=True)
        kept.append(values)
    return SqlRows(columns=columns, rows=tuple(kept), is_cut=len(rows) > max_rows)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta() | UUID():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
