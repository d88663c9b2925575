"""The two ways of asking a model for tool calls, seen from the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tidemill.agent.task import Answer, PastTurn, Round
from tidemill.llm.types import ChatDelta, ChatRequest


class Reader(Protocol):
    """Reads one answer while it is streamed."""

    def feed(self, delta: ChatDelta) -> str:
        """Take a piece; returns text of the agent's answer that can be shown at once."""
        ...

    def finish(self) -> tuple[str, Answer]:
        """The rest of the text to show, and the whole answer."""
        ...


class Strategy(Protocol):
    def request(self, turns: Sequence[PastTurn], rounds: Sequence[Round], *, is_last: bool) -> ChatRequest:
        """The next request: what the model is told of earlier turns and of this one's rounds.

        In the last request no tool is offered.
        """
        ...

    def reader(self, number: int) -> Reader:
        """A reader of the answer of round `number`, counted from 1."""
        ...
