"""`tidemill db`: the database's tables, backup and restore."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy import Connection

from tidemill.cli import backups
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import Data, new_app, read_settings
from tidemill.kit.faults import StartFault
from tidemill.kit.settings import Settings
from tidemill.kit.startup import require_start
from tidemill.main import open_database
from tidemill.migrations import schema

app = new_app(help="Upgrade, downgrade, back up and restore the database.", no_args_is_help=True)

T = TypeVar("T")
File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", show_default=False)]


@app.command()
def upgrade(data: Data = None) -> None:
    """Bring the tables to those of this release."""
    settings = read_settings(data)

    def work(connection: Connection) -> str:
        state = schema.state_of(connection)
        if state == "empty":
            schema.create(connection)
        elif state == "behind":
            schema.upgrade(connection)
        elif state != "current":
            raise CommandFailed(_cannot(settings, state))
        return schema.HEAD

    print(f"The database is at revision {_change(settings, work)}.")


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help='A revision, or "base" for no tables.', show_default=False)],
    data: Data = None,
) -> None:
    """Take the tables back to an earlier release's. What only later tables hold is lost."""
    settings = read_settings(data)

    def work(connection: Connection) -> str:
        state = schema.state_of(connection)
        if state not in ("current", "behind"):
            raise CommandFailed(_cannot(settings, state))
        schema.downgrade(connection, revision)
        return schema.current_revision(connection) or "base"

    print(f"The database is at revision {_change(settings, work)}.")


@app.command()
def current(data: Data = None) -> None:
    """Print the revision of the database, and this release's."""

    def work(connection: Connection) -> str:
        state = schema.state_of(connection)
        found = "none" if state in ("empty", "foreign") else schema.current_revision(connection) or "none"
        return f"{found} ({state}; this release has {schema.HEAD})"

    print(_change(read_settings(data), work))


@app.command()
def backup(file: File, data: Data = None) -> None:
    """Copy the database into a file, also while the server runs. The files folder is not part of it."""
    settings = _ready(read_settings(data))
    backups.save(settings, file)
    print(f"Saved the database to {file}. Keep it with the files folder and SECRET_KEY.")


@app.command()
def restore(file: File, data: Data = None) -> None:
    """Replace the database by a backup. Stop the server first; what was there is kept beside it."""
    settings = _ready(read_settings(data))
    print(backups.load(settings, file))


def _ready(settings: Settings) -> Settings:
    try:
        asyncio.run(require_start(settings, with_port=False))
    except StartFault as fault:
        raise CommandFailed(str(fault)) from fault
    return settings


def _change(settings: Settings, work: Callable[[Connection], T]) -> T:
    """Do `work` alone, in one transaction."""

    async def run() -> T:
        await require_start(settings, with_port=False)
        database = open_database(settings)
        try:
            async with schema.locked(database) as connection:
                return await connection.run_sync(work)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except StartFault as fault:
        raise CommandFailed(str(fault)) from fault


def _cannot(settings: Settings, state: schema.State) -> str:
    where = settings.folder.database if settings.db_type == "sqlite" else settings.db_database
    reason = {
        "empty": "has no tables yet. Run: tidemill db upgrade",
        "foreign": "holds tables that are not Tidemill's, so nothing was changed in it. Name another one.",
        "ahead": "was made by a newer release. Use that release, or restore a backup of this one.",
    }
    return f"The database {where} {reason[state]}"
