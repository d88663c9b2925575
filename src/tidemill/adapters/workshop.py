"""Heavy or risky work of tools in processes of its own: implements `ports.Workshop`.

The libraries that read pages and write documents are large, and their inputs come from strangers. They are imported
in worker processes only, which have limits of time and memory and are killed when they go over them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec
import psutil

from tidemill.adapters.template_worker import HEADER
from tidemill.adapters.workshop_worker import PACKAGE, frame
from tidemill.ports import ToolFailed, WorkFailed

_INHERITED: Final = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
_LOOK_S: Final = 0.05


class WorkLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a piece of work may use. Workers start when needed and end after `works_per_worker` or `idle_s`."""

    time_s: float = 60.0
    memory_bytes: int = 1024 * 1024 * 1024
    workers: int = 2
    works_per_worker: int = 100
    idle_s: float = 30.0


class SafeWorkshop:
    """Implements `ports.Workshop`. Close it to end its processes; it belongs to one event loop."""

    def __init__(self, limits: WorkLimits | None = None, *, watches_memory: bool = sys.platform != "linux") -> None:
        """`watches_memory` measures the process from outside, where the system cannot refuse it memory."""
        self._limits = limits or WorkLimits()
        self._watches_memory = watches_memory
        self._slots = asyncio.Semaphore(self._limits.workers)
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()

    async def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Call a module-level function of `tidemill.tools` in a worker.

        Raises:
            WorkFailed: It went over a limit, or its process could not be started.
            ToolFailed: The function raised it.
        """
        if not work.__module__.startswith(PACKAGE) or "." in work.__qualname__:
            raise ValueError(f"{work.__module__}.{work.__qualname__} is not a function of the tools")
        request = frame([work.__module__, work.__qualname__, arguments])
        async with self._slots:
            try:
                reply = await self._answer(request)
            except _WorkerReused:
                # It may have died while it was idle, so the work is not to blame yet.
                reply = await self._answer(request, is_fresh=True)
        if "refused" in reply:
            raise ToolFailed(reply["refused"])
        if "error" in reply:
            raise WorkFailed(reply["error"])
        return reply["result"]

    @property
    def processes(self) -> list[int]:
        """The processes there are now, by their ids."""
        return [worker.process.pid for worker in (*self._idle, *self._busy)]

    async def close(self) -> None:
        """End all workers."""
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        self._busy.clear()
        for worker in workers:
            await worker.end()

    async def _answer(self, request: bytes, *, is_fresh: bool = False) -> dict[str, Any]:
        worker = await (self._start() if is_fresh else self._take())
        try:
            reply = await self._watched(worker, request)
        except BaseException:
            # Whatever it was, the worker may be in the middle of something.
            self._busy.discard(worker)
            await worker.end()
            raise
        self._busy.discard(worker)
        if worker.works >= self._limits.works_per_worker:
            await worker.end()
        else:
            self._idle.append(worker)
            worker.expire_after(self._limits.idle_s, self._idle)
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
            worker = await _Worker.start(0 if self._watches_memory else self._limits.memory_bytes)
        except OSError as error:
            raise WorkFailed(f"the process for it could not be started: {error}.") from error
        self._busy.add(worker)
        return worker

    async def _watched(self, worker: _Worker, request: bytes) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.time_s
        answer = loop.create_task(worker.ask(request))
        try:
            while not answer.done():
                remaining = deadline - loop.time()
                if remaining <= 0:
                    raise WorkFailed(f"it takes longer than {self._limits.time_s:g} seconds. Use a smaller input.")
                await asyncio.wait({answer}, timeout=min(remaining, _LOOK_S) if self._watches_memory else remaining)
                if self._watches_memory and not answer.done() and worker.resident_bytes() > self._limits.memory_bytes:
                    raise WorkFailed("it needs too much memory. Use a smaller input.")
            return answer.result()
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if worker.works > 1:
                raise _WorkerReused from error
            raise WorkFailed("its process ended without an answer. Use a smaller or another input.") from error
        finally:
            answer.cancel()


class _WorkerReused(Exception):
    """A process that had worked before ended without an answer."""


class _Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None  # noqa: S101 - both were asked for
        assert process.stdout is not None  # noqa: S101
        self.process = process
        self.works = 0
        self._requests = process.stdin
        self._replies = process.stdout
        self._expiry: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls, memory_bytes: int) -> _Worker:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "tidemill.adapters.workshop_worker",
            str(memory_bytes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**inherited, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        return cls(process)

    async def ask(self, request: bytes) -> dict[str, Any]:
        self.works += 1
        self._requests.write(request)
        await self._requests.drain()
        (length,) = HEADER.unpack(await self._replies.readexactly(HEADER.size))
        return msgspec.msgpack.decode(await self._replies.readexactly(length))

    def resident_bytes(self) -> int:
        try:
            return psutil.Process(self.process.pid).memory_info().rss
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
        return self.process.returncode is None

    async def end(self) -> None:
        self.rest()
        self._requests.close()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
