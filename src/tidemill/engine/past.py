"""What an earlier part of a run, or an earlier run, left behind.

Recovery, resumption, fork and replay are one mechanism: the graph is run again from its beginning, and
nodes that touched the outside world give what the record holds instead of doing it again. Pure nodes and
containers are computed anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tidemill.engine.events import (
    CallRecorded,
    ContainerAdvanced,
    ContainerFinished,
    ContainerStarted,
    Event,
    NodeFinished,
    NodeRetried,
    NodeStarted,
    RunFinished,
    RunPaused,
    RunStarted,
    Scope,
    TextDelta,
    TextReplaced,
)

Place = str
_CONTAINER_EVENTS = (ContainerStarted, ContainerAdvanced, ContainerFinished)


def place_of(scope: Scope | None) -> Place:
    """Where a level is, as a prefix of its nodes' ids: "" or "loop[3]/"."""
    if scope is None:
        return ""
    return f"{place_of(scope.outer)}{scope.node_id}[{scope.index}]/"


class Past:
    """Recorded results by place, and what was told already. Empty for a run that begins."""

    def __init__(self) -> None:
        self.is_same_run = False
        self.results: dict[Place, NodeFinished] = {}
        self.starts: dict[Place, NodeStarted] = {}
        self.retries: Counter[Place] = Counter()
        self.calls: defaultdict[Place, list[CallRecorded]] = defaultdict(list)
        self.text = ""
        self.last_seq = 0
        self.last_index = 0
        self.elapsed_s = 0.0
        self.started_at: float | None = None
        self.is_finished = False
        self._told: Counter[tuple[type[Event], Place, int]] = Counter()
        self._ended: set[Place] = set()
        self._places: dict[str, Place] = {}

    @classmethod
    def going_on(cls, events: Sequence[Event]) -> Past:
        """The same run goes on after `events`, all of which are in its journal.

        They are not appended again; executions keep their ids and numbers, and new events are counted on
        from the last one. Text told already is not told again: a model's half-told text is withdrawn
        when it begins anew.
        """
        past = cls()
        past.is_same_run = True
        past._read(events, None)
        return past

    @classmethod
    def taking(cls, events: Sequence[Event], keep: Callable[[Place], bool] = lambda _: True) -> Past:
        """Another run takes the results of the places that `keep` names. It tells all its events itself."""
        past = cls()
        past._read(events, keep)
        return past

    def result(self, place: Place) -> NodeFinished | None:
        """How a node that touched the outside world ended there."""
        return self.results.get(place)

    def start(self, place: Place) -> NodeStarted | None:
        """The start that the journal holds for this place; None when this run has to tell it."""
        return self.starts.get(place) if self.is_same_run else None

    def has_ended(self, place: Place) -> bool:
        """Whether the journal of this run holds the node's end."""
        return self.is_same_run and place in self._ended

    def was_told(self, kind: type[Event], place: Place, index: int = -1) -> bool:
        """Whether the journal holds the next event of this kind from this place. Each call counts one off.

        `index` is the round of a `ContainerAdvanced`, whose order is not fixed.
        """
        key = (kind, place, index)
        if not self._told[key]:
            return False
        self._told[key] -= 1
        return True

    def _read(self, events: Iterable[Event], keep: Callable[[Place], bool] | None) -> None:
        began = 0.0
        at = 0.0
        for event in events:
            self.last_seq, at = max(self.last_seq, event.seq), event.at
            match event:
                case RunStarted():
                    began = event.at
                    self.started_at = self.started_at or event.at
                case RunPaused():
                    self.elapsed_s, began = event.elapsed_s, 0.0
                case RunFinished():
                    self.is_finished = True
                case TextDelta():
                    self.text += event.text
                case TextReplaced():
                    self.text = event.text
                case _:
                    self._note(event, keep)
        if began:
            self.elapsed_s += max(0.0, at - began)

    def _note(self, event: Event, keep: Callable[[Place], bool] | None) -> None:
        place = self._place(event)
        if keep is not None and not keep(place):
            return
        match event:
            case NodeStarted():
                self.starts[place] = event
                self.last_index = max(self.last_index, event.index)
            case NodeFinished():
                # A node that was cancelled did not come to a result.
                if event.status in ("succeeded", "exception", "failed"):
                    self.results[place] = event
                    self._ended.add(place)
            case NodeRetried():
                self.retries[place] += 1
            case CallRecorded():
                self.calls[place].append(event)
            case _:
                pass
        if self.is_same_run:
            index = event.index if isinstance(event, ContainerAdvanced) else -1
            self._told[type(event), place, index] += 1

    def _place(self, event: Event) -> Place:
        """Where an event belongs: told by its scope, else by the execution it names."""
        if isinstance(event, NodeStarted | NodeFinished | NodeRetried):
            place = place_of(event.scope) + event.node_id
            self._places[event.execution_id] = place
            return place
        execution_id: str = getattr(event, "execution_id", "")
        node_id: str = getattr(event, "node_id", "")
        return self._places.get(execution_id, node_id)


NOTHING: Final = Past()
