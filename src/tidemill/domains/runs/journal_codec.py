"""How events lie in the database: JSON, text pieces of one source folded together, compressed. Lossless."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

import msgspec

from tidemill.engine.events import AnyEvent, Event, TextDelta
from tidemill.engine.values import Selector

# Level 1 takes a third of the time of the default and loses a few percent of the gain.
COMPRESSION = 1


class _Deltas(msgspec.Struct, frozen=True, tag_field="event", tag="text_deltas"):
    """Consecutive text pieces of one producer; `seq` counts up from `first_seq`."""

    first_seq: int
    node_id: str
    selector: Selector | None
    texts: list[str]
    ats: list[float]


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[list[AnyEvent | _Deltas]] = msgspec.json.Decoder(list[AnyEvent | _Deltas])


def pack(events: Sequence[Event]) -> bytes:
    """Encode consecutive events."""
    folded: list[Event | _Deltas] = []
    last: _Deltas | None = None
    for event in events:
        if not isinstance(event, TextDelta):
            folded.append(event)
            last = None
        elif last is not None and last.node_id == event.node_id and last.selector == event.selector:
            last.texts.append(event.text)
            last.ats.append(event.at)
        else:
            last = _Deltas(event.seq, event.node_id, event.selector, [event.text], [event.at])
            folded.append(last)
    return zlib.compress(_encode(folded), COMPRESSION)


def unpack(payload: bytes) -> list[Event]:
    """The events that `pack` was given, equal to the originals."""
    events: list[Event] = []
    for entry in _decoder.decode(zlib.decompress(payload)):
        if isinstance(entry, _Deltas):
            pieces = zip(entry.texts, entry.ats, strict=True)
            node_id, selector = entry.node_id, entry.selector
            events += [
                TextDelta(seq=seq, at=at, node_id=node_id, text=text, selector=selector)
                for seq, (text, at) in enumerate(pieces, entry.first_seq)
            ]
        else:
            events.append(entry)
    return events


def _encode(folded: list[Event | _Deltas]) -> bytes:
    try:
        return _encoder.encode(folded)
    except (ValueError, OverflowError):
        # Lone surrogates cannot be stored as they are; what a database cannot hold is replaced, not lost with the run.
        text = json.dumps(msgspec.to_builtins(folded), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")
