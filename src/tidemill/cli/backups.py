"""Copies of the database: SQLite's online backup, or PostgreSQL's own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tidemill.cli.failure import CommandFailed
from tidemill.kit.settings import Settings
from tidemill.migrations.schema import VERSION_TABLE


def save(settings: Settings, file: Path) -> None:
    """Write a consistent copy of the database to `file`, which must not exist yet."""
    if file.exists():
        raise CommandFailed(f"{file} exists already. Name a new file.")
    if settings.db_type == "postgresql":
        _postgresql(settings, ["pg_dump", "--format=custom", f"--file={file}"])
        return
    if not settings.folder.database.exists():
        raise CommandFailed(f"There is no database in {settings.home} yet. Start Tidemill once, or name --data.")
    try:
        _copy(settings.folder.database, file)
    except (OSError, sqlite3.Error) as error:
        raise CommandFailed(f"The backup cannot be written to {file}: {error}.", exit_code=1) from error


def load(settings: Settings, file: Path) -> str:
    """Put a backup in the database's place; returns a sentence on what became of the old one."""
    if not file.is_file():
        raise CommandFailed(f"{file} is not a file.")
    if settings.db_type == "postgresql":
        _postgresql(settings, ["pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", str(file)])
        return f"Restored {file} into {settings.db_database}."
    _check_is_ours(file)
    target = settings.folder.database
    kept = target.with_suffix(".before-restore.db")
    try:
        if target.exists():
            kept.unlink(missing_ok=True)
            _copy(target, kept)
        _copy(file, target)
    except (OSError, sqlite3.Error) as error:
        raise CommandFailed(
            f"{file} cannot be restored: {error}. Stop the server and try again.", exit_code=1
        ) from error
    return f"Restored {file}. The database before it is kept in {kept}."


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _check_is_ours(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise CommandFailed(f"{file} is not a backup of Tidemill's database: {error}.") from error
    if VERSION_TABLE not in tables:
        raise CommandFailed(f"{file} is not a backup of Tidemill's database.")


def _postgresql(settings: Settings, command: list[str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise CommandFailed(f"{command[0]} is not on PATH. Install PostgreSQL's client programs.")
    place = [f"--host={settings.db_host}", f"--port={settings.db_port}", f"--username={settings.db_username}"]
    environment = {**os.environ, "PGPASSWORD": settings.db_password.get_secret_value()}
    words = [program, *place, f"--dbname={settings.db_database}", *command[1:]]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise CommandFailed(f"{command[0]} failed: {done.stderr.strip()}", exit_code=1)
