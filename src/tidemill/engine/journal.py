"""Where a run's events go."""

from __future__ import annotations

from typing import Protocol

from tidemill.engine.events import Event


class Journal(Protocol):
    """Receives every event of one run, in order."""

    def append(self, event: Event) -> None:
        """Take an event. Never waits and never fails: faults surface from `settle`."""
        ...

    async def settle(self) -> None:
        """Return when everything appended so far is durable.

        The scheduler waits here after a node that touched the outside world, before its successors start.
        """
        ...

    async def drain(self) -> None:
        """Return when readers have caught up enough for more text: the back-pressure of streams."""
        ...


class NullJournal:
    """Keeps nothing: for runs whose caller only wants the result."""

    def append(self, event: Event) -> None:
        del event

    async def settle(self) -> None:
        return

    async def drain(self) -> None:
        return


class MemoryJournal(NullJournal):
    """Keeps the events in a list: for tests, the CLI and single-node runs."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event) -> None:
        self.events.append(event)
