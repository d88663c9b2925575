"""The client of `load_sse.py`: a bare asyncio protocol that frames SSE events and times them."""

# pyright: basic
from __future__ import annotations

import asyncio
import time
from typing import cast
from urllib.parse import urlsplit

from load_adapters import Adapter

KEPT_BYTES = 2_000_000


class Run:
    """What one request saw. Times are of `perf_counter`; 0 is never."""

    __slots__ = (
        *("chunks", "done", "error", "events", "first", "first_chunk"),
        *("last_gap", "nbytes", "prev", "status", "t0"),
    )

    def __init__(self, error: str = "") -> None:
        self.t0 = time.perf_counter()
        self.first = self.first_chunk = self.done = 0.0
        self.chunks = self.events = self.nbytes = self.status = 0
        self.error = error
        self.prev = self.last_gap = 0.0


class Client(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection; one request at a time."""

    tr: asyncio.Transport
    run: Run

    def __init__(self, ad: Adapter) -> None:
        self.ad = ad
        self.fut: asyncio.Future[Run] | None = None
        self.closed = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.tr = cast(asyncio.Transport, transport)  # uvloop's is one in all but its base class
        self.closed = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self.fut and not self.fut.done():
            if self.until_close and self.in_body:
                self.finish(True)
            else:
                self.run.error = self.run.error or ("truncated" if self.in_body else "connection lost")
                self.finish(False)

    def start(self, raw: bytes) -> asyncio.Future[Run]:
        self.run = Run()
        self.fut = asyncio.get_running_loop().create_future()
        self.head, self.text, self.wire = b"", b"", b""
        self.in_body = self.until_close = self.chunked = self.sse = False
        self.left = self.need = -1
        self.saw_end = self.saw_bad = False
        self.keep = True
        self.tr.write(raw)
        return self.fut

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if self.fut is None or self.fut.done():
            return
        if not self.in_body:
            data = self.read_head(data)
            if not self.in_body:
                return
            if self.left == 0:
                self.finish(True)
                return
            if not data:
                return
        run = self.run
        if not run.first:
            run.first = now
        if run.prev:
            run.last_gap = max(run.last_gap, now - run.prev)
        run.prev = now
        if self.chunked:
            over, data = self.dechunk(data)
        else:
            over = False
            if self.left >= 0:
                self.left -= len(data)
                over = self.left <= 0
        run.nbytes += len(data)
        self.take(data, now)
        if over:
            self.finish(True)

    def read_head(self, data: bytes) -> bytes:
        """Take the response's head, once it is whole, and return what follows it."""
        self.head += data
        while True:
            e = self.head.find(b"\r\n\r\n")
            if e < 0:
                return b""
            head, rest = self.head[:e].lower(), self.head[e + 4 :]
            self.run.status = int(head[9:12])
            if self.run.status != 100:
                break
            self.head = rest
        self.in_body = True
        self.chunked = b"transfer-encoding: chunked" in head
        self.sse = b"event-stream" in head or (b"stream" in head and self.ad.stream)
        self.keep = b"connection: close" not in head
        p = head.find(b"\r\ncontent-length:")
        if p >= 0:
            e = head.find(b"\r\n", p + 2)
            self.left = int(head[p + 17 : e if e > 0 else len(head)])
        self.until_close = not self.chunked and self.left < 0
        return rest

    def dechunk(self, data: bytes) -> tuple[bool, bytes]:
        """Undo the chunked encoding: whether the body is over, and the bytes it holds."""
        if self.wire:
            data, self.wire = self.wire + data, b""
        out: list[bytes] = []
        pos, n = 0, len(data)
        while pos < n:
            if self.need >= 0:  # inside a chunk: need bytes, then CRLF
                if n - pos >= self.need + 2:
                    out.append(data[pos : pos + self.need])
                    pos += self.need + 2
                    self.need = -1
                    continue
                if n - pos < self.need:
                    out.append(data[pos:])
                    self.need -= n - pos
                    return False, b"".join(out)
                self.wire = data[pos:]
                return False, b"".join(out)
            e = data.find(b"\r\n", pos)
            if e < 0:
                self.wire = data[pos:]
                break
            size = int(data[pos:e].split(b";")[0], 16)
            if size == 0:
                if data.find(b"\r\n", e + 2) < 0:
                    self.wire = data[pos:]
                    break
                return True, b"".join(out)
            self.need = size
            pos = e + 2
        return False, b"".join(out)

    def take(self, data: bytes, now: float) -> None:
        ad, run = self.ad, self.run
        if not (self.sse or ad.stream):
            if len(self.text) < KEPT_BYTES:
                self.text += data
            return
        text = self.text + data if self.text else data
        parts = text.split(ad.sep)
        self.text = parts.pop()
        for p in parts:
            if not p:
                continue
            run.events += 1
            for m in ad.chunk:
                if m in p:
                    run.chunks += 1
                    if not run.first_chunk:
                        run.first_chunk = now
                    break
            else:
                self.take_other(p)

    def take_other(self, event: bytes) -> None:
        """An event without answer text: the end, an error, or nothing of interest."""
        if any(m in event for m in self.ad.end):
            self.saw_end = True
        if any(m in event for m in self.ad.bad):
            self.saw_bad = True
            if not self.run.error:
                self.run.error = "error event: " + event[:160].decode(errors="replace")

    def finish(self, whole: bool) -> None:
        run = self.run
        run.done = time.perf_counter()
        if run.status and run.status >= 400:
            run.error = f"status {run.status}: {self.text[:160].decode(errors='replace')}"
        elif whole and not run.error:
            self.judge()
        if not self.keep or not whole:
            self.tr.close()
            self.closed = True
        if self.fut and not self.fut.done():
            self.fut.set_result(run)

    def judge(self) -> None:
        """Say what is wrong with a whole answer, if anything is."""
        run, ad = self.run, self.ad
        if ad.stream:
            if self.text:
                rest, self.text = self.text, b""
                self.take(rest + ad.sep, run.done)
            if ad.end and not self.saw_end and not run.error:
                run.error = "truncated"
        elif ad.ok and not any(m in self.text for m in ad.ok):
            run.error = "unexpected body: " + self.text[:160].decode(errors="replace")


class Caller:
    """Makes one request after the other, on one connection as long as that lives."""

    def __init__(self, ad: Adapter, host: str, port: int, timeout_s: float) -> None:
        self.ad, self.host, self.port, self.timeout_s = ad, host, port, timeout_s
        self.kept: Client | None = None

    async def ask(self, raw: bytes) -> Run:
        """Send one request. Never raises for what the server does: the run has the error."""
        kept = self.kept
        try:
            client = await self.connect() if kept is None or kept.closed else kept
            run = await self.send(client, raw)
            if client is kept and run.error == "connection lost" and not run.status:
                # a keep-alive connection the server had already given up: once more on a new one
                client = await self.connect()
                run = await self.send(client, raw)
        except OSError as exc:
            self.kept = None
            run = Run(f"connect: {exc}")
            run.done = run.t0
            await asyncio.sleep(0.05)
            return run
        self.kept = client
        return run

    async def connect(self) -> Client:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: Client(self.ad), self.host, self.port)
        return client

    async def send(self, client: Client, raw: bytes) -> Run:
        try:
            return await asyncio.wait_for(client.start(raw), self.timeout_s)
        except TimeoutError:
            client.run.error, client.run.done = "timeout", time.perf_counter()
            client.tr.abort()
            client.closed = True
            return client.run


async def drive(
    ad: Adapter, concurrency: int, total: int, duration_s: float, timeout_s: float, first_i: int = 0
) -> list[Run]:
    """Make `total` requests (0: as many as fit in `duration_s`), `concurrency` at a time."""
    url = urlsplit(ad.a.base)
    prefix = url.path.rstrip("/")
    if prefix and not ad.path.startswith(prefix):
        ad.path = prefix + ad.path
    runs: list[Run] = []
    left = iter(range(first_i, first_i + total)) if total else iter(range(first_i, 1 << 60))
    stop_at = time.monotonic() + duration_s if duration_s else float("inf")

    async def worker() -> None:
        caller = Caller(ad, url.hostname or "127.0.0.1", url.port or 80, timeout_s)
        for i in left:
            if time.monotonic() > stop_at:
                return
            runs.append(await caller.ask(ad.request(url.netloc, i)))

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return runs
