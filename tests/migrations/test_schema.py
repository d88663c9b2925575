"""One history for both databases; and what happens to a database that is not ours, or not of this release."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from support.installation import settings_in
from tidemill import migrations
from tidemill.kit.db import Database
from tidemill.kit.faults import StartFault
from tidemill.kit.settings import Settings
from tidemill.main import open_database
from tidemill.migrations import schema
from tidemill.migrations.tables import metadata


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """An empty database."""
    settings.folder.create()
    opened = open_database(settings)
    yield opened
    await opened.close()


async def _run(database: Database, step: Callable[..., Any], *arguments: Any) -> Any:
    async with schema.locked(database) as connection:
        return await connection.run_sync(step, *arguments)


def _differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "include_name": _is_ours}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    del parents
    return not (kind == "table" and name == schema.VERSION_TABLE)


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def test_the_head_written_down_is_the_head_of_the_history():
    history = ScriptDirectory(str(Path(migrations.__file__).parent))

    assert history.get_current_head() == schema.HEAD


async def test_up_down_and_up_again_gives_the_tables_of_the_models(database: Database):
    await _run(database, schema.upgrade)
    first = await _run(database, _differences)
    await _run(database, schema.downgrade, "base")
    left = await _run(database, _tables)
    await _run(database, schema.upgrade)

    assert first == []
    assert left == {schema.VERSION_TABLE}
    assert await _run(database, _differences) == []


async def test_a_new_database_is_made_as_the_history_makes_it(database: Database, settings: Settings):
    await schema.bring_up_to_date(database, settings)

    assert await _run(database, _differences) == []
    assert await schema.is_current(database)


async def test_a_second_start_changes_nothing(database: Database, settings: Settings):
    await schema.bring_up_to_date(database, settings)
    await schema.bring_up_to_date(database, settings)

    assert await schema.is_current(database)


async def test_a_database_brought_down_is_brought_up_again(database: Database, settings: Settings):
    await schema.bring_up_to_date(database, settings)
    await _run(database, schema.downgrade, "base")

    await schema.bring_up_to_date(database, settings)

    assert await schema.is_current(database)


async def test_a_database_of_somebody_else_is_refused_and_left_alone(database: Database, settings: Settings):
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        await connection.execute(text("CREATE TABLE apps (id INTEGER)"))

    with pytest.raises(StartFault) as caught:
        await schema.bring_up_to_date(database, settings)

    assert "not Tidemill's" in str(caught.value)
    assert await _run(database, _tables) == {"alembic_version", "apps"}
    if settings.db_type == "postgresql":
        assert str(caught.value).startswith(f"DB_DATABASE={settings.db_database} (read from the environment)")


async def test_a_database_of_a_newer_release_is_refused(database: Database, settings: Settings):
    await schema.bring_up_to_date(database, settings)
    async with database.engine.begin() as connection:
        await connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))

    with pytest.raises(StartFault, match="newer release"):
        await schema.bring_up_to_date(database, settings)


async def test_a_migration_that_is_switched_off_is_asked_for(tmp_path: Path, database_settings: dict[str, str]):
    settings = settings_in(tmp_path, MIGRATION_ENABLED="false", **database_settings)
    settings.folder.create()
    database = open_database(settings)

    with pytest.raises(StartFault, match="tidemill db upgrade"):
        await schema.bring_up_to_date(database, settings)

    assert await _run(database, _tables) == set()
    await database.close()
