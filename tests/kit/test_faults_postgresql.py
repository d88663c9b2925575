"""What is wrong with a PostgreSQL at start: each produced for real, each one line with its mend."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from support.installation import settings_in, started
from support.postgres import Server, free_port
from tidemill.kit.faults import StartFault
from tidemill.kit.startup import check_all, require_start


async def _fault(home: Path, environ: dict[str, str]) -> str:
    """The line of a start that fails; `serve` and `doctor` say the same."""
    settings = settings_in(home, **environ)
    with pytest.raises(StartFault) as caught:
        await require_start(settings)
    told = [str(check.fault) for check in await check_all(settings) if check.fault]
    assert told == [str(caught.value)]
    line = str(caught.value)
    assert "\n" not in line
    return line


async def test_a_database_that_does_not_answer(tmp_path: Path, postgres: Server):
    port = str(free_port())

    line = await _fault(tmp_path, postgres.settings("postgres") | {"DB_PORT": port})

    assert line.startswith("DB_HOST=127.0.0.1 (read from the environment): no database answers at 127.0.0.1:" + port)
    assert "DB_TYPE=sqlite" in line


async def test_a_host_that_is_unknown(tmp_path: Path, postgres: Server):
    line = await _fault(tmp_path, postgres.settings("postgres") | {"DB_HOST": "database.invalid"})

    assert line.startswith("DB_HOST=database.invalid (read from the environment): no database answers")


async def test_no_password(tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)

    line = await _fault(tmp_path, postgres.settings("postgres") | {"DB_PASSWORD": ""})

    assert line.startswith("DB_PASSWORD (not set) (read from default): no password was supplied")
    assert line.endswith("Set DB_PASSWORD to the password of postgres.")


async def test_a_wrong_password(tmp_path: Path, postgres: Server):
    (tmp_path / ".env").write_text("DB_PASSWORD=guess\n")
    environ = postgres.settings("postgres")
    del environ["DB_PASSWORD"]

    line = await _fault(tmp_path, environ)

    assert line.startswith(f"DB_PASSWORD=******** (read from {tmp_path / '.env'}): the server refuses postgres")
    assert "guess" not in line


async def test_a_database_that_does_not_exist(tmp_path: Path, postgres: Server):
    line = await _fault(tmp_path, postgres.settings("no_such_database"))

    assert line.startswith("DB_DATABASE=no_such_database (read from the environment): the server at 127.0.0.1")
    assert "createdb no_such_database" in line


async def test_a_database_with_tables_of_another_program(tmp_path: Path, postgres: Server):
    name = f"other_{uuid4().hex}"
    postgres.sql(f"CREATE DATABASE {name}")
    postgres.sql("CREATE TABLE alembic_version (version_num text); CREATE TABLE apps (id int)", database=name)

    with pytest.raises(StartFault) as caught:
        async with started(settings_in(tmp_path, **postgres.settings(name))):
            pass

    line = str(caught.value)
    assert line.startswith(f"DB_DATABASE={name} (read from the environment): this database holds tables")
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=name) == "2"
