"""Cassettes: the outside calls of one run with their answers, as a file. Format: `docs/guide/testing.md`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from tidemill.engine.events import CallRecorded, Event, NodeFinished, NodeStarted, RunFinished, RunStarted
from tidemill.engine.past import place_of

VERSION: Final = 1
PORTS: Final = frozenset(("Models", "Http", "Tools", "Knowledge", "History", "Files"))
# What an author of tests sets, and what belongs to one run only.
_SYSTEM: Final = (
    "conversation_id", "user_id", "dialogue_count", "app_id", "workflow_id", "workflow_run_id", "timestamp",
)  # fmt: skip


class CassetteInvalid(Exception):
    """A file that is no cassette. One sentence."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `place` is where the node stands in its run ("llm", "loop[3]/llm"), `node` its title."""

    place: str
    port: str
    digest: str
    request: dict[str, Any]
    response: dict[str, Any]
    node: str = ""


class Cassette(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded run.

    `system` holds the run's `sys` variables that are the same in every playback; `models` the choice of models it
    was recorded with; `result` how it ended. `elapsed_s` is in seconds.
    """

    tidemill_cassette: int = VERSION
    app: dict[str, str] = {}
    recorded_at: str = ""
    system: dict[str, Any] = {}
    models: dict[str, Any] | None = None
    calls: list[Call] = []
    result: dict[str, Any] = {}


def cassette_of(
    events: Sequence[Event], *, app: Mapping[str, str], recorded_at: str, models: dict[str, Any] | None = None
) -> Cassette:
    """The cassette of a run, from everything it said."""
    system: dict[str, Any] = {}
    result: dict[str, Any] = {}
    for event in events:
        if isinstance(event, RunStarted) and not system:
            given = {
                name.removeprefix("sys."): value for name, value in event.inputs.items() if name.startswith("sys.")
            }
            system = {name: given[name] for name in _SYSTEM if name in given}
        elif isinstance(event, RunFinished):
            result = {
                "status": event.status,
                "error": event.error,
                "elapsed_s": round(event.elapsed_s, 6),
                "total_tokens": event.total_tokens,
                "total_price": event.usage.total_price,
                "currency": event.usage.currency,
            }
    return Cassette(
        app=dict(app),
        recorded_at=recorded_at,
        system=system,
        models=models,
        calls=calls_of(events),
        result=result,
    )


def calls_of(events: Iterable[Event]) -> list[Call]:
    """The outside calls among a run's events, in their order."""
    places: dict[str, tuple[str, str]] = {}
    calls: list[Call] = []
    for event in events:
        if isinstance(event, NodeStarted | NodeFinished):
            places[event.execution_id] = (place_of(event.scope) + event.node_id, event.title)
        elif isinstance(event, CallRecorded) and event.port in PORTS:
            place, title = places.get(event.execution_id, (event.node_id, ""))
            calls.append(
                Call(
                    place=place,
                    node=title,
                    port=event.port,
                    digest=event.digest,
                    request=event.request,
                    response=event.response,
                )
            )
    return calls


def write(cassette: Cassette) -> bytes:
    """The file's bytes: JSON over several lines, so that changes can be read."""
    return (json.dumps(msgspec.to_builtins(cassette), ensure_ascii=False, indent=1) + "\n").encode(
        "utf-8", "surrogatepass"
    )


def read(content: bytes) -> Cassette:
    """Read what `write` wrote. Raises `CassetteInvalid`."""
    try:
        data = json.loads(content.decode("utf-8", "surrogatepass"))
        if not isinstance(data, dict) or "tidemill_cassette" not in data:
            raise CassetteInvalid("it is no cassette")
        if data["tidemill_cassette"] != VERSION:
            raise CassetteInvalid(f"it is of version {data['tidemill_cassette']}, which this program cannot read")
        return msgspec.convert(data, Cassette)
    except (ValueError, RecursionError) as error:
        raise CassetteInvalid(f"it is no cassette ({error})") from error
