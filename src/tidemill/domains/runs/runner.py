"""Starts runs and looks after them: they outlive the client's connection, and stop when told to."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from tidemill.domains.runs.errors import TooManyRequests
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.models import Run
from tidemill.domains.runs.moderation import PresetRun, Withdrawing
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.recorder import JournalFailed, Recorder
from tidemill.domains.runs.rows import Ports, Start, broken, ending_of, row_of
from tidemill.domains.runs.stops import Stop, StopBoard
from tidemill.engine import scheduler
from tidemill.engine.events import Event, RunFinished
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Limits
from tidemill.kit.bus import Bus

RUNS = cast(Table, Run.__table__)
STOP_TOPIC = "runs.stop"
MAX_SLOT_S = 600.0
GRACE_S = 5.0
# How often a process with runs looks for stops that others were asked for.
LOOK_S = 0.25

PortFactory: TypeAlias = Callable[[UUID], Ports]

_log = logging.getLogger(__name__)


class Observer(Protocol):
    """Keeps what a run means to the domain that started it. Queues rows; never waits."""

    def on_event(self, event: Event) -> None: ...

    def on_finish(self, finished: RunFinished) -> None:
        """Called before the end is shown, with the rows of this moment still to be committed."""
        ...


class _Supervised(msgspec.Struct):
    live: LiveRun
    run: scheduler.Run | PresetRun
    start: Start
    task: asyncio.Task[None] | None = None


class Runner:
    """The runs of this process. Stops come from other processes over the bus or, with a `board`, through it."""

    def __init__(
        self,
        recorder: Recorder,
        bus: Bus,
        *,
        executor_id: UUID,
        ports: PortFactory,
        limits: Limits | None = None,
        max_active: int = 0,
        board: StopBoard | None = None,
    ) -> None:
        self.recorder = recorder
        self.ports = ports
        self._bus = bus
        self._executor_id = executor_id
        self._limits = limits or Limits()
        self.max_active = max_active
        self._active: Counter[UUID] = Counter()
        self._runs: dict[str, _Supervised] = {}
        self._board = board
        self._is_busy = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Listen for stops that other processes were asked for."""
        self._bus.listen(STOP_TOPIC, self._on_stop)
        if self._board is not None:
            self._looking = asyncio.create_task(self._look(self._board), name="stops of other processes")

    async def close(self) -> None:
        """End all runs, with what they have so far."""
        self._bus.forget(STOP_TOPIC, self._on_stop)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        tasks = [supervised.task for supervised in self._runs.values() if supervised.task is not None]
        for supervised in self._runs.values():
            supervised.run.stop("The server was shut down while this ran.")
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def enter(self, program: Program) -> Callable[[], None]:
        """Take one of the app's places and return what gives it back. Raises `TooManyRequests`.

        The app's own limit and the setting's both hold: the smaller one counts, 0 is none.
        """
        app_id = program.app_id
        limit = min(filter(None, (program.max_active, self.max_active)), default=0)
        if not limit:
            return _nothing
        if self._active[app_id] >= limit:
            raise TooManyRequests(
                f"The app already serves {limit} {'request' if limit == 1 else 'requests'}, its limit. "
                "Try again when one has ended."
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
        ticket = start.ticket
        run = self._run(start, live)
        self.recorder.insert(run_id, RUNS, row_of(start, run_id, self._executor_id))
        supervised = _Supervised(live, run, start)
        self._runs[ticket.task_id] = supervised
        self._is_busy.set()
        supervised.task = asyncio.create_task(self._drive(supervised, observer), name=f"run {run_id}")
        return live

    def _run(self, start: Start, live: LiveRun) -> scheduler.Run | PresetRun:
        ticket = start.ticket
        info = RunInfo(
            run_id=ticket.run_id,
            app_id=ticket.app_id,
            workflow_id=ticket.workflow_id,
            user_id=start.user,
            conversation_id=ticket.conversation_id,
        )
        if start.preset is not None:
            return PresetRun(start.preset, info=info, journal=live, inputs=start.inputs)
        run = scheduler.Run(
            start.program.compiled.graph,
            start.pool,
            info=info,
            ports=start.ports,
            journal=live,
            inputs=start.inputs,
            limits=self._limits,
        )
        if start.moderation is not None and start.moderation.output_answer is not None:
            run.journal = Withdrawing(live, start.moderation, stop=run.stop)
        return run

    def is_running(self, task_id: str) -> bool:
        """Whether this process runs the task now."""
        return task_id in self._runs

    def abandon(self, live: LiveRun) -> None:
        """Stop a run whose only reader has left, if it still runs."""
        if (supervised := self._runs.get(live.ticket.task_id)) is not None:
            supervised.run.stop("The client closed the connection.")

    async def stop(self, task_id: str, app_id: UUID, user: str | None) -> None:
        """Stop a task of this app, in whichever process it runs. With `user`, only if that user started it."""
        message = Stop(task_id, str(app_id), user)
        if task_id in self._runs:
            self._stop(message)
        elif self._board is not None:
            await self._board.post(message)
        else:
            await self._bus.publish(STOP_TOPIC, msgspec.json.encode(message))

    async def _look(self, board: StopBoard) -> None:
        """While something runs here, do what other processes were asked for."""
        while True:
            await self._is_busy.wait()
            await asyncio.sleep(LOOK_S)
            if not self._runs:
                self._is_busy.clear()
                continue
            try:
                for stop in await board.read():
                    self._stop(stop)
            except (SQLAlchemyError, OSError):
                _log.warning("Stops of other processes could not be read; trying again.", exc_info=True)

    async def _on_stop(self, message: bytes) -> None:
        self._stop(msgspec.json.decode(message, type=Stop))

    def _stop(self, message: Stop) -> None:
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
                finished = live.final or finished
            except asyncio.CancelledError:
                finished = live.final or broken(start, "stopped", "The server was shut down while this ran.")
            except Exception:  # noqa: BLE001 - the edge of a job: a broken run must still end
                _log.exception("A run broke.")
                finished = broken(start, "failed", "The server met an unforeseen fault. Its log has the details.")
            if live.final is None:
                live.append(finished)
            if observer is not None:
                observer.on_finish(finished)
            live.close(await self._save(live, finished))
        finally:
            self._runs.pop(start.ticket.task_id, None)

    async def _save(self, live: LiveRun, finished: RunFinished) -> RunFinished:
        """Commit how the run ended. What could not be saved did not succeed."""
        self.recorder.update(live.run_id, RUNS, (live.run_id,), ending_of(finished))
        try:
            await self.recorder.settle(live.run_id)
        except JournalFailed as error:
            return msgspec.structs.replace(finished, status="failed", error=str(error), error_type="JournalFailed")
        return finished


def _nothing() -> None:
    return
