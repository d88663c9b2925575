"""A run's events as a response: pre-encoded bytes, everything of one loop turn in one write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidemill.domains.runs.live import LiveRun, Reader
from tidemill.domains.runs.ticket import Encoder

PING_S = 10.0
PING = b"event: ping\n\n"
STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "connection": "keep-alive",
    "x-accel-buffering": "no",
}


class EventStream(Response):
    """Streams a run until it ends or the client leaves. The run goes on without the client."""

    def __init__(
        self,
        live: LiveRun,
        encoder: Encoder,
        *,
        on_close: Callable[[], None],
        ping: bytes = PING,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({**STREAM_HEADERS, **(headers or {})})
        self._live = live
        self._encoder = encoder
        self._on_close = on_close
        self._ping = ping
        self._due = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        reader = self._live.reader()
        gone = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _: reader.wake())
        pings = asyncio.get_running_loop().call_later(PING_S, self._tick, reader)
        self._timer = pings
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._pump(reader, send, gone)
        except OSError:
            # The connection broke while we wrote. The run does not mind.
            return
        finally:
            self._timer.cancel()
            gone.cancel()
            reader.close()
            self._on_close()

    async def _pump(self, reader: Reader, send: Send, gone: asyncio.Future[None]) -> None:
        encode = self._encoder.encode
        while not gone.done():
            body = b"".join([encode(event) for event in reader.take()])
            if self._due:
                body, self._due = body + self._due, b""
            is_done = reader.is_done
            if body or is_done:
                await send({"type": "http.response.body", "body": body, "more_body": not is_done})
            if is_done:
                return
            await reader.wait()

    def _tick(self, reader: Reader) -> None:
        self._due += self._ping
        self._timer = asyncio.get_running_loop().call_later(PING_S, self._tick, reader)
        reader.wake()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
