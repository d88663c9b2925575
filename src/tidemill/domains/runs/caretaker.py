"""What a process does beside its runs: it says that it lives, goes on with runs of the dead, and clears away."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from tidemill.domains.runs.executors import Executors
from tidemill.domains.runs.successor import Successor
from tidemill.kit.repeating import Repeating

# Within this, runs of a process that died on the same host go on elsewhere.
LOOK_S = 1.0
BEATS_PER_LEASE = 6
SWEEP_S = 300.0

_log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]


class Caretaker:
    """Looks after this process's lease and others' runs, once a second.

    Args:
        on_lost: Called with the id under which this process was held for dead.
        sweeps: What is done every few minutes: each removes something that has lapsed.
    """

    def __init__(
        self,
        executors: Executors,
        successor: Successor,
        *,
        lease_s: float,
        on_lost: Callable[[UUID], Awaitable[None]],
        sweeps: list[Job],
    ) -> None:
        self.sweeps = sweeps
        self._executors = executors
        self._successor = successor
        self._beat_s = lease_s / BEATS_PER_LEASE
        self._on_lost = on_lost
        self._beaten_at = time.monotonic()
        # Not at the start, which has enough to do.
        self._swept_at = time.monotonic()
        self._looking = Repeating("caretaker of runs", self._look, LOOK_S)

    def start(self) -> None:
        self._looking.start()

    async def close(self) -> None:
        await self._looking.close()
        await self._successor.close()

    async def _look(self) -> None:
        try:
            if time.monotonic() - self._beaten_at >= self._beat_s:
                self._beaten_at = time.monotonic()
                if not await self._executors.beat():
                    await self._on_lost(self._executors.id)
            await self._executors.bury()
            self._successor.take(await self._executors.claim())
            if time.monotonic() - self._swept_at >= SWEEP_S:
                self._swept_at = time.monotonic()
                for sweep in self.sweeps:
                    await sweep()
        except (SQLAlchemyError, OSError) as error:
            _log.warning(
                "The database cannot be asked for runs to go on with (%s); trying again.", type(error).__name__
            )
