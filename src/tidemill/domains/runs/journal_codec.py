"""How events lie in the database: JSON, text pieces of one source folded together, compressed where that pays.

Large texts stand before the events that refer to them, each once, and are compressed one by one: a run that hands a
large value through many nodes takes neither the room nor the memory of all their events.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

import msgspec

from tidemill.domains.runs.large_texts import LargeTexts, Unshareable, put_back
from tidemill.engine.events import AnyEvent, Event, TextDelta
from tidemill.engine.values import Selector

# Level 1 takes a third of the time of the default and loses a few percent of the gain.
COMPRESSION = 1
# Below this, compressing costs more than the bytes are worth: a stream is committed in many small batches.
MIN_COMPRESSED = 1_000


class _Deltas(msgspec.Struct, frozen=True, tag_field="event", tag="text_deltas"):
    """Consecutive text pieces of one producer; `seq` counts up from `first_seq`."""

    first_seq: int
    node_id: str
    selector: Selector | None
    texts: list[str]
    ats: list[float]


class _Shared(msgspec.Struct, frozen=True):
    """Events that refer to large texts."""

    texts: list[str]
    events: msgspec.Raw


_encoder = msgspec.json.Encoder()
_shared_decoder = msgspec.json.Decoder(_Shared)
_decoder: msgspec.json.Decoder[list[AnyEvent | _Deltas]] = msgspec.json.Decoder(list[AnyEvent | _Deltas])


def pack(events: Sequence[Event]) -> bytes:
    """Encode consecutive events."""
    texts = LargeTexts()
    try:
        events = [texts.take_from(event) for event in events]
    except (Unshareable, RecursionError):
        texts = LargeTexts()
    folded = _folded(events)
    if texts.numbers:
        return _encode_shared(list(texts.numbers), folded)
    data = _encode(folded)
    return data if len(data) < MIN_COMPRESSED else zlib.compress(data, COMPRESSION)


def _folded(events: Sequence[Event]) -> list[Event | _Deltas]:
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
    return folded


def unpack(payload: bytes) -> list[Event]:
    """The events that `pack` was given, equal to the originals."""
    events: list[Event] = []
    # JSON begins with a bracket, which no compressed text does.
    data = payload if payload.startswith(b"[") else zlib.decompress(payload)
    texts: list[str] = []
    if data.startswith(b"{"):
        shared = _shared_decoder.decode(data)
        texts, data = shared.texts, shared.events
    for entry in _decoder.decode(data):
        if isinstance(entry, _Deltas):
            pieces = zip(entry.texts, entry.ats, strict=True)
            node_id, selector = entry.node_id, entry.selector
            events += [
                TextDelta(seq=seq, at=at, node_id=node_id, text=text, selector=selector)
                for seq, (text, at) in enumerate(pieces, entry.first_seq)
            ]
        else:
            if texts:
                put_back(entry, texts)
            events.append(entry)
    return events


def _encode_shared(texts: Sequence[str], folded: list[Event | _Deltas]) -> bytes:
    packer = zlib.compressobj(COMPRESSION)
    pieces = [packer.compress(b'{"texts":[')]
    for number, text in enumerate(texts):
        if number:
            pieces.append(packer.compress(b","))
        pieces.append(packer.compress(_encode(text)))
    pieces += (packer.compress(b'],"events":'), packer.compress(_encode(folded)), packer.compress(b"}"), packer.flush())
    return b"".join(pieces)


def _encode(value: list[Event | _Deltas] | str) -> bytes:
    try:
        return _encoder.encode(value)
    except (ValueError, OverflowError):
        # Lone surrogates cannot be stored as they are; what a database cannot hold is replaced, not lost with the run.
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")
