"""The processes that execute runs: each says that it lives, and each looks after the runs of those that do not.

A process holds its runs by one row. Whoever finds it dead deletes that row, which only one can do, and releases its
runs; whoever claims a released run first has it. The row is also what lets a process write (`writers`): a process
that was stalled for longer than its lease, and wakes up after its runs were taken, can add nothing to them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import psutil
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.runs.models import Run, RunExecutor
from tidemill.kit.db import Database, new_id, now

# Of one process at a time, so that no survivor is buried under the runs of the dead.
MAX_CLAIMED = 50
LOCK_TIMEOUT = "2s"
RETRY_S = 1.0
# The system tells the start of a process by its clock, which is set now and then.
SAME_START_S = 5.0

_log = logging.getLogger(__name__)


class Executors:
    """This process among those that execute runs on one database.

    Args:
        lease_s: How long a process may be silent before it is held for dead. Processes of this same host are found
            dead at once, by their pid.
    """

    def __init__(self, database: Database, *, lease_s: float) -> None:
        self.id: UUID = new_id()
        self._database = database
        self._lease_s = lease_s
        self._seen: dict[UUID, tuple[object, float]] = {}

    async def register(self) -> UUID:
        """Enter this process under a new id, which it gets too."""
        process = psutil.Process()
        self.id = new_id()
        async with self._database.session() as db:
            db.add(
                RunExecutor(
                    id=self.id,
                    host=this_host(),
                    pid=process.pid,
                    process_started_at=process.create_time(),
                    seen_at=now(),
                )
            )
        return self.id

    async def enter_again(self, closing: asyncio.Event) -> UUID:
        """Register once the database takes it: this process lost its lease, often because it could not be reached."""
        while True:
            try:
                return await self.register()
            except (SQLAlchemyError, OSError):
                _log.warning("This process could not be entered again; trying again.")
            if closing.is_set():
                return self.id
            await asyncio.sleep(RETRY_S)

    async def beat(self) -> bool:
        """Say that this process lives; False when the others hold it for dead."""
        async with self._database.session() as db:
            mine = update(RunExecutor).where(RunExecutor.id == self.id).values(seen_at=now()).returning(RunExecutor.id)
            return (await db.execute(mine)).first() is not None

    async def sign_off(self) -> None:
        """Release the runs of this process to whoever goes on with them, and remove it."""
        async with self._database.session() as db:
            await db.execute(delete(RunExecutor).where(RunExecutor.id == self.id))
            await _release(db, self.id, is_loss=False)

    async def bury(self) -> None:
        """Release the runs of processes that are gone. Of several that try, one does."""
        async with self._database.session() as db:
            dead = await self._dead(db)
        for executor_id in dead:
            async with self._database.session() as db:
                if self._database.dialect == "postgresql":
                    # A stalled process may hold its row locked, in the middle of a commit: then later.
                    await db.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
                gone = delete(RunExecutor).where(RunExecutor.id == executor_id).returning(RunExecutor.id)
                if (await db.execute(gone)).first() is not None:
                    await _release(db, executor_id, is_loss=True)

    async def claim(self) -> Sequence[UUID]:
        """Take some of the runs that nobody holds. A run is given to one process only."""
        waiting = select(Run.id).where(Run.status == "running", Run.executor_id.is_(None)).limit(MAX_CLAIMED)
        async with self._database.session() as db:
            found = (await db.scalars(waiting)).all()
        if not found:
            return ()
        async with self._database.session() as db:
            taken = (
                update(Run)
                .where(Run.id.in_(found), Run.status == "running", Run.executor_id.is_(None))
                .values(executor_id=self.id, generation=Run.generation + 1)
                .returning(Run.id)
            )
            return (await db.scalars(taken)).all()

    async def claim_paused(self, db: AsyncSession, run_id: UUID) -> bool:
        """Take a paused run, in the transaction of whatever made it go on; False when it is not paused any more."""
        taken = (
            update(Run)
            .where(Run.id == run_id, Run.status == "paused")
            .values(status="running", executor_id=self.id, generation=Run.generation + 1, finished_at=None)
            .returning(Run.id)
        )
        return (await db.execute(taken)).first() is not None

    async def _dead(self, db: AsyncSession) -> list[UUID]:
        rows = (await db.scalars(select(RunExecutor).where(RunExecutor.id != self.id))).all()
        self._seen = {row.id: self._seen.get(row.id, (None, 0.0)) for row in rows}
        dead = [row.id for row in rows if not self._lives(row)]
        # Nor does anybody look after runs whose process is not entered at all.
        entered = select(RunExecutor.id)
        query = select(Run.executor_id).where(
            Run.status == "running", Run.executor_id.is_not(None), Run.executor_id.not_in(entered)
        )
        orphaned = [found for found in (await db.scalars(query.distinct())).all() if found is not None]
        for executor_id in orphaned:
            await _release(db, executor_id, is_loss=True)
        return dead

    def _lives(self, executor: RunExecutor) -> bool:
        if executor.host == this_host() and not _is_running(executor):
            return False
        # By this process's own clock: the clocks of two machines need not agree.
        seen_at, noticed_at = self._seen[executor.id]
        if seen_at != executor.seen_at:
            self._seen[executor.id] = (executor.seen_at, time.monotonic())
            return True
        return time.monotonic() - noticed_at < self._lease_s


async def _release(db: AsyncSession, executor_id: UUID, *, is_loss: bool) -> None:
    values: dict[str, object] = {"executor_id": None}
    if is_loss:
        values["losses"] = Run.losses + 1
    await db.execute(update(Run).where(Run.executor_id == executor_id, Run.status == "running").values(values))


def _is_running(executor: RunExecutor) -> bool:
    try:
        process = psutil.Process(executor.pid)
        is_same = abs(process.create_time() - executor.process_started_at) < SAME_START_S
        # A process that was killed stays in the table until its parent asks for it.
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def this_host() -> str:
    """Names the machine, its boot and, in containers, the space in which process ids count."""
    parts = [socket.gethostname()]
    if sys.platform == "linux":
        try:
            parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
            parts.append(os.readlink("/proc/self/ns/pid"))
        except OSError:
            parts.append("")
    return "/".join(parts)[:255]
