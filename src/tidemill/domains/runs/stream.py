"""A run's events as a response: pre-encoded bytes, everything of one loop turn in one write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidemill.domains.runs.reading import Reader, Story
from tidemill.domains.runs.ticket import Encoder
from tidemill.engine.events import Event, RunFinished, RunPaused

PING_S = 10.0
PING = b"event: ping\n\n"
STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "connection": "keep-alive",
    "x-accel-buffering": "no",
}
# Where a request's scope may hold a `send` that goes straight to the server.
DIRECT_SEND = "tidemill.direct_send"
_LAST_FRAME = b"\n\ndata: "


class EventStream(Response):
    """Streams a run until it ends or the client leaves. The run goes on without the client.

    Args:
        after_seq: Events up to this one are not sent.
        has_ids: Every event gets an `id:` line with its number, for clients that attach again by `Last-Event-ID`.
        pauses_after_seq: The stream ends with the first pause after this event; None: with none.
    """

    def __init__(
        self,
        story: Story,
        encoder: Encoder,
        *,
        on_close: Callable[[], None],
        ping: bytes = PING,
        headers: Mapping[str, str] | None = None,
        after_seq: int = 0,
        has_ids: bool = False,
        pauses_after_seq: int | None = None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({**STREAM_HEADERS, **(headers or {})})
        self._story = story
        self._encoder = encoder
        self._on_close = on_close
        self._ping = ping
        self._after_seq = after_seq
        self._has_ids = has_ids
        self._pauses_after_seq = pauses_after_seq
        self._is_paused = False
        self._due = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reader = self._story.reader()
        gone = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _: reader.wake())
        pings = asyncio.get_running_loop().call_later(PING_S, self._tick, reader)
        self._timer = pings
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._pump(reader, scope.get(DIRECT_SEND, send), gone)
        except OSError:
            # The connection broke while we wrote. The run does not mind.
            return
        finally:
            self._timer.cancel()
            gone.cancel()
            reader.close()
            self._on_close()

    async def _pump(self, reader: Reader, send: Send, gone: asyncio.Future[None]) -> None:
        is_plain = not self._after_seq and not self._has_ids and self._pauses_after_seq is None
        encode = self._encoder.encode
        while not gone.done():
            events = reader.take()
            body = b"".join([encode(event) for event in events]) if is_plain else self._encode(events)
            if self._due:
                body, self._due = body + self._due, b""
            is_done = reader.is_done or self._is_paused
            if body or is_done:
                await send({"type": "http.response.body", "body": body, "more_body": not is_done})
            if is_done:
                return
            await reader.wait()

    def _encode(self, events: Sequence[Event]) -> bytes:
        """The events of a stream that begins, ends or is numbered otherwise than usual."""
        frames: list[bytes] = []
        for event in events:
            # The encoder sees all of them: what it tells of one may depend on those before.
            frame = self._encoder.encode(event)
            if event.seq <= self._after_seq or self._is_paused:
                continue
            frames.append(numbered(frame, event.seq) if frame and self._has_ids else frame)
            after_seq = self._pauses_after_seq
            self._is_paused = after_seq is not None and event.seq > after_seq and isinstance(event, RunPaused)
        return b"".join(frames)

    def _tick(self, reader: Reader) -> None:
        self._due += self._ping
        self._timer = asyncio.get_running_loop().call_later(PING_S, self._tick, reader)
        reader.wake()


class LastWord:
    """An encoder for runs that have ended: of the whole story it tells `workflow_finished` alone."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def encode(self, event: Event) -> bytes:
        frames = self._encoder.encode(event)
        if not isinstance(event, RunFinished):
            return b""
        found = [frame for frame in frames.split(b"\n\n") if frame.startswith(b'data: {"event":"workflow_finished"')]
        return found[0] + b"\n\n" if found else frames

    def failure(self, *, code: str, status: int, message: str) -> bytes:
        return self._encoder.failure(code=code, status=status, message=message)


def numbered(frames: bytes, seq: int) -> bytes:
    """The frames of one event with its number on the last: only who has that one has seen the event."""
    head, mark, last = frames.rpartition(_LAST_FRAME)
    line = b"id: %d\n" % seq
    return head + b"\n\n" + line + b"data: " + last if mark else line + frames


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
