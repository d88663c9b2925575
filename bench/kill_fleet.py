"""Servers that are killed: two processes on one database, a scripted model, and a counter of side effects."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from service_bench import free_ports

HERE = Path(__file__).parent
# Of a machine that does much else: a server starts in two seconds of CPU.
PATIENCE_S = 300.0


@dataclass
class Process:
    """One `tidemill serve`. Its output goes to a file that is added to."""

    port: int
    data: Path
    log: Path
    environment: Mapping[str, str]
    popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "tidemill", "serve", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **self.environment})

    def kill(self) -> float:
        """Kill -9; returns the moment."""
        assert self.popen is not None
        moment = time.time()
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()
        return moment

    def end(self) -> None:
        if self.popen is not None and self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()

    async def ready(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while not await asyncio.to_thread(self.answers):
            assert self.popen is not None
            if self.popen.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"The server does not start: {self.log.read_text()[-2000:]}")
            await asyncio.sleep(0.05)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as response:
                return response.status == 200
        except OSError:
            return False


@dataclass
class Effect:
    """One side effect of a run: requests that came in, their distinct idempotency keys, when each was under way."""

    place: str
    raw: int
    keys: list[str]
    times: list[tuple[float, float]]


@dataclass
class Fleet:
    """Everything a killed run needs. Use as a context manager."""

    folder: Path
    database: Mapping[str, str] = field(default_factory=dict[str, str])
    effect_ms: float = 100.0
    size: int = 2
    processes: list[Process] = field(default_factory=list[Process])
    helpers: list[subprocess.Popen[bytes]] = field(default_factory=list["subprocess.Popen[bytes]"])
    model_url: str = ""
    effects_url: str = ""

    def __enter__(self) -> Fleet:
        model, effects, *ports = free_ports(2 + self.size)
        self.model_url, self.effects_url = f"http://127.0.0.1:{model}", f"http://127.0.0.1:{effects}"
        self._help("mock_llm.py", "--port", str(model))
        self._help("counting_server.py", "--port", str(effects), "--delay-ms", str(self.effect_ms))
        environment = {"TIDEMILL_EGRESS_ALLOW": f"127.0.0.1:{effects}", **self.database}
        for number, port in enumerate(ports):
            log = self.folder / f"server{number}.log"
            self.processes.append(Process(port, self.folder / "data", log, environment))
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.end()
        for helper in self.helpers:
            helper.kill()
            helper.wait()

    def _help(self, script: str, *words: str) -> None:
        command = [sys.executable, str(HERE / script), *words]
        self.helpers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def counts(self) -> dict[str, list[Effect]]:
        """The side effects of each run."""
        with urllib.request.urlopen(f"{self.effects_url}/counts", timeout=30) as response:
            found: dict[str, list[Effect]] = {}
            for run, place, raw, keys, times in json.load(response):
                found.setdefault(run, []).append(Effect(place, raw, keys, times))
        return found


@dataclass
class Seen:
    """What one client has seen of a run, over all its connections: event number to its bytes, in order."""

    frames: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    run_id: str = ""
    task_id: str = ""
    is_over: bool = False
    began: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def last_id(self) -> int:
        return self.frames[-1][0] if self.frames else 0

    async def read(self, response: aiohttp.ClientResponse) -> None:
        """Read numbered frames until the stream ends or breaks."""
        pending: list[bytes] = []
        number = 0
        async for line in response.content:
            if line.startswith(b"id: "):
                number = int(line[4:])
            elif line.startswith(b"data: "):
                pending.append(line)
                self._note(json.loads(line[6:]))
            elif line == b"\n" and number:
                self.frames.append((number, b"".join(pending)))
                pending, number = [], 0
                if self.run_id:
                    self.began.set()

    def _note(self, event: dict[str, Any]) -> None:
        self.run_id = event.get("workflow_run_id") or self.run_id
        self.task_id = event.get("task_id") or self.task_id
        self.is_over = self.is_over or event["event"] == "workflow_finished"


class Client:
    """Starts runs and follows them, from one server to the next when it has to."""

    def __init__(self, http: aiohttp.ClientSession, key: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}", "Last-Event-ID": "0"}

    async def start(self, url: str, seen: Seen) -> None:
        """Send a message and read what comes, as long as it does."""
        body = {
            "inputs": {},
            "query": "hello 0",
            "user": "ada",
            "response_mode": "streaming",
            "auto_generate_name": False,
        }
        try:
            async with self._http.post(f"{url}/v1/chat-messages", json=body, headers=self._headers) as response:
                if response.status == 200:
                    await seen.read(response)
        except (aiohttp.ClientError, OSError):
            return

    async def follow(self, urls: list[str], seen: Seen, *, within_s: float = PATIENCE_S) -> None:
        """Attach again, wherever somebody answers, until the run is over. Raises `TimeoutError`."""
        until = time.monotonic() + within_s
        while not seen.is_over:
            for url in urls:
                await self._attach(url, seen, until - time.monotonic())
                if seen.is_over:
                    return
            if time.monotonic() > until:
                raise TimeoutError(f"The run {seen.run_id} does not end.")
            await asyncio.sleep(0.05)

    async def whole(self, url: str, run_id: str) -> list[tuple[int, bytes]]:
        """The whole story of a run that is over, as a new client is told it."""
        seen = Seen(run_id=run_id)
        await self._attach(url, seen, PATIENCE_S)
        return seen.frames

    async def _attach(self, url: str, seen: Seen, within_s: float) -> None:
        headers = {**self._headers, "Last-Event-ID": str(seen.last_id)}
        timeout = aiohttp.ClientTimeout(total=max(0.1, within_s))
        address = f"{url}/v1/workflow/{seen.run_id}/events?user=ada"
        try:
            async with self._http.get(address, headers=headers, timeout=timeout) as response:
                if response.status == 200:
                    await seen.read(response)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return
