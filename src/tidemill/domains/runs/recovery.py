"""Processes that execute runs say that they live; runs of those that do not are ended by the others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import psutil
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.runs.models import Run, RunExecutor
from tidemill.kit.db import Database, new_id, now

BEAT_S = 15.0
LEASE = timedelta(seconds=60)
LOST = "The server process that ran this ended unexpectedly. Start the run again."

# Told of the runs that were ended, in the same transaction.
OnLost: TypeAlias = Callable[[AsyncSession, Sequence[UUID]], Awaitable[None]]

_log = logging.getLogger(__name__)


class Executor:
    """This process among those that execute runs."""

    def __init__(self, database: Database, *, on_lost: OnLost) -> None:
        self.id: UUID = new_id()
        self._on_lost = on_lost
        self._database = database
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Register, and end the runs of dead processes."""
        process = psutil.Process()
        async with self._database.session() as db:
            db.add(
                RunExecutor(
                    id=self.id,
                    host=socket.gethostname(),
                    pid=process.pid,
                    process_started_at=process.create_time(),
                    seen_at=now(),
                )
            )
            await db.flush()
            await self._end_lost(db)
        self._beating = asyncio.create_task(self._beat(), name="executor heartbeat")

    async def close(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
        async with self._database.session() as db:
            await db.execute(delete(RunExecutor).where(RunExecutor.id == self.id))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                async with self._database.session() as db:
                    await db.execute(update(RunExecutor).where(RunExecutor.id == self.id).values(seen_at=now()))
                    await self._end_lost(db)
            except (SQLAlchemyError, OSError):
                _log.warning("The heartbeat could not be written; trying again.", exc_info=True)

    async def _end_lost(self, db: AsyncSession) -> None:
        if lost := await end_lost_runs(db):
            await self._on_lost(db, lost)


async def end_lost_runs(db: AsyncSession) -> Sequence[UUID]:
    """End as failed every run whose process is gone, and return their ids."""
    executors = (await db.scalars(select(RunExecutor))).all()
    dead = [executor.id for executor in executors if not _lives(executor)]
    alive = [executor.id for executor in executors if executor.id not in dead]
    lost = (await db.scalars(select(Run.id).where(Run.status == "running", Run.executor_id.not_in(alive)))).all()
    if lost:
        ending = {"status": "failed", "error": LOST, "error_type": "ProcessLost", "finished_at": now()}
        await db.execute(update(Run).where(Run.id.in_(lost), Run.status == "running").values(ending))
    if dead:
        await db.execute(delete(RunExecutor).where(RunExecutor.id.in_(dead)))
    return lost


def _lives(executor: RunExecutor) -> bool:
    if executor.host != socket.gethostname():
        return now() - executor.seen_at < LEASE
    try:
        return abs(psutil.Process(executor.pid).create_time() - executor.process_started_at) < 1.0
    except psutil.Error:
        return False
