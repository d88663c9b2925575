"""Follows runs that another process executes, or none at this moment, through their journals."""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.exc import SQLAlchemyError

from tidemill.domains.runs import journals
from tidemill.domains.runs.models import Run, RunEventBatch
from tidemill.domains.runs.reading import Story
from tidemill.domains.runs.ticket import Ticket
from tidemill.engine.events import RunFinished
from tidemill.kit.db import Database
from tidemill.kit.repeating import Repeating

LOOK_S = 0.15
# Of a run that waits for a person.
LOOK_PAUSED_S = 1.0
UNENDED = ("running", "paused")

_log = logging.getLogger(__name__)


class FollowedRun(Story):
    """A run as its journal tells it. It is read as long as it has readers."""

    def __init__(self, ticket: Ticket, run_id: UUID, database: Database) -> None:
        super().__init__(ticket)
        self._run_id = run_id
        self._database = database
        self._looking = Repeating(f"follow run {run_id}", self._look, LOOK_S)

    def start(self) -> None:
        self._looking.start()

    async def close(self) -> None:
        self.end()
        await self._looking.close()

    async def _look(self) -> None:
        if self.is_closed:
            self._looking.finish()
            return
        try:
            status = await self.read()
        except (SQLAlchemyError, OSError):
            _log.warning("The journal of run %s cannot be read at this moment; trying again.", self._run_id)
            return
        self._looking.pause_s = LOOK_PAUSED_S if status == "paused" else LOOK_S

    async def read(self) -> str | None:
        """Read what was added and return the run's status: None when it was deleted."""
        after_seq = self.events[-1].seq if self.events else 0
        newer = and_(RunEventBatch.run_id == Run.id, RunEventBatch.last_seq > after_seq)
        query = (
            select(Run.status, RunEventBatch.first_seq, RunEventBatch.payload)
            .outerjoin(RunEventBatch, newer)
            .where(Run.id == self._run_id)
            .order_by(RunEventBatch.first_seq)
        )
        async with self._database.session() as db:
            rows = (await db.execute(query)).all()
        batches = [(row.first_seq, row.payload) for row in rows if row.first_seq is not None]
        events, _ = journals.joined(batches, after_seq)
        if events:
            self.show(events)
        status: str | None = rows[0].status if rows else None
        # The last event and the row's status are of one commit; a journal that was cleared away has neither.
        if status not in UNENDED and not (events and not isinstance(events[-1], RunFinished)):
            self.end()
        return status


class Following:
    """The runs that this process follows for its readers: each is read once, however many there are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followed: dict[UUID, FollowedRun] = {}

    def follow(self, ticket: Ticket) -> FollowedRun:
        """The run's story, from its first event on. Call `leave` when the reader has gone."""
        run_id = UUID(ticket.run_id)
        known = self._followed.get(run_id)
        if known is None or known.is_closed:
            known = self._followed[run_id] = FollowedRun(ticket, run_id, self._database)
            known.start()
        return known

    async def leave(self, run: FollowedRun) -> None:
        """A reader has gone; the last one ends the reading."""
        if not run.readers:
            self._followed = {key: other for key, other in self._followed.items() if other is not run}
            await run.close()

    async def close(self) -> None:
        followed, self._followed = list(self._followed.values()), {}
        for run in followed:
            await run.close()
