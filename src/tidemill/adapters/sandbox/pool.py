"""A bounded number of sandbox processes of one language, started when needed and ended when idle."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

from tidemill.adapters.sandbox.limits import MEGABYTE, Limits
from tidemill.adapters.sandbox.process import OUT_OF_MEMORY, ProcessBroken, SandboxProcess
from tidemill.ports import CodeFailed

_WATCH_S: Final = 0.05
# What an interpreter takes beside the program's own memory, and what the answers of past runs may still hold.
_OVERHEAD_BYTES: Final = 256 * MEGABYTE
_LARGEST_AT_REST_BYTES: Final = 640 * MEGABYTE


class ProcessPool:
    """Runs programs in processes. Belongs to one event loop.

    Args:
        start: Starts a process. Raises `ProcessBroken` or `CodeFailed`.
        growth_bytes: What the system lets a process grow by during a run, where it can do that; 0 sets no limit.
    """

    def __init__(
        self,
        limits: Limits,
        start: Callable[[], Awaitable[SandboxProcess]],
        *,
        growth_bytes: int = 0,
    ) -> None:
        self._limits = limits
        self._start_one = start
        self._growth_bytes = growth_bytes
        self._slots = asyncio.Semaphore(limits.processes)
        self._idle: list[SandboxProcess] = []
        self._busy: set[SandboxProcess] = set()
        self._spares: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes there are now."""
        return tuple(process.pid for process in (*self._idle, *self._busy))

    @property
    def busy(self) -> int:
        """How many of them run a program now."""
        return sum(process.is_running for process in self._busy)

    async def run(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer of a fresh interpreter to one program. Raises `CodeFailed` when it goes over a limit."""
        async with self._slots:
            process = await self._take()
            is_healthy = False
            try:
                reply = await self._watched(process, message)
                is_healthy = "broken" not in reply
            except ProcessBroken as error:
                if str(error) == OUT_OF_MEMORY:
                    raise too_much_memory(self._limits) from error
                raise CodeFailed(f"The process that ran the code broke off: {error}.") from error
            finally:
                self._busy.discard(process)
                if not is_healthy:
                    await process.end()
            await self._give_back(process)
            return reply

    async def close(self) -> None:
        """End all processes."""
        self._is_closed = True
        for task in self._spares:
            task.cancel()
        await asyncio.gather(*self._spares, return_exceptions=True)
        processes = [*self._idle, *self._busy]
        self._idle.clear()
        self._busy.clear()
        for process in processes:
            await process.end()

    async def _take(self) -> SandboxProcess:
        while True:
            process = await self._pick()
            self._busy.add(process)
            try:
                await process.until_ready(self._limits.start_s)
            except ProcessBroken as error:
                was_used = process.runs > 0
                await self._drop(process)
                if was_used:
                    continue  # It died while it was idle: the program is not to blame.
                raise CodeFailed(f"The process that runs code does not start: {error}.") from error
            except BaseException:
                await self._drop(process)
                raise
            return process

    async def _pick(self) -> SandboxProcess:
        for process in self._idle:
            if process.is_ready:
                self._idle.remove(process)
                process.rest()
                return process
        if not self._idle:
            return await self._start()
        # All are still making their next interpreter: one more lets runs take turns.
        if len(self._idle) + len(self._busy) + len(self._spares) < self._limits.processes:
            task = asyncio.get_running_loop().create_task(self._add_spare())
            self._spares.add(task)
            task.add_done_callback(self._spares.discard)
        process = self._idle.pop(0)
        process.rest()
        return process

    async def _start(self) -> SandboxProcess:
        try:
            return await self._start_one()
        except ProcessBroken as error:
            raise CodeFailed(f"The process that runs code does not start: {error}.") from error

    async def _add_spare(self) -> None:
        # Whoever needs it will meet the same fault, and tell it.
        with contextlib.suppress(CodeFailed):
            self._rest(await self._start())

    async def _drop(self, process: SandboxProcess) -> None:
        self._busy.discard(process)
        await process.end()

    async def _give_back(self, process: SandboxProcess) -> None:
        is_spent = process.runs >= self._limits.runs_per_process
        if is_spent or self._is_closed or process.resident_bytes() > _LARGEST_AT_REST_BYTES:
            await process.end()
        else:
            self._rest(process)

    def _rest(self, process: SandboxProcess) -> None:
        self._idle.append(process)
        process.expire_after(self._limits.idle_s, self._idle)

    async def _watched(self, process: SandboxProcess, message: dict[str, Any]) -> dict[str, Any]:
        limits = self._limits
        loop = asyncio.get_running_loop()
        most_bytes = process.resident_bytes() + limits.memory_bytes + _OVERHEAD_BYTES
        if self._growth_bytes:
            process.limit_growth(self._growth_bytes)
        deadline = loop.time() + limits.time_s
        answer = loop.create_task(process.ask(message))
        try:
            while not answer.done():
                remaining = deadline - loop.time()
                if remaining <= 0:
                    raise CodeFailed(
                        f"The code takes longer than {limits.time_s:g} seconds. Make it do less, "
                        "or raise SANDBOX_WORKER_TIMEOUT."
                    )
                await asyncio.wait({answer}, timeout=min(remaining, _WATCH_S))
                if not answer.done() and process.resident_bytes() > most_bytes:
                    raise too_much_memory(limits)
            return answer.result()
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)


def too_much_memory(limits: Limits) -> CodeFailed:
    return CodeFailed(
        f"The code needs more than {limits.memory_bytes // MEGABYTE} MB of memory. Make its data smaller, "
        "or raise TIDEMILL_SANDBOX_MEMORY."
    )
