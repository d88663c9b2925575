from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from cli.faults import said_by_both
from support.postgres import Server

pytestmark = pytest.mark.usefixtures("environment")


def test_no_password_supplied(postgres: Server, tmp_path: Path) -> None:
    line = said_by_both(tmp_path, {**postgres.settings("postgres"), "DB_PASSWORD": ""})

    assert line.startswith("DB_PASSWORD (not set) (read from default): no password was supplied")
    assert "Set DB_PASSWORD" in line


def test_a_wrong_password(postgres: Server, tmp_path: Path) -> None:
    line = said_by_both(tmp_path, {**postgres.settings("postgres"), "DB_PASSWORD": "not-the-password"})

    assert line.startswith("DB_PASSWORD=******** (read from the environment): the server refuses postgres")
    assert "not-the-password" not in line


def test_a_database_that_does_not_exist(postgres: Server, tmp_path: Path) -> None:
    line = said_by_both(tmp_path, postgres.settings("nowhere"))

    assert line.startswith("DB_DATABASE=nowhere (read from the environment): the server at ")
    assert "createdb nowhere" in line


def test_a_database_of_somebody_else_is_refused_and_left_alone(postgres: Server, tmp_path: Path) -> None:
    name = f"theirs_{uuid4().hex}"
    postgres.sql(f"CREATE DATABASE {name}")
    postgres.sql("CREATE TABLE accounts (id int)", database=name)

    line = said_by_both(tmp_path, postgres.settings(name))

    assert line.startswith(f"DB_DATABASE={name} (read from the environment): this database holds tables")
    tables = postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=name)
    assert tables == "1"
