"""A run in this process: its events so far, who reads them, and where they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import Table

from tidemill.domains.runs.errors import RunUnfinished
from tidemill.domains.runs.journal_codec import pack
from tidemill.domains.runs.models import RunEventBatch
from tidemill.domains.runs.reading import Story
from tidemill.domains.runs.recorder import JournalFailed, Recorder
from tidemill.domains.runs.ticket import Ticket
from tidemill.engine.events import Event, RunFinished

# Readers further behind than this make the run wait, but only so long: a stalled client must not hold a run.
MAX_BEHIND = 512
MAX_WAIT_S = 10.0

BATCHES = cast(Table, RunEventBatch.__table__)


class LiveRun(Story):
    """Implements `engine.journal.Journal` for one run and hands its events to readers.

    An event is shown only after it is durable: whatever a client has seen is there when it attaches again, to
    whichever process goes on with the run; and a client that has seen the end can read the record.

    Attributes:
        final: The last event, as soon as the run gave it.
        finished: How the run ended or paused, once that is durable. Raises `RunUnfinished` when this process is
            not the one that ends it.
        on_failure: Told when events could not be stored.
    """

    def __init__(self, ticket: Ticket, run_id: UUID, recorder: Recorder, told: Sequence[Event] = ()) -> None:
        super().__init__(ticket, told)
        self.run_id = run_id
        self.finished: asyncio.Future[RunFinished] = asyncio.get_running_loop().create_future()
        self.on_event: list[Callable[[Event], None]] = []
        self.on_failure: Callable[[JournalFailed], None] | None = None
        self.final: RunFinished | None = None
        self.failure: JournalFailed | None = None
        self.durable_seq = told[-1].seq if told else 0
        self._recorder = recorder
        self._is_left = False
        self._unwritten: list[Event] = []
        self._writing: list[Event] = []
        self._slowest = 0
        self._caught_up: asyncio.Future[None] | None = None

    # ------------------------------------------------------------ Journal

    def append(self, event: Event) -> None:
        if self._is_left or self.failure is not None:
            return
        if not self._unwritten:
            self._recorder.announce(self.run_id, self._flush, self._on_written)
        self._unwritten.append(event)
        for observe in self.on_event:
            observe(event)
        if isinstance(event, RunFinished):
            self.final = event
        elif self.readers:
            self._recorder.hurry()

    async def settle(self) -> None:
        if not self._is_left:
            try:
                await self._recorder.settle(self.run_id)
            except JournalFailed:
                if self.on_failure is None:
                    raise
            else:
                return
        # The run must not get any further. Whoever left it, or was told of the failure, cancels what waits here.
        await asyncio.get_running_loop().create_future()

    async def drain(self) -> None:
        if len(self.events) + len(self._unwritten) - self._slowest < MAX_BEHIND or not self.readers:
            return
        self._measure()
        if self._behind() < MAX_BEHIND:
            return
        self._caught_up = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                await self._caught_up
        except TimeoutError:
            for reader in self.readers:
                reader.is_stalled = len(self.events) - reader.cursor >= MAX_BEHIND
        self._measure()

    # ------------------------------------------------------------ readers

    def on_new_reader(self) -> None:
        if self._unwritten:
            self._recorder.hurry()

    def on_read(self) -> None:
        if self._caught_up is not None and not self._caught_up.done():
            self._measure()
            if self._behind() < MAX_BEHIND:
                self._caught_up.set_result(None)

    # ------------------------------------------------------------ the end

    def close(self, finished: RunFinished) -> None:
        """Show the last event and end. After a pause that is in the events already."""
        if finished.status != "paused":
            self.show([finished])
        if not self.finished.done():
            self.finished.set_result(finished)
        self.end()

    def leave(self) -> None:
        """Take no more events: another process goes on with the run from what is durable."""
        self._is_left = True

    def close_unfinished(self, sentence: str) -> None:
        """End the streams of a run that goes on elsewhere, or later."""
        if not self.finished.done():
            self.finished.set_exception(RunUnfinished(sentence))
            self.finished.exception()  # read here, so that nobody has to
        self.end()

    def _behind(self) -> int:
        return len(self.events) + len(self._unwritten) - self._slowest

    def _measure(self) -> None:
        cursors = [reader.cursor for reader in self.readers if not reader.is_stalled]
        self._slowest = min(cursors, default=len(self.events))

    def _flush(self) -> None:
        events, self._unwritten = self._unwritten, []
        if events:
            self._writing = events
            self._recorder.insert(self.run_id, BATCHES, self.row_of(events))

    def row_of(self, events: Sequence[Event]) -> dict[str, object]:
        """Consecutive events as a row of the journal."""
        first_seq, last_seq = events[0].seq, events[-1].seq
        return {"run_id": self.run_id, "first_seq": first_seq, "last_seq": last_seq, "payload": pack(events)}

    def _on_written(self, failure: JournalFailed | None) -> None:
        events, self._writing = self._writing, []
        if failure is not None:
            self.failure = failure
            if self.on_failure is not None:
                self.on_failure(failure)
        elif events:
            self.durable_seq = events[-1].seq
            self.show(events[:-1] if isinstance(events[-1], RunFinished) else events)
