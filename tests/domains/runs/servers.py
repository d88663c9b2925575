"""Real servers on the database of a test's own installation: killed, stopped, stalled."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from support.postgres import free_port
from support.served import Api, Served


class Server:
    """A `tidemill serve`, stopped by signals. What it says as an error is kept apart."""

    def __init__(self, served: Served, environment: Mapping[str, str], folder: Path, *words: str) -> None:
        self.port = free_port()
        self.errors = folder / f"stderr-{self.port}"
        data = str(served.installation.settings.home)
        command = [sys.executable, "-m", "tidemill.cli", "serve", "--port", str(self.port), "--data", data, *words]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, **environment}
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_up(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert b"answers at" in line, self.errors.read_text()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.send(number)
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)


@contextmanager
def _running(served: Served, environment: Mapping[str, str], folder: Path) -> Generator[Server]:
    server = Server(served, environment, folder)
    try:
        server.wait_until_up()
        yield server
    finally:
        server.process.kill()
        server.process.wait(20)


@asynccontextmanager
async def running(served: Served, environment: Mapping[str, str], folder: Path) -> AsyncGenerator[Server]:
    """A server that answers."""
    starting = _running(served, environment, folder)
    server = await asyncio.to_thread(starting.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)


@dataclass
class Numbered:
    """A stream whose events have numbers, as far as it was read."""

    api: Api
    response: aiohttp.ClientResponse
    ids: list[int] = field(default_factory=list[int])
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def run_id(self) -> str:
        return next(event["workflow_run_id"] for event in self.seen if event.get("workflow_run_id"))

    @property
    def task_id(self) -> str:
        return self.seen[0]["task_id"]

    async def until(self, name: str) -> dict[str, Any]:
        """Read up to and with the next event of this name."""
        while True:
            line = await self.response.content.readline()
            assert line, f"The stream ended without {name}: {[event['event'] for event in self.seen]}"
            if (event := self._take(line)) is not None and event["event"] == name:
                return event

    async def rest(self) -> list[str]:
        """Read to the end, however the stream ends, and return the names of all events seen."""
        with contextlib.suppress(OSError, aiohttp.ClientPayloadError):
            async for line in self.response.content:
                self._take(line)
        return [event["event"] for event in self.seen]

    def _take(self, line: bytes) -> dict[str, Any] | None:
        if line.startswith(b"id: "):
            self.ids.append(int(line[4:]))
        if not line.startswith(b"data: "):
            return None
        event = json.loads(line[6:])
        self.seen.append(event)
        return event


@asynccontextmanager
async def numbered(
    api: Api, url: str, path: str, body: Mapping[str, Any] | None = None, *, after: int = 0, user: str = "ada"
) -> AsyncGenerator[Numbered]:
    """Open a stream with numbers: a new run with a body, a run's events without."""
    headers = {"Authorization": f"Bearer {api.key}", "Last-Event-ID": str(after)}
    full = {"inputs": {}, "user": user, "response_mode": "streaming", "auto_generate_name": False, **(body or {})}
    if body is None:
        opening = api.http.get(f"{url}/v1{path}?user={user}", headers=headers)
    else:
        opening = api.http.post(f"{url}/v1{path}", headers=headers, json=full)
    async with opening as response:
        yield Numbered(api, response)
