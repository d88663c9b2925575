"""A real `tidemill serve` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.postgres import free_port

PATIENCE_S = 40.0


@dataclass(frozen=True)
class Served:
    """A server that answers, and what it has said so far."""

    url: str
    log: Path

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def json(self, path: str) -> dict[str, object]:
        return json.loads(self.get(path)[1])


@contextmanager
def serving(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> Generator[Served]:
    """Serve the data folder `folder/data` until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "tidemill.cli", "serve", "--port", str(port), *words]
    log = folder / "serve.log"
    served = Served(f"http://127.0.0.1:{port}", log)
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=folder, env={**os.environ, **(environment or {})}
        )
    try:
        while not _answers(served):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() - began < PATIENCE_S, log.read_text()
        yield served
    finally:
        process.terminate()
        process.wait(20)


def _answers(served: Served) -> bool:
    try:
        return served.get("/readyz")[0] == 200 and bool(served.lines)
    except OSError:
        return False
