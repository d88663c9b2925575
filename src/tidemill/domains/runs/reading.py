"""The events of one run as its readers see them, wherever they come from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tidemill.domains.runs.ticket import Ticket
from tidemill.engine.events import Event


class Reader:
    """One subscriber's place in the events. Events are shared, never copied."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._waiter: asyncio.Future[None] | None = None
        self.cursor = 0
        self.is_stalled = False

    @property
    def is_done(self) -> bool:
        """Whether everything was taken and nothing will follow."""
        return self._story.is_closed and self.cursor == len(self._story.events)

    def take(self) -> Sequence[Event]:
        """The events since the last call; empty when there are none."""
        events = self._story.events
        batch = events[self.cursor :] if self.cursor else events[:]
        self.cursor = len(events)
        if batch:
            self.is_stalled = False
            self._story.on_read()
        return batch

    async def wait(self) -> None:
        """Return when there is something to take, the run is over, or `wake` was called."""
        if self.cursor < len(self._story.events) or self._story.is_closed:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        self._story.drop(self)


class Story:
    """What is known of a run's events, in order and without gaps, and who reads them."""

    def __init__(self, ticket: Ticket, told: Sequence[Event] = ()) -> None:
        self.ticket = ticket
        self.events: list[Event] = list(told)
        self.readers: list[Reader] = []
        self.is_closed = False

    def reader(self) -> Reader:
        """A reader that begins at the first event."""
        reader = Reader(self)
        self.readers.append(reader)
        self.on_new_reader()
        return reader

    def drop(self, reader: Reader) -> None:
        if reader in self.readers:
            self.readers.remove(reader)
        self.on_read()

    def show(self, events: Sequence[Event]) -> None:
        """Give readers the next events."""
        self.events.extend(events)
        for reader in self.readers:
            reader.wake()

    def end(self) -> None:
        """Nothing follows."""
        self.is_closed = True
        for reader in self.readers:
            reader.wake()

    def on_new_reader(self) -> None:
        """Called when somebody begins to read."""

    def on_read(self) -> None:
        """Called when a reader has taken events, or left."""
