"""Jinja templates of apps, rendered where they can do no harm.

A template whose output is provably bounded is rendered in this process; every other one in a worker process
with limits of time and memory, which is killed when it goes over them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import psutil

from tidemill.adapters.template_bounds import bounds_of, size_of
from tidemill.adapters.template_engine import RenderFailed, environment, render
from tidemill.adapters.template_worker import HEADER, frame
from tidemill.engine.values import File, Value
from tidemill.ports import TemplateFailed

MAX_DEPTH: Final = 100
_LARGEST_INTEGER: Final = 2**127


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What templates may use.

    `in_process_chars` is the largest proven output rendered without a worker; `input_chars` what a template
    may be given at all. Workers start when they are needed, end after `renders_per_worker` or `idle_s` idle seconds.
    """

    time_s: float = 5.0
    memory_bytes: int = 512 * 1024 * 1024
    in_process_chars: int = 2_000_000
    input_chars: int = 50_000_000
    workers: int = 2
    renders_per_worker: int = 1000
    idle_s: float = 60.0


class SafeTemplates:
    """Implements `ports.Templates`. Close it to end its processes; it belongs to one event loop."""

    def __init__(
        self, limits: Limits | None = None, *, watches_memory: bool = sys.platform != "linux", system_limit: bool = True
    ) -> None:
        """`watches_memory` measures the worker from outside; `system_limit` makes the system refuse it more."""
        self._limits = limits or Limits()
        self._watches_memory = watches_memory
        self._system_limit_bytes = self._limits.memory_bytes if system_limit else 0
        self._environment = environment()
        self._slots = asyncio.Semaphore(self._limits.workers)
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()

    async def render(self, source: str, values: Mapping[str, Value], *, max_chars: int) -> str:
        """Render `source` on copies of the values.

        Raises:
            TemplateFailed: The template is wrong, or went over a limit of time, memory or length.
        """
        copies = {name: _copy(value, 0) for name, value in values.items()}
        text = self._render_here(source, copies, max_chars)
        if text is not None:
            return text
        return await self._render_apart({"source": source, "values": copies, "max_chars": max_chars})

    def render_now(self, source: str, values: Mapping[str, Value], *, max_chars: int) -> str | None:
        """What `render` gives, if the output is proven to be small enough for this process; else None."""
        if bounds_of(source) is None:
            return None
        return self._render_here(source, {name: _copy(value, 0) for name, value in values.items()}, max_chars)

    def _render_here(self, source: str, copies: dict[str, Any], max_chars: int) -> str | None:
        sizes = {name: size_of(value) for name, value in copies.items()}
        if len(source) + sum(sizes.values()) > self._limits.input_chars:
            raise TemplateFailed("The template's inputs are too large. Pass on less text.")
        bounds = bounds_of(source)
        if bounds is None or bounds.most_chars(sizes) > self._limits.in_process_chars:
            return None
        try:
            return render(self._environment, source, copies, max_chars)
        except RenderFailed as error:
            raise TemplateFailed(str(error)) from error

    @property
    def live_workers(self) -> int:
        """How many processes there are now."""
        return len(self._idle) + len(self._busy)

    async def close(self) -> None:
        """End all workers."""
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        self._busy.clear()
        for worker in workers:
            await worker.end()

    async def _render_apart(self, request: dict[str, Any]) -> str:
        message = frame(request)
        async with self._slots:
            try:
                reply = await self._render_once(await self._take(), message)
            except _WorkerReused:
                # It may have died while it was idle, so the template is not to blame yet.
                reply = await self._render_once(await self._start(), message)
        if "error" in reply:
            raise TemplateFailed(reply["error"])
        return reply["text"]

    async def _render_once(self, worker: _Worker, message: bytes) -> dict[str, Any]:
        is_healthy = False
        try:
            reply = await self._watched(worker, message)
            is_healthy = True
        finally:
            self._busy.discard(worker)
            if not is_healthy:
                await worker.end()
        await self._give_back(worker)
        return reply

    async def _take(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.rest():
                self._busy.add(worker)
                return worker
            await worker.end()
        return await self._start()

    async def _start(self) -> _Worker:
        try:
            worker = await _Worker.start(self._system_limit_bytes)
        except OSError as error:
            raise TemplateFailed(f"The process that renders templates could not be started: {error}.") from error
        self._busy.add(worker)
        return worker

    async def _give_back(self, worker: _Worker) -> None:
        if worker.renders >= self._limits.renders_per_worker:
            await worker.end()
            return
        self._idle.append(worker)
        worker.expire_after(self._limits.idle_s, self._idle)

    async def _watched(self, worker: _Worker, request: bytes) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.time_s
        answer = loop.create_task(worker.ask(request))
        try:
            while not answer.done():
                remaining = deadline - loop.time()
                if remaining <= 0:
                    raise TemplateFailed(
                        f"The template takes longer than {self._limits.time_s:g} seconds. Make its loops smaller."
                    )
                await asyncio.wait({answer}, timeout=min(remaining, 0.02) if self._watches_memory else remaining)
                if self._watches_memory and not answer.done() and worker.resident_bytes() > self._limits.memory_bytes:
                    raise self._too_large()
            return answer.result()
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if worker.renders > 1:
                raise _WorkerReused from error
            # An allocation over the limit ends the process.
            raise self._too_large() from error
        finally:
            answer.cancel()

    def _too_large(self) -> TemplateFailed:
        megabytes = self._limits.memory_bytes // (1024 * 1024)
        return TemplateFailed(
            f"The template needs more than {megabytes} MB of memory. Make its loops or its output smaller."
        )


class _WorkerReused(Exception):
    """A process that had rendered before ended without an answer."""


class _Worker:
    """One rendering process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None  # noqa: S101 - both were asked for
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._requests = process.stdin
        self._replies = process.stdout
        self._expiry: asyncio.TimerHandle | None = None
        self.renders = 0

    @classmethod
    async def start(cls, memory_bytes: int) -> _Worker:
        kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
        inherited = {name: os.environ[name] for name in kept if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "tidemill.adapters.template_worker",
            str(memory_bytes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**inherited, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        return cls(process)

    async def ask(self, request: bytes) -> dict[str, Any]:
        self.renders += 1
        self._requests.write(request)
        await self._requests.drain()
        (length,) = HEADER.unpack(await self._replies.readexactly(HEADER.size))
        return json.loads(await self._replies.readexactly(length))

    def resident_bytes(self) -> int:
        try:
            return psutil.Process(self._process.pid).memory_info().rss
        except psutil.Error:
            return 0

    def expire_after(self, seconds: float, idle: list[_Worker]) -> None:
        """Leave the list of idle workers and end, unless taken before."""

        def expire() -> None:
            idle.remove(self)
            self._requests.close()

        self._expiry = asyncio.get_running_loop().call_later(seconds, expire)

    def rest(self) -> bool:
        """Stop waiting for the end; False when the process is gone."""
        if self._expiry is not None:
            self._expiry.cancel()
        return self._process.returncode is None

    async def end(self) -> None:
        self.rest()
        self._requests.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


def _copy(value: Value, depth: int) -> Any:
    """A deep copy of plain data: what a template changes is its own."""
    if depth > MAX_DEPTH:
        raise TemplateFailed(f"A value for the template is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {str(key): _copy(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item, depth + 1) for item in value]
    if isinstance(value, File):
        return value.to_wire()
    if isinstance(value, int) and abs(value) >= _LARGEST_INTEGER:
        # The template machine's integers have 128 bits; a longer one is shown as it is.
        return str(value)
    return value
