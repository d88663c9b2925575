"""Starts runs and looks after them: they outlive the client's connection, and stop when told to."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table

from tidemill.domains.runs.errors import TooManyRequests
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.models import Run
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.recorder import JournalFailed, Recorder
from tidemill.domains.runs.ticket import Surface, Ticket
from tidemill.engine import scheduler
from tidemill.engine.events import Event, RunFinished
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Limits
from tidemill.engine.values import VariablePool, plain
from tidemill.kit.bus import Bus
from tidemill.kit.db import now

RUNS = cast(Table, Run.__table__)
STOP_TOPIC = "runs.stop"
MAX_SLOT_S = 600.0
GRACE_S = 5.0

Ports: TypeAlias = Mapping[type, object]
PortFactory: TypeAlias = Callable[[UUID], Ports]

_log = logging.getLogger(__name__)


class Observer(Protocol):
    """Keeps what a run means to the domain that started it. Queues rows; never waits."""

    def on_event(self, event: Event) -> None: ...

    def on_finish(self, finished: RunFinished) -> None:
        """Called before the end is shown, with the rows of this moment still to be committed."""
        ...


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run needs. `inputs` is what the first event shows; `user` names the caller in a stop."""

    ticket: Ticket
    program: Program
    pool: VariablePool
    inputs: Mapping[str, Any]
    ports: Ports
    source: Surface
    user: str
    query: str = ""
    trace_id: str | None = None


class _Stop(msgspec.Struct, frozen=True):
    task_id: str
    app_id: str
    user: str | None


class _Supervised(msgspec.Struct):
    live: LiveRun
    run: scheduler.Run
    start: Start
    task: asyncio.Task[None] | None = None


class Runner:
    """The runs of this process."""

    def __init__(
        self,
        recorder: Recorder,
        bus: Bus,
        *,
        executor_id: UUID,
        ports: PortFactory,
        limits: Limits | None = None,
        max_active: int = 0,
    ) -> None:
        self.recorder = recorder
        self.ports = ports
        self._bus = bus
        self._executor_id = executor_id
        self._limits = limits or Limits()
        self.max_active = max_active
        self._active: Counter[UUID] = Counter()
        self._runs: dict[str, _Supervised] = {}

    def open(self) -> None:
        """Listen for stops that other processes were asked for."""
        self._bus.listen(STOP_TOPIC, self._on_stop)

    async def close(self) -> None:
        """End all runs, with what they have so far."""
        self._bus.forget(STOP_TOPIC, self._on_stop)
        tasks = [supervised.task for supervised in self._runs.values() if supervised.task is not None]
        for supervised in self._runs.values():
            supervised.run.stop("The server was shut down while this ran.")
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def enter(self, app_id: UUID) -> Callable[[], None]:
        """Take one of the app's places and return what gives it back. Raises `TooManyRequests`."""
        if not self.max_active:
            return _nothing
        if self._active[app_id] >= self.max_active:
            raise TooManyRequests(
                f"The app already serves {self.max_active} requests, its limit. Try again when one has ended."
            )
        self._active[app_id] += 1
        is_held = True

        def leave() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                timer.cancel()
                self._active[app_id] -= 1

        timer = asyncio.get_running_loop().call_later(MAX_SLOT_S, leave)
        return leave

    def start(self, start: Start, observer: Observer | None = None) -> LiveRun:
        """Begin a run. It goes on by itself; its events are read from what is returned."""
        run_id = UUID(start.ticket.run_id)
        live = LiveRun(start.ticket, run_id, self.recorder)
        if observer is not None:
            live.on_event.append(observer.on_event)
        ticket, program = start.ticket, start.program
        run = scheduler.Run(
            program.compiled.graph,
            start.pool,
            info=RunInfo(
                run_id=ticket.run_id,
                app_id=ticket.app_id,
                workflow_id=ticket.workflow_id,
                user_id=start.user,
                conversation_id=ticket.conversation_id,
            ),
            ports=start.ports,
            journal=live,
            inputs=start.inputs,
            limits=self._limits,
        )
        self.recorder.insert(run_id, RUNS, _row(start, run_id, self._executor_id))
        supervised = _Supervised(live, run, start)
        self._runs[ticket.task_id] = supervised
        supervised.task = asyncio.create_task(self._drive(supervised, observer), name=f"run {run_id}")
        return live

    def is_running(self, task_id: str) -> bool:
        """Whether this process runs the task now."""
        return task_id in self._runs

    async def stop(self, task_id: str, app_id: UUID, user: str | None) -> None:
        """Stop a task of this app, in whichever process it runs. With `user`, only if that user started it."""
        message = _Stop(task_id, str(app_id), user)
        if task_id in self._runs:
            self._stop(message)
        else:
            await self._bus.publish(STOP_TOPIC, msgspec.json.encode(message))

    async def _on_stop(self, message: bytes) -> None:
        self._stop(msgspec.json.decode(message, type=_Stop))

    def _stop(self, message: _Stop) -> None:
        supervised = self._runs.get(message.task_id)
        if supervised is None or supervised.start.ticket.app_id != message.app_id:
            return
        user = supervised.start.user
        if message.user is None or message.user == user:
            supervised.run.stop(f"Stopped by user {user}.")

    async def _drive(self, supervised: _Supervised, observer: Observer | None) -> None:
        live, start = supervised.live, supervised.start
        try:
            try:
                finished = await supervised.run.execute()
            except asyncio.CancelledError:
                finished = live.final or _broken(start, "stopped", "The server was shut down while this ran.")
            except Exception:  # noqa: BLE001 - the edge of a job: a broken run must still end
                _log.exception("A run broke.")
                finished = _broken(start, "failed", "The server met an unforeseen fault. Its log has the details.")
            if live.final is None:
                live.append(finished)
            if observer is not None:
                observer.on_finish(finished)
            live.close(await self._save(live, finished))
        finally:
            self._runs.pop(start.ticket.task_id, None)

    async def _save(self, live: LiveRun, finished: RunFinished) -> RunFinished:
        """Commit how the run ended. What could not be saved did not succeed."""
        self.recorder.update(live.run_id, RUNS, (live.run_id,), _ending(finished))
        try:
            await self.recorder.settle(live.run_id)
        except JournalFailed as error:
            return msgspec.structs.replace(finished, status="failed", error=str(error), error_type="JournalFailed")
        return finished


