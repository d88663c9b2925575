"""The database: declarative base, portable column types, and sessions that are one transaction each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy import URL, DateTime, MetaData, QueuePool, Text, Uuid, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator
from starlette.requests import HTTPConnection
from uuid_utils.compat import uuid7

from tidemill.kit.settings import Settings

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BUSY_TIMEOUT_MS = 15_000
GIVE_BACK_S, GIVE_BACK_TURNS = 0.01, 200


def url_of(settings: Settings) -> URL:
    """Where the database of these settings is."""
    if settings.db_type == "sqlite":
        return URL.create("sqlite+aiosqlite", database=str(settings.folder.database))
    password = settings.db_password.get_secret_value() or None
    return URL.create(
        "postgresql+asyncpg",
        settings.db_username,
        password,
        settings.db_host,
        settings.db_port,
        settings.db_database,
    )


def new_id() -> UUID:
    """A fresh UUIDv7: ids sort by the time they were made."""
    return uuid7()


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Stored in UTC, read back aware on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class JsonText(TypeDecorator[Any]):
    """JSON kept as text: key order survives, and both databases return the same."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        del dialect
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """Parent of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), UUID: Uuid()}  # noqa: RUF012 - read by SQLAlchemy as is


class Timestamps:
    """When a row was made and last changed."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Database:
    """One pool of connections. `session()` is one transaction, committed when its block ends well."""

    def __init__(self, url: str | URL, *, pool_size: int = 10, max_overflow: int = 20) -> None:
        self.url = make_url(url)
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_pre_ping=self.url.get_backend_name() != "sqlite",
        )
        if self.dialect == "sqlite":
            event.listen(self.engine.sync_engine, "connect", configure_sqlite)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self.url.get_backend_name()

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[AsyncSession]:
        """A session whose block is one transaction."""
        async with self._sessions() as session, session.begin():
            yield session

    async def close(self) -> None:
        """Return when every connection has been given back, or a moment later, and close them all.

        A task that was cancelled in the middle of a statement has ended before its connection is given back. Were the
        event loop closed first, that would be told as an error.
        """
        pool = self.engine.pool
        for _ in range(GIVE_BACK_TURNS):
            if not isinstance(pool, QueuePool) or not pool.checkedout():
                break
            await asyncio.sleep(GIVE_BACK_S)
        await self.engine.dispose()


def configure_sqlite(connection: DBAPIConnection, record: object) -> None:
    del record
    cursor = connection.cursor()
    # The timeout comes first: switching to WAL itself needs the file's lock.
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def get_session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    """The request's transaction. It commits before the response is sent; a failed commit answers 500."""
    database: Database = connection.app.state.database
    async with database.session() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_session, scope="function")]
