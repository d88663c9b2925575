"""Runs of apps that watch their words: one that only says a fixed text, and a journal that withdraws a bad one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tidemill.dsl import Moderation
from tidemill.engine.events import Event, RunFinished, RunStarted, TextDelta, TextReplaced
from tidemill.engine.journal import Journal
from tidemill.engine.node import RunInfo

REASON = "output_moderation"
WITHDRAWN = "The answer held a word that this app does not say."


class PresetRun:
    """Stands for the run of a message that may not be answered: it says `text`, and no node runs."""

    def __init__(self, text: str, *, info: RunInfo, journal: Journal, inputs: Mapping[str, Any]) -> None:
        self._text = text
        self._info = info
        self._journal = journal
        self._inputs = dict(inputs)

    async def execute(self) -> RunFinished:
        began = time.time()
        info = self._info
        self._journal.append(
            RunStarted(seq=1, at=began, run_id=info.run_id, workflow_id=info.workflow_id, inputs=self._inputs)
        )
        self._journal.append(TextDelta(seq=2, at=began, node_id="", text=self._text))
        finished = RunFinished(
            seq=3,
            at=time.time(),
            run_id=info.run_id,
            status="succeeded",
            outputs={"answer": self._text},
            started_at=began,
            elapsed_s=time.time() - began,
            total_tokens=0,
            total_steps=0,
            answer=self._text,
        )
        self._journal.append(finished)
        return finished

    def stop(self, reason: str) -> None:
        """It has ended as soon as it began."""
        del reason


class Withdrawing:
    """A journal that checks the answer before anybody reads it.

    The piece that completes a word is not passed on: the app's preset answer replaces the text so far, and `stop`
    ends the run. `told` is what the run had said before this process went on with it.
    """

    def __init__(
        self, inner: Journal, moderation: Moderation, *, stop: Callable[[str], None], told: Sequence[Event] = ()
    ) -> None:
        self._inner = inner
        self._moderation = moderation
        self._stop = stop
        self._tail = ""
        self._is_withdrawn = False
        self._left_out = 0
        for event in told:
            self._recall(event)
        if self._is_withdrawn:
            stop(WITHDRAWN)

    def append(self, event: Event) -> None:
        if self._is_withdrawn:
            self._after(event)
            return
        match event:
            case TextDelta():
                text = self._tail + event.text
                if self._moderation.finds([text]):
                    self._withdraw(event)
                    return
                self._tail = self._end_of(text)
            case TextReplaced():
                self._tail = self._end_of(event.text)
            case _:
                pass
        self._inner.append(event)

    def _recall(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            self._tail = self._end_of(self._tail + event.text)
        elif isinstance(event, TextReplaced):
            self._tail = self._end_of(event.text)
            self._is_withdrawn = event.reason == REASON

    def _end_of(self, text: str) -> str:
        return text[-self._moderation.reach :] if self._moderation.reach else ""

    async def settle(self) -> None:
        await self._inner.settle()

    async def drain(self) -> None:
        await self._inner.drain()

    @property
    def _answer(self) -> str:
        return self._moderation.output_answer or ""

    def _withdraw(self, event: TextDelta) -> None:
        self._is_withdrawn = True
        self._inner.append(
            TextReplaced(seq=event.seq, at=event.at, text=self._answer, reason=REASON),
        )
        self._stop(WITHDRAWN)

    def _after(self, event: Event) -> None:
        """Leave out what is said after the answer was withdrawn; numbers stay without gaps."""
        if isinstance(event, (TextDelta, TextReplaced)):
            self._left_out += 1
            return
        if isinstance(event, RunFinished):
            outputs = {**event.outputs, "answer": self._answer}
            event = msgspec.structs.replace(event, answer=self._answer, outputs=outputs, error_type="OutputModeration")
        self._inner.append(msgspec.structs.replace(event, seq=event.seq - self._left_out))
