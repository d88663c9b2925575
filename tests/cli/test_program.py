from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import CommandLine
from tidemill import __version__
from tidemill.cli.program import COMMANDS, with_default

HEAVY = ("fastapi", "sqlalchemy", "pydantic", "aiohttp", "uvicorn", "rich", "tidemill.dsl", "tidemill.main")


def test_help_lists_every_command(tidemill: CommandLine) -> None:
    told = tidemill("--help")

    assert told.code == 0
    for name in COMMANDS:
        assert f"  {name} " in told.out


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from tidemill.cli.program import execute; code = execute(['--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr); sys.exit(code)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr.strip()) == (0, "[]")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(tidemill: CommandLine, name: str) -> None:
    told = tidemill(name, "--help")

    assert told.code == 0
    assert told.out.startswith(f"Usage: tidemill {name}")


def test_the_version_is_printed(tidemill: CommandLine) -> None:
    assert tidemill("--version").out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fly"], "No such command 'fly'. See: tidemill --help\n"),
        (["config", "--wings"], "No such option: --wings. See: tidemill config --help\n"),
        (["run"], "Missing argument 'APP.yml'. See: tidemill run --help\n"),
        (["serve", "--port", "high"], "Invalid value for '--port'"),
    ],
)
def test_a_mistyped_command_is_answered_by_one_sentence(tidemill: CommandLine, words: list[str], sentence: str) -> None:
    told = tidemill(*words)

    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(sentence)
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ([], ["serve"]),
        (["--port", "80"], ["serve", "--port", "80"]),
        (["run", "a.yml"], ["run", "a.yml"]),
        (["--help"], ["--help"]),
        (["fly"], ["fly"]),
    ],
)
def test_serve_is_what_is_meant_without_a_command(words: list[str], completed: list[str]) -> None:
    assert with_default(words) == completed


@pytest.mark.parametrize("module", ["tidemill", "tidemill.cli"])
def test_the_package_runs_as_a_module(module: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", module, "--version"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tidemill.cli", "config", "--data", str(tmp_path)]

    with os.fdopen(writer, "wb") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60, cwd=tmp_path)

    assert "Traceback" not in done.stderr
    assert done.returncode == 1
