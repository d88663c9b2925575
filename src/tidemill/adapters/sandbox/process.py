"""One sandbox process: it keeps a fresh interpreter ready, runs one program in it, and makes the next one."""

from __future__ import annotations

import asyncio
import json
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psutil

_HEADER: Final = struct.Struct(">I")
_ENDING_S: Final = 2.0
_GIVEN_UP: Final = frozenset({-signal.SIGABRT, -signal.SIGILL, -5, -signal.SIGSEGV, 128 + 5, 134, 3, 0x80000003})
OUT_OF_MEMORY: Final = "it ran out of memory"
_MAX_FRAME_FACTOR: Final = 8  # a character is at most six bytes of escaped JSON


class ProcessBroken(Exception):
    """The process ended, or does not keep to the protocol. Says what happened."""


class SandboxProcess:
    """A process and its two pipes. It is used by one run at a time, and ended when a run leaves it in doubt."""

    def __init__(self, process: asyncio.subprocess.Process, *, max_frame_bytes: int) -> None:
        assert process.stdin is not None  # noqa: S101 - both were asked for
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._requests = process.stdin
        self._replies = process.stdout
        self._max_frame_bytes = max_frame_bytes
        self._meter = psutil.Process(process.pid)
        self._greeting = asyncio.get_running_loop().create_task(self._await_greeting())
        self._expiry: asyncio.TimerHandle | None = None
        self.runs = 0
        self.is_running = False

    @classmethod
    async def start(
        cls, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, output_chars: int
    ) -> SandboxProcess:
        """Start a process. Raises `ProcessBroken`."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                cwd=folder,
            )
        except OSError as error:
            raise ProcessBroken(f"it could not be started: {error}") from error
        return cls(process, max_frame_bytes=output_chars * _MAX_FRAME_FACTOR + 65536)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    @property
    def is_ready(self) -> bool:
        """Whether an interpreter waits for its program."""
        return self._greeting.done()

    async def until_ready(self, seconds: float) -> None:
        """Wait until an interpreter is there. Raises `ProcessBroken`."""
        await asyncio.wait({self._greeting}, timeout=seconds)
        if not self._greeting.done():
            raise ProcessBroken(f"its interpreter was not ready after {seconds:g} seconds")
        if fault := self._greeting.result():
            raise ProcessBroken(fault)
        if not self.is_alive:
            raise ProcessBroken("it ended")

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Run one program. Raises `ProcessBroken`."""
        self.runs += 1
        self.is_running = True
        body = json.dumps(message).encode()
        try:
            self._requests.write(_HEADER.pack(len(body)) + body)
            await self._requests.drain()
        except ConnectionError as error:
            raise ProcessBroken(await self._ending()) from error
        reply = await self._read()
        self.is_running = False
        if reply.get("id") != message["id"]:
            raise ProcessBroken("it answered what it was not asked")
        self._greeting = asyncio.get_running_loop().create_task(self._await_greeting())
        return reply

    async def _await_greeting(self) -> str:
        """Nothing, or what is wrong with the next interpreter."""
        try:
            reply = await self._read()
        except ProcessBroken as error:
            return str(error)
        return "" if reply.get("ready") is True else str(reply.get("broken", "it answered what it was not asked"))

    async def _read(self) -> dict[str, Any]:
        try:
            (length,) = _HEADER.unpack(await self._replies.readexactly(_HEADER.size))
            if length > self._max_frame_bytes:
                raise ProcessBroken("its answer is too long")
            reply = json.loads(await self._replies.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ProcessBroken(await self._ending()) from error
        except (ValueError, RecursionError) as error:
            raise ProcessBroken("its answer cannot be read") from error
        if not isinstance(reply, dict):
            raise ProcessBroken("its answer cannot be read")
        return reply

    async def _ending(self) -> str:
        try:
            code = await asyncio.wait_for(self._process.wait(), _ENDING_S)
        except TimeoutError:
            return "it closed its pipes"
        # A runtime that is refused memory gives itself up; nobody but the system or a person kills it.
        return OUT_OF_MEMORY if code in _GIVEN_UP else f"it ended with code {code}"

    def resident_bytes(self) -> int:
        try:
            return self._meter.memory_info().rss
        except psutil.Error:
            return 0

    def limit_growth(self, size_bytes: int) -> None:
        """Let the system refuse allocations beyond what there is now and `size_bytes`, where it can.

        Address space that is merely set aside counts too, so this cannot be tight.
        """
        if sys.platform != "linux":
            return
        import resource  # not on Windows

        try:
            data_bytes = _data_bytes(self.pid)
            resource.prlimit(self.pid, resource.RLIMIT_DATA, (data_bytes + size_bytes, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            return

    def expire_after(self, seconds: float, idle: list[SandboxProcess]) -> None:
        """Leave the list of idle processes and end, unless taken before."""

        def expire() -> None:
            idle.remove(self)
            self._requests.close()

        self._expiry = asyncio.get_running_loop().call_later(seconds, expire)

    def rest(self) -> None:
        """Stop waiting for the end."""
        if self._expiry is not None:
            self._expiry.cancel()

    async def end(self) -> None:
        self.rest()
        if self._process.returncode is None:
            self._process.kill()
        self._requests.close()
        await self._process.wait()
        self._greeting.cancel()
        await asyncio.gather(self._greeting, return_exceptions=True)


def _data_bytes(pid: int) -> int:
    """What counts against the system's limit now: reserved address space does, mostly, and is not memory."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no VmData")
