from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import CommandLine
from cli.serving import serving
from tidemill import __version__


def test_a_start_says_where_it_answers_and_little_more(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert server.get("/healthz")[0] == 200
        assert server.lines == [f"Tidemill {__version__} answers at {server.url}/", f"Data: {tmp_path / 'data'}"]


def test_secrets_are_generated_readable_by_their_owner_only(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(tmp_path):
        key = tmp_path / "data" / "secret_key"
        assert key.stat().st_mode & 0o777 == 0o600
        assert len(key.read_text()) >= 32


def test_others_can_reach_it_so_the_first_run_page_asks_for_a_code(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(tmp_path, "--host", "0.0.0.0") as server:
        assert server.json("/console/api/setup")["needs_code"] is True
        assert len(server.lines) == 3
        assert server.lines[2].startswith("The first-run page asks for this code: ")


def test_init_password_takes_the_place_of_the_code(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0", environment={"INIT_PASSWORD": "a-first-password"}) as server:
        assert server.json("/console/api/setup")["needs_code"] is True
        assert len(server.lines) == 2
        assert "a-first-password" not in "".join(server.lines)


def test_several_workers_need_redis(tidemill: CommandLine) -> None:
    told = tidemill("serve", "--workers", "2")

    assert (told.code, told.out) == (2, "")
    assert told.err == "Several processes reach each other through Redis. Set REDIS_HOST, or use one worker.\n"


def test_reload_serves_too(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(tmp_path, "--reload") as server:
        assert server.get("/healthz")[0] == 200


def test_it_stops_when_asked_and_starts_again_on_its_data(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tidemill.cli", "admin", "init", "--email", "ada@example.com", "--password"]
    with serving(tmp_path):
        subprocess.run([*command, "correct horse battery"], check=True, cwd=tmp_path, env=dict(os.environ), timeout=60)

    with serving(tmp_path) as server:
        assert server.json("/console/api/setup")["is_done"] is True
