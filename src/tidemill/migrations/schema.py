"""Brings a database to the tables of this release, and refuses one that is not ours.

An empty database gets all tables at once and the head revision as its mark; a test holds that to be the same as
running the history. Alembic is imported only when there is a step to run: it costs a start half a second.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from tidemill.kit.db import Database
from tidemill.kit.faults import StartFault
from tidemill.kit.settings import Settings
from tidemill.migrations.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0006"
# Other programs' databases have an `alembic_version`; ours is told from them by the name of this table.
VERSION_TABLE = "tidemill_revision"
LOCK_ID = 7_414_001

_revision = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))

State = Literal["empty", "current", "behind", "ahead", "foreign"]


async def bring_up_to_date(database: Database, settings: Settings) -> None:
    """Create or migrate the tables, as `settings.migration_enabled` allows.

    Raises:
        StartFault: The database holds tables that are not ours, or was made by a newer release, or needs a
            migration that is switched off.
    """
    async with locked(database) as connection:
        await connection.run_sync(_bring_up_to_date, settings)


@asynccontextmanager
async def locked(database: Database) -> AsyncGenerator[AsyncConnection]:
    """A connection that alone changes tables, in one transaction: several processes may start at once."""
    async with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            # Rebuilding a table in batch mode must not cascade into the rows that refer to it.
            await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK_ID})"))
        yield connection
        await connection.commit()
        if database.dialect == "sqlite":
            await connection.exec_driver_sql("PRAGMA foreign_keys=ON")


async def is_current(database: Database) -> bool:
    """Whether the database is marked with this release's revision."""
    try:
        async with database.engine.connect() as connection:
            return await connection.run_sync(current_revision) == HEAD
    except (SQLAlchemyError, OSError):
        return False


def state_of(connection: Connection) -> State:
    """What a database is to this release."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return "empty"
    if VERSION_TABLE not in tables:
        return "foreign"
    revision = current_revision(connection)
    if revision == HEAD:
        return "current"
    if revision is None:
        return "empty" if tables == {VERSION_TABLE} else "foreign"
    return "behind" if revision in _known_revisions() else "ahead"


def current_revision(connection: Connection) -> str | None:
    """The revision a database is marked with."""
    return connection.execute(select(_revision.c.version_num)).scalar()


def upgrade(connection: Connection, target: str = "head") -> None:
    """Run the history up to `target`."""
    from alembic import command

    command.upgrade(_config(connection), target)


def downgrade(connection: Connection, target: str) -> None:
    """Run the history down to `target`, "base" being nothing at all."""
    from alembic import command

    command.downgrade(_config(connection), target)


def fault_of(connection: Connection, settings: Settings) -> StartFault | None:
    """Why this database cannot be used, if it cannot. Changes nothing."""
    state = state_of(connection)
    if state == "current":
        return None
    if state == "foreign":
        return _not_ours(settings)
    if state == "ahead":
        return settings.fault(
            "home" if settings.db_type == "sqlite" else "db_database",
            f"its database was made by a newer release (revision {current_revision(connection)})",
            "Start that release, or restore a backup of this one.",
        )
    if not settings.migration_enabled:
        return settings.fault(
            "migration_enabled",
            "the database needs a migration, which is switched off",
            "Run `tidemill db upgrade`, or remove the setting.",
        )
    return None


def _bring_up_to_date(connection: Connection, settings: Settings) -> None:
    fault = fault_of(connection, settings)
    if fault is not None:
        raise fault
    state = state_of(connection)
    if state == "empty":
        create(connection)
    elif state == "behind":
        upgrade(connection)


def create(connection: Connection) -> None:
    """All tables at once, in a database that has none."""
    metadata.create_all(connection)
    _revision.create(connection, checkfirst=True)
    connection.execute(_revision.insert().values(version_num=HEAD))


def _not_ours(settings: Settings) -> StartFault:
    problem = "this database holds tables that are not Tidemill's, so nothing was changed in it"
    if settings.db_type == "sqlite":
        path = str(settings.folder.database)
        return settings.fault("home", problem, "Choose another data folder.", value=path)
    return settings.fault(
        "db_database", problem, "Create an empty database for Tidemill alone and name it in DB_DATABASE."
    )


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(Path(__file__).parent)).walk_revisions()}


def _config(connection: Connection) -> Config:
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
