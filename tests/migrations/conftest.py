"""Migrations begin with a database that is empty."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from support.postgres import Server, new_database


@pytest.fixture
def database_settings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings of an empty database: none for a SQLite file that is not there yet."""
    if os.environ.get("TIDEMILL_TEST_DATABASE", "sqlite") == "sqlite":
        yield {}
        return
    server: Server = request.getfixturevalue("postgres")
    with new_database(server) as name:
        yield server.settings(name)
