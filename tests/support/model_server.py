"""The scripted model server as a process of its own: real sockets, both wires, answers chosen by model name.

`bench/mock_llm.py` documents the names. Import the fixtures where they are needed:

    from support.model_server import ModelServer, model_server, model_server_process
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "mock_llm.py"


class SeenRequest(msgspec.Struct, frozen=True):
    """A request the server took. Header names are lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ModelServer(msgspec.Struct, frozen=True):
    """A running server. `base_url` ends in /v1; `origin` does not."""

    origin: str

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def requests(self, last: int = 500) -> list[SeenRequest]:
        """The model requests since the last reset, oldest first."""
        data = self._call(f"/_mock/requests?n={last}")
        return msgspec.convert(data["requests"], list[SeenRequest])

    def stats(self) -> dict[str, Any]:
        """Counters: requests, streams, chunks, errors, disconnects (answers the client left), open connections."""
        return self._call("/_mock/stats")

    def reset(self) -> None:
        """Forget requests, counters and scripts."""
        self._call("/_mock/reset", {})

    def script(self, *rules: dict[str, Any]) -> None:
        """Answer by rules, e.g. `{"match": "weather", "reply": "Sunny"}`; the first that fits wins."""
        self._call("/_mock/script", {"rules": list(rules)})

    def wait_for_disconnects(self, count: int = 1, *, within_s: float = 2.0) -> float:
        """Seconds until `count` clients have left their answers; fails after `within_s`.

        It blocks: call it with `asyncio.to_thread` where the client lives in the same event loop.
        """
        began = time.perf_counter()
        while self.stats()["disconnects"] < count:
            assert time.perf_counter() - began < within_s, f"no {count} disconnects within {within_s} s"
        return time.perf_counter() - began

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.origin + path, data=data), timeout=10) as response:
            return json.load(response)


@contextmanager
def running_model_server() -> Generator[ModelServer]:
    """Start the server on a free port and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("mock_llm pid="), line
        yield ModelServer(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()  # pyright: ignore[reportOptionalMemberAccess]


@pytest.fixture(scope="session")
def model_server_process() -> Iterator[ModelServer]:
    """One server for the whole session."""
    with running_model_server() as server:
        yield server


@pytest.fixture
def model_server(model_server_process: ModelServer) -> ModelServer:
    """The server, with requests, counters and scripts of earlier tests forgotten."""
    model_server_process.reset()
    return model_server_process
