"""What is wrong with a start that needs no server: each produced for real, each one line with its mend."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from support.installation import settings_in, started
from support.postgres import free_port
from tidemill.kit.faults import StartFault
from tidemill.kit.startup import check_all, require_start


async def _fault(home: Path, **environ: str) -> str:
    with pytest.raises(StartFault) as caught:
        await require_start(settings_in(home, **environ))
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_healthy_installation_has_no_fault(tmp_path: Path):
    checks = await check_all(settings_in(tmp_path, TIDEMILL_PORT="0"))

    assert [check.name for check in checks] == ["data folder", "storage", "database", "port"]
    assert all(check.is_ok for check in checks)


async def test_a_port_that_is_taken(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        line = await _fault(tmp_path, TIDEMILL_PORT=str(port))

    assert line.startswith(f"TIDEMILL_PORT={port} (read from the environment): cannot listen on 127.0.0.1:{port}")
    assert line.endswith("Stop the program that uses the port, or choose another one with --port.")


@pytest.mark.parametrize(
    "environ",
    [{"OPENDAL_SCHEME": "fs"}, {"STORAGE_TYPE": "opendal"}, {"OPENDAL_SCHEME": "fs", "OPENDAL_FS_ROOT": ""}],
    ids=["scheme", "type", "blank"],
)
async def test_a_storage_without_a_root(tmp_path: Path, environ: dict[str, str]):
    line = await _fault(tmp_path, **environ)

    assert line.startswith("OPENDAL_FS_ROOT (not set) (read from the environment): the storage root is not set")


async def test_a_storage_root_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "a-file").write_text("")

    line = await _fault(tmp_path, OPENDAL_FS_ROOT=str(tmp_path / "a-file" / "below"))

    assert line.startswith(f"OPENDAL_FS_ROOT={tmp_path}/a-file/below (read from the environment): the storage root")


async def test_a_data_folder_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "data").write_text("")

    line = await _fault(tmp_path)

    assert line.startswith(f"TIDEMILL_HOME={tmp_path / 'data'} (read from the command line): the data folder")


async def test_a_data_folder_whose_database_is_none(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tidemill.db").write_text("not a database, and long enough to be looked at. " * 30)

    line = await _fault(tmp_path)

    assert "cannot be opened (file is not a database)" in line


async def test_a_data_folder_with_the_database_of_another_program(tmp_path: Path):
    settings = settings_in(tmp_path)
    settings.folder.create()
    other = sqlite3.connect(settings.folder.database)
    other.execute("CREATE TABLE a (b)")
    other.close()

    with pytest.raises(StartFault, match=r"tidemill\.db .* holds tables that are not Tidemill's"):
        async with started(settings):
            pass


@pytest.mark.parametrize("key", ["sk-9f73s3ljTXVcMT3Blb3ljTqtsKiGHXVcMT3BlbkFJLK7U", "changeme", "tooshort"])
def test_a_secret_key_that_everybody_knows(tmp_path: Path, key: str):
    with pytest.raises(StartFault) as caught:
        settings_in(tmp_path, SECRET_KEY=key)

    line = str(caught.value)
    assert line.startswith("SECRET_KEY=******** (read from the environment): is ")
    assert key not in line


def test_a_value_that_is_none_of_the_allowed(tmp_path: Path):
    with pytest.raises(StartFault) as caught:
        settings_in(tmp_path, DB_TYPE="oracle")

    assert str(caught.value).startswith("DB_TYPE=oracle (read from the environment): input should be 'sqlite'")


async def test_an_allow_list_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(StartFault, match=r"TIDEMILL_EGRESS_ALLOW=10\.0\.0\.0/99"):
        async with started(settings_in(tmp_path, TIDEMILL_EGRESS_ALLOW="10.0.0.0/99")):
            pass


async def test_a_redis_that_does_not_answer(tmp_path: Path, database_settings: dict[str, str]):
    port = str(free_port())
    settings = settings_in(tmp_path, REDIS_HOST="127.0.0.1", REDIS_PORT=port, **database_settings)

    with pytest.raises(StartFault) as caught:
        async with started(settings):
            pass

    assert str(caught.value).startswith("REDIS_HOST=127.0.0.1 (read from the environment): Redis does not answer at")
