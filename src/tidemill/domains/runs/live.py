"""A run in this process: its events so far, who reads them, and where they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import Table

from tidemill.domains.runs.journal_codec import pack
from tidemill.domains.runs.models import RunEventBatch
from tidemill.domains.runs.recorder import Recorder
from tidemill.domains.runs.ticket import Ticket
from tidemill.engine.events import Event, RunFinished

# Readers further behind than this make the run wait, but only so long: a stalled client must not hold a run.
MAX_BEHIND = 512
MAX_WAIT_S = 10.0

BATCHES = cast(Table, RunEventBatch.__table__)


class Reader:
    """One subscriber's place in the events. Events are shared, never copied."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._waiter: asyncio.Future[None] | None = None
        self.cursor = 0
        self.is_stalled = False

    @property
    def is_done(self) -> bool:
        """Whether everything was taken and nothing will follow."""
        return self._live.is_closed and self.cursor == len(self._live.events)

    def take(self) -> Sequence[Event]:
        """The events since the last call; empty when there are none."""
        events = self._live.events
        batch = events[self.cursor :] if self.cursor else events[:]
        self.cursor = len(events)
        if batch:
            self.is_stalled = False
            self._live.on_read()
        return batch

    async def wait(self) -> None:
        """Return when there is something to take, the run is over, or `wake` was called."""
        if self.cursor < len(self._live.events) or self._live.is_closed:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        self._live.drop(self)


class LiveRun:
    """Implements `engine.journal.Journal` for one run and hands its events to readers.

    The last event is shown only after everything is durable: a client that has seen the end can read the record.
    """

    def __init__(self, ticket: Ticket, run_id: UUID, recorder: Recorder) -> None:
        self.ticket = ticket
        self.run_id = run_id
        self.events: list[Event] = []
        self.is_closed = False
        self.finished: asyncio.Future[RunFinished] = asyncio.get_running_loop().create_future()
        self.on_event: list[Callable[[Event], None]] = []
        self._recorder = recorder
        self._readers: list[Reader] = []
        self.final: RunFinished | None = None
        self._unwritten: list[Event] = []
        self._slowest = 0
        self._caught_up: asyncio.Future[None] | None = None

    # ------------------------------------------------------------ Journal

    def append(self, event: Event) -> None:
        if not self._unwritten:
            self._recorder.announce(self.run_id, self._flush)
        self._unwritten.append(event)
        for observe in self.on_event:
            observe(event)
        if isinstance(event, RunFinished):
            self.final = event
            return
        self.events.append(event)
        for reader in self._readers:
            reader.wake()

    async def settle(self) -> None:
        await self._recorder.settle(self.run_id)

    async def drain(self) -> None:
        if len(self.events) - self._slowest < MAX_BEHIND or not self._readers:
            return
        self._measure()
        if len(self.events) - self._slowest < MAX_BEHIND:
            return
        self._caught_up = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                await self._caught_up
        except TimeoutError:
            for reader in self._readers:
                reader.is_stalled = len(self.events) - reader.cursor >= MAX_BEHIND
        self._measure()

    # ------------------------------------------------------------ readers

    def reader(self) -> Reader:
        reader = Reader(self)
        self._readers.append(reader)
        return reader

    def drop(self, reader: Reader) -> None:
        if reader in self._readers:
            self._readers.remove(reader)
        self.on_read()

    def on_read(self) -> None:
        if self._caught_up is not None and not self._caught_up.done():
            self._measure()
            if len(self.events) - self._slowest < MAX_BEHIND:
                self._caught_up.set_result(None)

    def close(self, finished: RunFinished) -> None:
        """Show the last event and end."""
        self.events.append(finished)
        self.is_closed = True
        if not self.finished.done():
            self.finished.set_result(finished)
        for reader in self._readers:
            reader.wake()

    def _measure(self) -> None:
        cursors = [reader.cursor for reader in self._readers if not reader.is_stalled]
        self._slowest = min(cursors, default=len(self.events))

    def _flush(self) -> None:
        events, self._unwritten = self._unwritten, []
        if events:
            row = {
                "run_id": self.run_id,
                "first_seq": events[0].seq,
                "last_seq": events[-1].seq,
                "payload": pack(events),
            }
            self._recorder.insert(self.run_id, BATCHES, row)
