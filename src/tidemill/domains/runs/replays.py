"""Running a recorded run again from its journal alone, to see that it says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidemill.domains.runs.rows import Start
from tidemill.engine.events import Event, NodeFinished, NodeStatus, RunFinished
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.past import Past, place_of
from tidemill.engine.scheduler import Limits, Run
from tidemill.ports import Templates

# What computes and reaches nothing outside.
HARMLESS = (Templates,)
ENDED: frozenset[NodeStatus] = frozenset({"succeeded", "exception", "failed"})


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """Something the replay did otherwise. `place` is a node's, empty for the run itself; values are JSON data."""

    place: str
    what: str
    recorded: Any
    replayed: Any


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """`taken` results came from the record, none from outside."""

    finished: RunFinished
    divergences: list[Divergence]
    taken: int


async def replay(start: Start, recorded: Sequence[Event], limits: Limits) -> Replay:
    """Run the graph again, with every outside result taken from the record and every outside call refused."""
    past = Past.taking(recorded)
    journal = MemoryJournal()
    run = Run(
        start.program.compiled.graph,
        start.pool,
        info=RunInfo(
            run_id=start.ticket.run_id,
            app_id=start.ticket.app_id,
            workflow_id=start.ticket.workflow_id,
            user_id=start.user,
            conversation_id=start.ticket.conversation_id,
        ),
        ports={kind: port for kind, port in start.ports.items() if kind in HARMLESS},
        journal=journal,
        inputs=start.inputs,
        limits=limits,
        past=past,
    )
    finished = await run.execute()
    taken = sum(1 for event in _results(journal.events).values() if event.metadata.get("is_taken"))
    return Replay(finished=finished, divergences=compare(recorded, journal.events), taken=taken)


def compare(recorded: Sequence[Event], replayed: Sequence[Event]) -> list[Divergence]:
    """Every difference of two journals in what nodes and run came to, in the order of the record."""
    before, after = _results(recorded), _results(replayed)
    found: list[Divergence] = []
    for place in dict.fromkeys([*before, *after]):
        found += _differences(place, _facts(before.get(place)), _facts(after.get(place)))
    return found + _differences("", _end(recorded), _end(replayed))


def _results(events: Sequence[Event]) -> dict[str, NodeFinished]:
    return {
        place_of(event.scope) + event.node_id: event
        for event in events
        if isinstance(event, NodeFinished) and event.status in ENDED
    }


def _facts(event: NodeFinished | None) -> dict[str, Any]:
    if event is None:
        return {"status": None}
    return {"status": event.status, "outputs": event.outputs, "error": event.error, "handle": event.handle}


def _end(events: Sequence[Event]) -> dict[str, Any]:
    ends = [event for event in events if isinstance(event, RunFinished)]
    # A run that was stopped says nothing about what it would have come to.
    if not ends or ends[-1].status == "stopped":
        return {}
    end = ends[-1]
    return {"status": end.status, "outputs": end.outputs, "answer": end.answer, "error": end.error}


def _differences(place: str, recorded: Mapping[str, Any], replayed: Mapping[str, Any]) -> list[Divergence]:
    if not recorded or not replayed:
        return []
    return [
        Divergence(place=place, what=name, recorded=recorded.get(name), replayed=replayed.get(name))
        for name in recorded
        if recorded.get(name) != replayed.get(name)
    ]
