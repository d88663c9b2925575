"""The text of documents: implements `ports.Documents`.

Plain UTF-8 text is read in this process. Everything else is read in a process of its own with limits of time and
memory, one for each document, which is killed when it goes over them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import Final, cast

import msgspec
import psutil

from tidemill.adapters.document_kinds import TEXT, extension_of, kind_of
from tidemill.ports import DocumentFailed, DocumentUnsupported

_INHERITED: Final = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
_LOOK_S: Final = 0.05


class DocumentLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a document may use. `workers` documents are read at a time; others wait."""

    time_s: float = 60.0
    memory_bytes: int = 1024 * 1024 * 1024
    input_bytes: int = 200_000_000
    max_chars: int = 20_000_000
    workers: int = 2


class SafeDocuments:
    """Implements `ports.Documents`. Close it to end its processes; nothing starts before the first document."""

    def __init__(self, limits: DocumentLimits | None = None, *, watches_memory: bool = sys.platform != "linux") -> None:
        """`watches_memory` measures the process from outside, where the system cannot refuse it memory."""
        self._limits = limits or DocumentLimits()
        self._watches_memory = watches_memory
        self._slots = asyncio.Semaphore(self._limits.workers)
        self._running: set[asyncio.subprocess.Process] = set()

    async def text(self, *, filename: str, mime_type: str, data: bytes) -> str:
        """The text of a document, tables as Markdown.

        Raises:
            DocumentUnsupported: Nothing here reads such files.
            DocumentFailed: The document is broken, or reading it went over a limit.
        """
        kind = kind_of(filename, mime_type)
        if kind is None:
            raise DocumentUnsupported(_unsupported(filename, mime_type))
        if len(data) > self._limits.input_bytes:
            megabytes = self._limits.input_bytes // 1_000_000
            raise DocumentFailed(f"{_named(filename)} is larger than {megabytes} MB. Use a smaller document.")
        if kind in TEXT and len(data) <= self._limits.max_chars and b"\x00" not in data:
            with suppress(UnicodeDecodeError):
                return data.decode("utf-8-sig")
        async with self._slots:
            reply = await self._read(kind, filename, data)
        if "error" in reply:
            raise DocumentFailed(f"{_named(filename)}: {reply['error']}")
        return reply["text"]

    @property
    def processes(self) -> list[int]:
        """The processes that read documents now, by their ids."""
        return [process.pid for process in self._running]

    async def close(self) -> None:
        """End all processes."""
        for process in list(self._running):
            await _end(process)

    async def _read(self, kind: str, filename: str, data: bytes) -> dict[str, str]:
        process = await self._start(kind)
        self._running.add(process)
        exchange = asyncio.ensure_future(_exchange(process, data, most_bytes=12 * self._limits.max_chars + 100))
        try:
            await self._wait(process, exchange, filename)
            output = exchange.result()
        finally:
            exchange.cancel()
            self._running.discard(process)
            await _end(process)
        try:
            return cast("dict[str, str]", json.loads(output))
        except ValueError as error:
            # The process ended without an answer: an allocation over the limit ends it.
            raise self._too_large(filename) from error

    async def _start(self, kind: str) -> asyncio.subprocess.Process:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        memory_bytes = 0 if self._watches_memory else self._limits.memory_bytes
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "tidemill.adapters.documents_worker",
                kind,
                str(memory_bytes),
                str(self._limits.max_chars),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**inherited, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        except OSError as error:
            raise DocumentFailed(f"The process that reads documents could not be started: {error}.") from error

    async def _wait(self, process: asyncio.subprocess.Process, exchange: asyncio.Future[bytes], filename: str) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.time_s
        while not exchange.done():
            remaining = deadline - loop.time()
            if remaining <= 0:
                raise DocumentFailed(
                    f"{_named(filename)} takes longer than {self._limits.time_s:g} seconds to read. Use a smaller one."
                )
            await asyncio.wait({exchange}, timeout=min(remaining, _LOOK_S) if self._watches_memory else remaining)
            if self._watches_memory and _resident_bytes(process) > self._limits.memory_bytes:
                raise self._too_large(filename)

    def _too_large(self, filename: str) -> DocumentFailed:
        megabytes = self._limits.memory_bytes // (1024 * 1024)
        return DocumentFailed(
            f"{_named(filename)} needs more than {megabytes} MB of memory to be read, or broke its reader. "
            "Use a smaller document."
        )


async def _exchange(process: asyncio.subprocess.Process, data: bytes, *, most_bytes: int) -> bytes:
    """Hand over the document and take the answer; empty when the process ends without one."""
    assert process.stdin is not None  # noqa: S101 - both were asked for
    assert process.stdout is not None  # noqa: S101
    with suppress(ConnectionError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()
    pieces: list[bytes] = []
    size = 0
    while piece := await process.stdout.read(1 << 20):
        size += len(piece)
        if size > most_bytes:
            return b""
        pieces.append(piece)
    await process.wait()
    return b"".join(pieces)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.wait()


def _resident_bytes(process: asyncio.subprocess.Process) -> int:
    try:
        return psutil.Process(process.pid).memory_info().rss
    except psutil.Error:
        return 0


def _named(filename: str) -> str:
    return f'The document "{filename}"' if filename else "The document"


def _unsupported(filename: str, mime_type: str) -> str:
    extension = extension_of(filename) if "." in filename else ""
    if extension:
        return f"Unsupported Extension Type: .{extension}. Convert the file to text, PDF or an office format first."
    return f"Unsupported MIME Type: {mime_type or 'none'}. Convert the file to text, PDF or an office format first."
