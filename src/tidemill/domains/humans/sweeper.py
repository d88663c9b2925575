"""One per process: closes forms whose time has passed, and lets runs go on whose answer nobody took up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from tidemill.domains.humans import service
from tidemill.domains.humans.models import Form
from tidemill.kit.db import Database, now

# Forms of other processes, and answers that a process left when it ended, are seen after at most this.
LOOK_S = 5.0
SOON_S = 0.1
BATCH = 200

_log = logging.getLogger(__name__)


class Sweeper:
    """Looks at an index, not at forms: thousands that wait cost nothing."""

    def __init__(
        self, database: Database, resume: Callable[[UUID], Awaitable[object]], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._database = database
        self._resume = resume
        self._clock = clock
        self._is_closing = False
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="form sweeper")

    async def close(self) -> None:
        """Return when what is being done has ended."""
        self._is_closing = True
        self._woken.set()
        if self._task is not None:
            await self._task

    def wake(self) -> None:
        """Look at once: a run has paused, and its answer may be there already."""
        self._woken.set()

    async def sweep(self) -> int:
        """Do what is due and return how many runs went on."""
        async with self._database.session() as db:
            runs = await service.overdue(db, self._clock(), limit=BATCH)
        for run_id in runs:
            await self._resume(run_id)
        return len(runs)

    async def close_ended(self) -> None:
        """Note of forms whose run has ended that nobody can answer them any more."""
        async with self._database.session() as db:
            await service.close_ended(db)

    async def _run(self) -> None:
        while not self._is_closing:
            self._woken.clear()
            try:
                pause_s = SOON_S if await self.sweep() == BATCH else await self._pause()
            except (SQLAlchemyError, OSError):
                _log.warning("Forms could not be looked at; trying again.")
                pause_s = LOOK_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()

    async def _pause(self) -> float:
        """Seconds until the next form is due, within bounds."""
        moment = self._clock()
        async with self._database.session() as db:
            following = await db.scalar(select(func.min(Form.due_at)).where(Form.due_at > moment))
        return LOOK_S if following is None else min(LOOK_S, max(SOON_S, (following - moment).total_seconds()))
