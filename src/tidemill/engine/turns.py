"""Who speaks when the rounds of a container run at the same time: one round after the other, by index.

The first round that has not ended is heard at once; what later rounds say is kept until it is their turn.
So the text of a run is the same in whatever order its rounds happen to proceed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tidemill.engine.values import Selector, Value


class Voice(Protocol):
    """Where the text of a level goes, and the outputs of its response nodes."""

    def say(self, producer_id: str, text: str, selector: Selector | None, is_live: bool) -> None:
        """The next piece of the answer. `is_live`: its producer gives it now, for the first or another time."""
        ...

    def unsay(self, count: int) -> None:
        """Withdraw the last pieces."""
        ...

    def collect(self, outputs: Mapping[str, Value]) -> None:
        """Add a response node's outputs to the run's."""
        ...


class Turn:
    """The voice of one round."""

    __slots__ = ("_collected", "_index", "_pieces", "_turns")

    def __init__(self, turns: Turns, index: int) -> None:
        self._turns = turns
        self._index = index
        self._pieces: list[tuple[str, str, Selector | None, bool]] = []
        self._collected: list[Mapping[str, Value]] = []

    def say(self, producer_id: str, text: str, selector: Selector | None, is_live: bool) -> None:
        if self._turns.current == self._index:
            self._turns.outer.say(producer_id, text, selector, is_live)
        else:
            self._pieces.append((producer_id, text, selector, is_live))

    def unsay(self, count: int) -> None:
        if self._turns.current == self._index:
            self._turns.outer.unsay(count)
        else:
            del self._pieces[-count:]

    def collect(self, outputs: Mapping[str, Value]) -> None:
        if self._turns.current == self._index:
            self._turns.outer.collect(outputs)
        else:
            self._collected.append(outputs)

    def begin(self) -> None:
        """It is this round's turn: give what was kept."""
        for piece in self._pieces:
            self._turns.outer.say(*piece)
        for outputs in self._collected:
            self._turns.outer.collect(outputs)
        self._pieces.clear()
        self._collected.clear()

    def end(self) -> None:
        """The round has said everything."""
        self._turns.end(self._index)


class Turns:
    """The order of the rounds of one execution of a container. `current` is the round that is heard."""

    __slots__ = ("_ended", "_waiting", "current", "outer")

    def __init__(self, outer: Voice) -> None:
        self.outer = outer
        self.current = 0
        self._waiting: dict[int, Turn] = {}
        self._ended: set[int] = set()

    def of(self, index: int) -> Turn:
        """The voice of a round that begins."""
        turn = self._waiting[index] = Turn(self, index)
        return turn

    def end(self, index: int) -> None:
        self._ended.add(index)
        while self.current in self._ended:
            self._ended.discard(self.current)
            self._waiting.pop(self.current, None)
            self.current += 1
            following = self._waiting.get(self.current)
            if following is not None:
                following.begin()
