"""Pacing of the scripted model server: chunks go out one by one, in bursts, or stop where they are told to."""

# pyright: basic
from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import cast

from mock_behaviour import Spec
from mock_render import DONE, END, HEAD_SSE, STATS, chunked, sse


class Pump(asyncio.Protocol):
    """Writes answers at the pace their model name asks for."""

    __slots__ = ("buf", "busy", "gone", "is_cut", "loop", "paused", "resume", "timer", "tr")

    tr: asyncio.Transport
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        self.buf = b""
        self.busy = self.gone = self.paused = self.is_cut = False
        self.timer: asyncio.TimerHandle | None = None
        self.resume: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        STATS["open"] += 1
        self.tr = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.loop = asyncio.get_running_loop()

    def connection_lost(self, exc) -> None:
        self.gone = True
        STATS["open"] -= 1
        if self.timer:
            self.timer.cancel()
        if self.busy and not self.is_cut:  # the client left before the answer was whole
            STATS["disconnects"] += 1

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.resume:
            fn, self.resume = self.resume, None
            fn()

    def next(self) -> None:
        """Take up the next request that waits in the buffer."""
        raise AssertionError("A connection says what comes next.")

    def later(self, data: bytes, delay: float, s: Spec) -> None:
        if s.hang >= 0:
            self.busy = True
            return
        if s.cut >= 0:
            self.tr.write(data[: len(data) // 2])
            self.tr.close()
            return
        if delay <= 0:
            self.tr.write(data)
            return
        self.busy = True
        self.timer = self.loop.call_later(delay, self.done, data)

    def done(self, data: bytes) -> None:
        self.timer = None
        self.busy = False
        if not self.gone:
            self.tr.write(data)
            self.next()

    def stream(self, out: tuple[bytes, ...], tail: bytes, s: Spec) -> None:
        STATS["streams"] += 1
        stop, final = len(out), tail
        if s.cut >= 0:
            stop, final = min(s.cut, len(out)), None
        elif s.hang >= 0:
            stop, final = min(s.hang, len(out)), b""
        elif s.errat >= 0:
            stop = min(s.errat, len(out))
            final = (
                sse({"error": {"message": "The server had an error (mock).", "type": "server_error", "code": None}})
                + DONE
                + END
            )
        elif s.bad >= 0:
            k = min(s.bad, len(out))
            broken = chunked(b'data: {"id":"chatcmpl-mock","choices":[{"delta":{"conte\n\n')
            out = (*out[:k], broken, *out[k:])
            stop = len(out)
        STATS["chunks"] += stop
        self.busy = True
        if s.ttft:
            self.timer = self.loop.call_later(s.ttft, self.go, out, stop, final, s)
        else:
            self.go(out, stop, final, s)

    def go(self, out, stop: int, final, s: Spec) -> None:
        self.timer = None
        if self.gone:
            return
        if s.delay <= 0:
            self.tr.write(HEAD_SSE)
            if s.burst:
                self.tr.write(b"".join(out[:stop]))
                self.finish(final)
            else:
                self.pump(out, 0, stop, final)
            return
        self.tr.write(HEAD_SSE)
        self.tick(out, 0, stop, final, s.delay, self.loop.time())

    def pump(self, out, i: int, stop: int, final) -> None:
        """No pause asked for: one write per chunk, giving way to other streams every 16."""
        if self.gone:
            return
        w = self.tr.write
        end = min(i + 16, stop)
        while i < end:
            w(out[i])
            i += 1
        if i < stop:
            if self.paused:
                self.resume = functools.partial(self.pump, out, i, stop, final)
            else:
                self.loop.call_soon(self.pump, out, i, stop, final)
        else:
            self.finish(final)

    def tick(self, out, i: int, stop: int, final, delay: float, due: float) -> None:
        self.timer = None
        if self.gone:
            return
        now = self.loop.time()
        while i < stop and due <= now:  # late chunks leave together, as a real upstream's would
            self.tr.write(out[i])
            i += 1
            due += delay
        if i < stop:
            self.timer = self.loop.call_at(due, self.tick, out, i, stop, final, delay, due)
        else:
            self.finish(final)

    def finish(self, final) -> None:
        if final is None:  # cut: no terminator, connection dropped
            self.is_cut = True
            self.tr.close()
            return
        if final == b"":  # hang
            return
        self.tr.write(final)
        self.busy = False
        self.next()
