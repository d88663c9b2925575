"""Goes on with stored runs: those of processes that are gone, and paused ones that have what they waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import undefer

from tidemill.domains.runs import journals
from tidemill.domains.runs.endings import without_going_on
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.models import Run
from tidemill.domains.runs.programs import Program, Programs
from tidemill.domains.runs.rows import Begin, Start, begin_of, ending_of, ticket_of
from tidemill.domains.runs.runner import RUNS, Observer, Runner
from tidemill.domains.runs.stops import Stop
from tidemill.domains.runs.ticket import Creator
from tidemill.engine.events import Event, NodeFinished, RunFinished, RunStatus
from tidemill.kit.crypto import SecretUnreadable
from tidemill.kit.db import Database
from tidemill.kit.errors import AppError

POISONED = "RunKillsProcess"
UNREADABLE = "RunUnreadable"
STOPPED = "Stopped"
RETRY_S = 1.0
# Runs that are made ready at the same time; each needs a connection for a moment.
MAX_AT_ONCE = 8

_log = logging.getLogger(__name__)


class Origin(Protocol):
    """The domain that starts runs, asked to make again what it gave to a run at its start."""

    async def observer(self, run: Run, begin: Begin) -> Observer | None:
        """What keeps the run's meaning, without anything that is needed to execute it."""
        ...

    async def start(self, run: Run, begin: Begin, program: Program) -> Start:
        """All that the run needs."""
        ...


class Successor:
    """Continues runs that this process holds but does not execute yet.

    Args:
        max_losses: How many processes in a row a run may take with it, without getting any further, before it ends.
    """

    def __init__(
        self, database: Database, runner: Runner, programs: Programs, origin: Origin, *, max_losses: int
    ) -> None:
        self._database = database
        self._runner = runner
        self._programs = programs
        self._origin = origin
        self._max_losses = max_losses
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def close(self) -> None:
        """Return when no run is being made ready any more."""
        self._is_closing = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self, run_ids: Sequence[UUID]) -> None:
        """Go on with runs that were claimed for this process."""
        for run_id in run_ids:
            task = asyncio.create_task(self._take(run_id), name=f"take over run {run_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def resume(self, run_id: UUID) -> bool:
        """Go on with a paused run; False when it is not paused any more."""
        async with self._database.session() as db:
            if not await self._runner.executors.claim_paused(db, run_id):
                return False
        self.take([run_id])
        return True

    async def stop_unheld(self, stop: Stop) -> None:
        """Note a stop in the row of a run that another process holds or none; end it here if it is paused."""
        query = select(Run).where(
            Run.task_id == UUID(stop.task_id),
            Run.app_id == UUID(stop.app_id),
            Run.status.in_(("running", "paused")),
        )
        async with self._database.session() as db:
            run = (await db.scalars(query.options(undefer(Run.began_with)))).first()
            if run is None:
                return
            user = begin_or_nobody(run).user
            if stop.user is not None and stop.user != user:
                return
            run.stop_reason = f"Stopped by user {user}."
            await db.flush()
            if not await self._runner.executors.claim_paused(db, run.id):
                return
        self.take([run.id])

    # ------------------------------------------------------------ one run

    async def _take(self, run_id: UUID) -> None:
        """Until it goes on or has ended: a run that is held but not executed would be stuck."""
        while not self._is_closing:
            try:
                async with self._slots:
                    await self._go_on(run_id)
            except (SQLAlchemyError, OSError):
                _log.warning("Run %s cannot be read at this moment; trying again.", run_id)
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _go_on(self, run_id: UUID) -> None:
        query = select(Run).where(Run.id == run_id).options(undefer(Run.began_with))
        async with self._database.session() as db:
            run = (await db.scalars(query)).first()
            if run is None or run.executor_id != self._runner.executors.id or run.status != "running":
                return
            events = await journals.read_and_cut(db, run_id)
            is_hopeless = self._count_losses(run, events)
        begin = begin_or_nobody(run)
        if events and isinstance(events[-1], RunFinished):
            # It had ended; only its row did not know yet.
            await self._close(run, begin, events[:-1], events[-1])
        elif run.stop_reason is not None:
            await self._end(run, begin, events, "stopped", run.stop_reason, STOPPED)
        elif begin.preset is not None and events:
            await self._end(run, begin, events, "succeeded", None, None)
        elif is_hopeless:
            sentence = (
                f"The server process ended {run.losses} times in a row while it ran this, so it is not tried again. "
                "Look into the server's log; a node may need more memory than there is."
            )
            await self._end(run, begin, events, "failed", sentence, POISONED)
        else:
            await self._continue(run, begin, events)

    def _count_losses(self, run: Run, events: Sequence[Event]) -> bool:
        """Note how far the run got; True when it has taken too many processes with it."""
        if any(isinstance(event, NodeFinished) and event.seq > run.lost_at_seq for event in events):
            run.losses = min(run.losses, 1)
        run.lost_at_seq = events[-1].seq if events else 0
        return run.losses > self._max_losses

    async def _continue(self, run: Run, begin: Begin, events: list[Event]) -> None:
        try:
            begin_of(run)
            program = await self._programs.of_run(run)
            start = await self._origin.start(run, begin, program)
        except (AppError, SecretUnreadable, msgspec.DecodeError) as error:
            sentence = f"The run cannot go on: {error}"
            await self._end(run, begin, events, "failed", sentence, UNREADABLE)
            return
        except (SQLAlchemyError, OSError):
            raise
        except Exception:  # noqa: BLE001 - the edge of a job: a run that cannot be made ready must still end
            _log.exception("Run %s cannot go on.", run.id)
            sentence = "The run cannot go on: the server met an unforeseen fault. Its log has the details."
            await self._end(run, begin, events, "failed", sentence, UNREADABLE)
            return
        observer = await self._origin.observer(run, begin)
        self._runner.go_on(start, observer, events)
        async with self._database.session() as db:
            # A stop may have come between reading the run and entering it among those that run.
            reason = await db.scalar(select(Run.stop_reason).where(Run.id == run.id))
        if reason is not None:
            self._runner.stop_here(run.id, reason)

    async def _end(
        self,
        run: Run,
        begin: Begin,
        events: list[Event],
        status: RunStatus,
        sentence: str | None,
        error_type: str | None,
    ) -> None:
        finished = without_going_on(str(run.id), events, status, sentence, error_type)
        live = LiveRun(ticket_of(run, begin), run.id, self._runner.recorder, events)
        await self._runner.end(live, finished, await self._origin.observer(run, begin))

    async def _close(self, run: Run, begin: Begin, events: Sequence[Event], finished: RunFinished) -> None:
        recorder = self._runner.recorder
        recorder.update(run.id, RUNS, (run.id,), ending_of(finished))
        if (observer := await self._origin.observer(run, begin)) is not None:
            observer.on_told(events)
            observer.on_finish(finished)


def begin_or_nobody(run: Run) -> Begin:
    """What a run began with; of one that cannot be read, what its row still tells."""
    try:
        return begin_of(run)
    except msgspec.DecodeError:
        creator = Creator(id=str(run.account_id or run.end_user_id or ""), is_account=run.account_id is not None)
        return Begin(creator=creator, user=creator.id, created_at=int(run.created_at.timestamp()))
