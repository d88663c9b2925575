from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cli.conftest import CommandLine
from cli.faults import said_by_both
from support.postgres import free_port

pytestmark = pytest.mark.usefixtures("environment")


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    port = free_port()

    line = said_by_both(tmp_path, {"DB_TYPE": "postgresql", "DB_HOST": "127.0.0.1", "DB_PORT": str(port)})

    assert line.startswith(f"DB_HOST=127.0.0.1 (read from the environment): no database answers at 127.0.0.1:{port}")
    assert "set DB_TYPE=sqlite" in line


def test_a_storage_root_that_is_not_set(tmp_path: Path) -> None:
    line = said_by_both(tmp_path, {"STORAGE_TYPE": "opendal", "OPENDAL_SCHEME": "fs", "OPENDAL_FS_ROOT": ""})

    assert line.startswith("OPENDAL_FS_ROOT (not set) (read from the environment): the storage root is not set.")


def test_a_storage_root_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    root = tmp_path / "file" / "below"

    line = said_by_both(tmp_path, {"OPENDAL_FS_ROOT": str(root)})

    assert line.startswith(f"OPENDAL_FS_ROOT={root} (read from the environment): the storage root cannot be written")


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    home = tmp_path / "file" / "data"

    line = said_by_both(tmp_path, {"TIDEMILL_HOME": str(home)})

    assert line.startswith(f"TIDEMILL_HOME={home} (read from the environment): the data folder cannot be written")


def test_a_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        line = said_by_both(tmp_path, {"TIDEMILL_PORT": str(port)})

    assert line.startswith(f"TIDEMILL_PORT={port} (read from the environment): cannot listen on 127.0.0.1:{port}")
    assert "--port" in line


def test_a_publicly_known_secret_key(tmp_path: Path) -> None:
    known = "sk-9f73s3ljTXVcMT3Blb3ljTqtsKiGHXVcMT3BlbkFJLK7U"
    (tmp_path / ".env").write_text(f"SECRET_KEY={known}\n")

    line = said_by_both(tmp_path, {})

    assert line.startswith(f"SECRET_KEY=******** (read from {tmp_path / '.env'}): is a publicly known key.")
    assert known not in line


def test_a_healthy_installation_has_no_fault(tidemill: CommandLine, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TIDEMILL_PORT", str(free_port()))

    told = tidemill("doctor")

    assert (told.code, told.err) == (0, "")
    assert all(line.startswith("ok    ") for line in told.out.splitlines())
