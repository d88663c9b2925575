"""A command line in the test's process: real files, a data folder of its own, this test's environment alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.model_server import ModelServer, running_model_server
from tidemill.cli.program import execute

FIXTURES = Path(__file__).parents[1] / "fixtures" / "dsl"
KEPT = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "COVERAGE_PROCESS_START")


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


class CommandLine:
    """Runs commands as a shell would, with the working directory and environment of this test."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, *words: str | Path) -> Outcome:
        self._capture.readouterr()
        code = execute([str(word) for word in words])
        said = self._capture.readouterr()
        return Outcome(code, said.out, said.err)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment that holds nothing of this machine but where programs are."""
    for name in set(os.environ) - set(KEPT):
        if not name.startswith(("PYTEST", "COV_CORE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMILL_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.fixture
def tidemill(environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    del environment
    return CommandLine(tmp_path, capsys)


@pytest.fixture(scope="module")
def model_process() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


@pytest.fixture
def model(model_process: ModelServer, environment: pytest.MonkeyPatch) -> ModelServer:
    """The scripted model server, as the OpenAI of this environment."""
    model_process.reset()
    environment.setenv("OPENAI_API_KEY", "sk-test")
    environment.setenv("OPENAI_BASE_URL", model_process.base_url)
    environment.setenv("OPENAI_MODEL_WINDOW", "8192")
    return model_process
