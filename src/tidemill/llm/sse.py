"""Server-sent events, read fast: bytes in, the `data` of whole events out.

Source: WHATWG HTML, section 9.2 "Server-sent events". Event names, ids and retry times are dropped: the
model wires repeat the type inside the data.
"""

from __future__ import annotations

from typing import Final

MAX_EVENT_BYTES: Final = 16 * 1024 * 1024


class EventTooLong(ValueError):
    """An event went over `MAX_EVENT_BYTES` without ending."""


class SseParser:
    """Feed it blocks as they arrive; lines may be cut anywhere and end in LF or CRLF."""

    def __init__(self) -> None:
        self._rest = b""
        self._data = b""

    def feed(self, block: bytes) -> list[bytes]:
        """The data of every event that `block` completed, in order.

        Raises:
            EventTooLong: An event grows without end.
        """
        lines = (self._rest + block if self._rest else block).split(b"\n")
        self._rest = lines.pop()
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if line.startswith(b"data:"):
                piece = line[5:].strip()
                data = data + b"\n" + piece if data else piece
            elif data and (not line or line == b"\r"):
                events.append(data)
                data = b""
        self._data = data
        if len(self._rest) + len(data) > MAX_EVENT_BYTES:
            raise EventTooLong
        return events

    def finish(self) -> list[bytes]:
        """What is left when the stream ends: some servers leave out the last blank line."""
        events = self.feed(b"\n\n")
        self._rest = self._data = b""
        return events
