"""What lapses by itself: stops nobody needs any more, traces of old runs, drafts that no run refers to."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, exists, select

from tidemill.domains.runs.models import Run, RunEventBatch, RunSnapshot, RunStop
from tidemill.domains.runs.stops import KEPT
from tidemill.kit.db import Database, now

UNENDED = ("running", "paused")
# A draft that was just stored may belong to a run whose row is about to be.
SNAPSHOT_AGE = timedelta(days=1)
# Rows deleted in one transaction: others must get their turn to write.
BATCH = 500


class RunSweeps:
    """Each method deletes a bounded number of rows; what is left over waits for the next time."""

    def __init__(self, database: Database, *, keeps_days: int | None) -> None:
        self._database = database
        self._keeps_days = keeps_days

    async def stops(self) -> None:
        async with self._database.session() as db:
            await db.execute(delete(RunStop).where(RunStop.created_at < now() - KEPT))

    async def traces(self) -> None:
        """Journals of runs that ended long ago. Their rows stay, with inputs, outputs and cost."""
        if self._keeps_days is None:
            return
        limit = now() - timedelta(days=self._keeps_days)
        async with self._database.session() as db:
            has_trace = exists().where(RunEventBatch.run_id == Run.id)
            old = select(Run.id).where(Run.finished_at < limit, Run.status.not_in(UNENDED), has_trace).limit(BATCH)
            ids = (await db.scalars(old)).all()
            if ids:
                await db.execute(delete(RunEventBatch).where(RunEventBatch.run_id.in_(ids)))

    async def snapshots(self) -> None:
        """Drafts without a run: those whose runs were deleted."""
        async with self._database.session() as db:
            used = exists().where(Run.snapshot_id == RunSnapshot.id)
            unused = select(RunSnapshot.id).where(RunSnapshot.created_at < now() - SNAPSHOT_AGE, ~used).limit(BATCH)
            ids = (await db.scalars(unused)).all()
            if ids:
                await db.execute(delete(RunSnapshot).where(RunSnapshot.id.in_(ids), ~used))