def _row(start: Start, run_id: UUID, executor_id: UUID) -> dict[str, Any]:
    ticket, program = start.ticket, start.program
    creator = UUID(ticket.creator.id) if ticket.creator.id else None
    is_account = ticket.creator.is_account
    return {
        "id": run_id,
        "workspace_id": program.workspace_id,
        "app_id": program.app_id,
        "version_id": program.version_id,
        "workflow_id": program.workflow_id,
        "task_id": UUID(ticket.task_id),
        "executor_id": executor_id,
        "mode": ticket.mode,
        "source": start.source,
        "end_user_id": None if is_account else creator,
        "account_id": creator if is_account else None,
        "conversation_id": UUID(ticket.conversation_id) if ticket.conversation_id else None,
        "status": "running",
        "query": start.query,
        "inputs": plain(dict(start.inputs)),
        "outputs": None,
        "error": None,
        "error_type": None,
        "elapsed_s": None,
        "total_tokens": 0,
        "total_steps": 0,
        "exceptions_count": 0,
        "total_price": "0",
        "currency": "USD",
        "trace_id": start.trace_id,
        "created_at": now(),
        "finished_at": None,
    }


def _ending(finished: RunFinished) -> dict[str, Any]:
    return {
        "status": finished.status,
        "outputs": finished.outputs,
        "error": finished.error,
        "error_type": finished.error_type,
        "elapsed_s": finished.elapsed_s,
        "total_tokens": finished.total_tokens,
        "total_steps": finished.total_steps,
        "exceptions_count": finished.exceptions_count,
        "total_price": finished.usage.total_price,
        "currency": finished.usage.currency,
        "finished_at": datetime.fromtimestamp(finished.at, UTC),
    }


def _broken(start: Start, status: str, sentence: str) -> RunFinished:
    moment = now().timestamp()
    return RunFinished(
        seq=1_000_000_000,  # after everything the run may have said
        at=moment,
        run_id=start.ticket.run_id,
        status="stopped" if status == "stopped" else "failed",
        outputs={},
        started_at=moment,
        elapsed_s=0.0,
        total_tokens=0,
        total_steps=0,
        error=sentence,
        error_type="ServerFault",
    )


def _nothing() -> None:
    return
