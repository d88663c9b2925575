"""Starts runs and looks after them: they outlive the client's connection, and stop when told to."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table

from tidemill.adapters.recording import recorded
from tidemill.domains.runs.endings import broken, ended
from tidemill.domains.runs.errors import ServerStopping, TooManyRequests
from tidemill.domains.runs.executors import Executors
from tidemill.domains.runs.live import BATCHES, LiveRun
from tidemill.domains.runs.models import Run, RunSnapshot
from tidemill.domains.runs.moderation import PresetRun, Withdrawing
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.recorder import JournalFailed, Recorder
from tidemill.domains.runs.rows import Ports, Start, ending_of, pause_of, row_of
from tidemill.domains.runs.stops import Stop, StopWatch
from tidemill.engine import scheduler
from tidemill.engine.events import Event, RunFinished, RunPaused
from tidemill.engine.node import RunInfo
from tidemill.engine.past import NOTHING, Past
from tidemill.engine.scheduler import Limits
from tidemill.kit.db import now

RUNS = cast(Table, Run.__table__)
SNAPSHOTS = cast(Table, RunSnapshot.__table__)
MAX_SLOT_S = 600.0
# How long runs may go on by themselves once the server was told to stop.
GRACE_S = 3.0
# How long cancelled runs may take to let go.
LET_GO_S = 2.0
# How often an ending that could not be stored is tried again.
OWED_S = 2.0
HANDED_OVER = (
    "The server is being stopped. The run goes on when it, or another process, serves again: "
    "read its result at /v1/workflows/run/{id}, or follow it at /v1/workflow/{id}/events."
)

PortFactory: TypeAlias = Callable[[UUID], Ports]

_log = logging.getLogger(__name__)


class Observer(Protocol):
    """Keeps what a run means to the domain that started it. Queues rows; never waits."""

    def on_event(self, event: Event) -> None: ...

    def on_told(self, events: Sequence[Event]) -> None:
        """Called before a run goes on, with the events that are in its journal."""
        ...

    def on_finish(self, finished: RunFinished) -> None:
        """Called before the end or a pause is shown, with the rows of this moment still to be committed."""
        ...


class Resuming(Protocol):
    """Goes on with paused runs. Implemented by `successor.Successor`."""

    async def resume(self, run_id: UUID) -> bool: ...


class _Supervised(msgspec.Struct):
    live: LiveRun
    run: scheduler.Run | PresetRun
    start: Start
    observer: Observer | None
    task: asyncio.Task[None] | None = None
    is_left: bool = False


class Runner:
    """The runs of this process. `watch` brings the stops that other processes were asked for."""

    def __init__(
        self,
        recorder: Recorder,
        executors: Executors,
        *,
        ports: PortFactory,
        watch: StopWatch,
        limits: Limits | None = None,
        max_active: int = 0,
        records_calls: bool = True,
    ) -> None:
        self.records_calls = records_calls
        self.recorder = recorder
        self.executors = executors
        self.ports = ports
        self.max_active = max_active
        self.resuming: Resuming | None = None
        # Told after a pause was saved: what the run waits for may have come in the meantime.
        self.on_paused: Callable[[], None] | None = None
        self.limits = limits or Limits()
        self._active: Counter[UUID] = Counter()
        self._runs: dict[str, _Supervised] = {}
        self._by_run: dict[UUID, _Supervised] = {}
        self.watch = watch
        self._debts: set[asyncio.Task[None]] = set()
        self._losing = asyncio.Lock()
        self._is_closing = asyncio.Event()

    def open(self) -> None:
        """Listen for stops that other processes were asked for, and for the loss of this one's lease."""
        self.watch.open(self._stop, lambda: bool(self._runs))
        self.recorder.on_lease_lost = self.lose_lease

    async def close(self) -> None:
        """Let runs end that are about to, and leave the others, as far as they got, to whoever serves next."""
        if self._is_closing.is_set():
            return
        self._is_closing.set()
        await self.watch.close()
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=GRACE_S)
        left = list(self._runs.values())
        for supervised in left:
            supervised.live.leave()
        await self._settle(left)
        await self._let_go(left)
        for supervised in left:
            supervised.live.close_unfinished(HANDED_OVER.replace("{id}", str(supervised.live.run_id)))
        await asyncio.gather(*self._debts, return_exceptions=True)

    def enter(self, program: Program) -> Callable[[], None]:
        """Take one of the app's places and return what gives it back. Raises `TooManyRequests`, `ServerStopping`.

        The app's own limit and the setting's both hold: the smaller one counts, 0 is none.
        """
        self._require_open()
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

    # ------------------------------------------------------------ begin and go on

    def start(self, start: Start, observer: Observer | None = None, *, past: Past = NOTHING) -> LiveRun:
        """Begin a run. It goes on by itself; its events are read from what is returned.

        `past` holds results of another run that this one takes. Raises `ServerStopping`.
        """
        self._require_open()
        run_id = UUID(start.ticket.run_id)
        live = LiveRun(start.ticket, run_id, self.recorder)
        run = self._run(start, live, past, "initial", ())
        self.recorder.insert(run_id, RUNS, row_of(start, run_id, self.executors.id))
        if (snapshot := start.program.snapshot) is not None:
            row = {
                "id": snapshot.id,
                "workspace_id": start.program.workspace_id,
                "app_id": start.program.app_id,
                "document": snapshot.document,
                "secrets": snapshot.secrets,
                "created_at": now(),
            }
            self.recorder.ensure(run_id, SNAPSHOTS, row)
        self._supervise(live, run, start, observer)
        return live

    def go_on(self, start: Start, observer: Observer | None, told: Sequence[Event]) -> LiveRun:
        """Go on with a stored run that this process has claimed, after the events in its journal."""
        run_id = UUID(start.ticket.run_id)
        live = LiveRun(start.ticket, run_id, self.recorder, told)
        if observer is not None:
            observer.on_told(told)
        is_resumed = bool(told) and isinstance(told[-1], RunPaused)
        reason: Literal["initial", "resumption"] = "resumption" if is_resumed else "initial"
        run = self._run(start, live, Past.going_on(told), reason, told)
        self._supervise(live, run, start, observer)
        return live

    async def resume(self, run_id: UUID) -> bool:
        """Go on with a paused run that has what it waited for; False when it is not paused (any more).

        It goes on in this process, in the background.
        """
        return self.resuming is not None and await self.resuming.resume(run_id)

    async def end(self, live: LiveRun, finished: RunFinished, observer: Observer | None) -> None:
        """End a claimed run that does not go on."""
        if observer is not None:
            observer.on_told(live.events)
            live.on_event.append(observer.on_event)
        live.append(finished)
        if observer is not None:
            observer.on_finish(finished)
        live.close(await self._save(live, finished, observer))

    def _run(
        self, start: Start, live: LiveRun, past: Past, reason: Literal["initial", "resumption"], told: Sequence[Event]
    ) -> scheduler.Run | PresetRun:
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
            ports=recorded(start.ports) if self.records_calls else start.ports,
            journal=live,
            inputs=start.inputs,
            limits=self.limits,
            past=past,
            reason=reason,
        )
        live.on_failure = lambda failure: run.stop(str(failure))
        if start.moderation is not None and start.moderation.output_answer is not None:
            run.journal = Withdrawing(live, start.moderation, stop=run.stop, told=told)
        return run

    def _supervise(
        self, live: LiveRun, run: scheduler.Run | PresetRun, start: Start, observer: Observer | None
    ) -> None:
        if observer is not None:
            live.on_event.append(observer.on_event)
        supervised = _Supervised(live, run, start, observer)
        self._runs[start.ticket.task_id] = self._by_run[live.run_id] = supervised
        self.watch.wake()
        supervised.task = asyncio.create_task(self._drive(supervised), name=f"run {live.run_id}")

    # ------------------------------------------------------------ ask and stop

    def is_running(self, task_id: str) -> bool:
        """Whether this process runs the task now."""
        return task_id in self._runs

    def find(self, run_id: UUID) -> LiveRun | None:
        """The run, if this process runs it now."""
        supervised = self._by_run.get(run_id)
        return supervised.live if supervised is not None and not supervised.is_left else None

    def abandon(self, live: LiveRun) -> None:
        """Stop a run whose only reader has left, if it still runs."""
        supervised = self._runs.get(live.ticket.task_id)
        if supervised is not None and not supervised.is_left and not self._is_closing.is_set():
            supervised.run.stop("The client closed the connection.")

    async def stop(self, task_id: str, app_id: UUID, user: str | None) -> None:
        """Stop a task of this app, wherever it runs or waits. With `user`, only if that user started it."""
        message = Stop(task_id, str(app_id), user)
        if task_id in self._runs:
            self._stop(message)
        else:
            await self.watch.pass_on(message)

    def stop_here(self, run_id: UUID, reason: str) -> None:
        """Stop a run of this process."""
        if (supervised := self._by_run.get(run_id)) is not None:
            supervised.run.stop(reason)

    def _stop(self, message: Stop) -> None:
        supervised = self._runs.get(message.task_id)
        if supervised is None or supervised.start.ticket.app_id != message.app_id:
            return
        user = supervised.start.user
        if message.user is None or message.user == user:
            supervised.run.stop(f"Stopped by user {user}.")

    # ------------------------------------------------------------ drive and leave

    async def _drive(self, supervised: _Supervised) -> None:
        live, start, observer = supervised.live, supervised.start, supervised.observer
        try:
            try:
                finished = await supervised.run.execute()
                finished = live.final or finished
            except asyncio.CancelledError:
                if supervised.is_left:
                    return
                finished = live.final or broken(start, "stopped", "The run was cancelled.")
            except Exception:  # noqa: BLE001 - the edge of a job: a broken run must still end
                _log.exception("A run broke.")
                finished = broken(start, "failed", "The server met an unforeseen fault. Its log has the details.")
            if supervised.is_left:
                return
            if live.final is None and finished.status != "paused":
                live.append(finished)
            if live.failure is not None:
                finished = ended(finished, live.failure)
            if observer is not None:
                observer.on_finish(finished)
            saved = await self._save(live, finished, observer)
            if not supervised.is_left:
                live.close(saved)
            if saved.status == "paused" and self.on_paused is not None:
                self.on_paused()
        finally:
            self._runs.pop(start.ticket.task_id, None)
            self._by_run.pop(live.run_id, None)

    async def _save(self, live: LiveRun, finished: RunFinished, observer: Observer | None) -> RunFinished:
        """Commit how the run ended or paused. What could not be saved did not succeed."""
        columns = pause_of(finished) if finished.status == "paused" else ending_of(finished)
        self.recorder.update(live.run_id, RUNS, (live.run_id,), columns)
        if live.failure is not None:
            # Events were lost, so the journal ends behind the last that was not.
            self._queue_end(live, finished)
        try:
            await self.recorder.settle(live.run_id)
        except JournalFailed as failure:
            finished = ended(finished, failure)
            if failure.is_passing and not self._is_closing.is_set():
                debt = asyncio.create_task(self._owe(live, finished, observer), name=f"end of run {live.run_id}")
                self._debts.add(debt)
                debt.add_done_callback(self._debts.discard)
            return finished
        return finished

    async def _owe(self, live: LiveRun, finished: RunFinished, observer: Observer | None) -> None:
        """Store an ending once the database takes it again."""
        while True:
            try:
                async with asyncio.timeout(OWED_S):
                    await self._is_closing.wait()
                return  # whoever serves next goes on with the run
            except TimeoutError:
                pass
            self.recorder.update(live.run_id, RUNS, (live.run_id,), ending_of(finished))
            self._queue_end(live, finished)
            if observer is not None:
                observer.on_finish(finished)
            try:
                await self.recorder.settle(live.run_id)
            except JournalFailed as failure:
                if failure.is_passing:
                    continue
            return

    def _queue_end(self, live: LiveRun, finished: RunFinished) -> None:
        last = msgspec.structs.replace(finished, seq=live.durable_seq + 1)
        self.recorder.insert(live.run_id, BATCHES, live.row_of([last]))

    async def lose_lease(self, executor_id: UUID) -> None:
        """Others have taken the runs of this process: drop them here, and enter again as a new process."""
        async with self._losing:
            if executor_id != self.executors.id:
                return
            _log.warning("This process did not answer for so long that others go on with its runs.")
            left = list(self._runs.values())
            for supervised in left:
                supervised.live.leave()
            self.recorder.discard(frozenset(supervised.live.run_id for supervised in left))
            await self._let_go(left)
            for supervised in left:
                supervised.live.close_unfinished("The run goes on in another process.")
            self.recorder.holder = await self.executors.enter_again(self._is_closing)

    async def _let_go(self, left: Sequence[_Supervised]) -> None:
        tasks: list[asyncio.Task[None]] = []
        for supervised in left:
            supervised.is_left = True
            if supervised.task is not None:
                supervised.task.cancel()
                tasks.append(supervised.task)
        if tasks:
            await asyncio.wait(tasks, timeout=LET_GO_S)

    async def _settle(self, left: Sequence[_Supervised]) -> None:
        if left:
            settling = [self.recorder.settle(supervised.live.run_id) for supervised in left]
            await asyncio.gather(*settling, return_exceptions=True)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [supervised.task for supervised in self._runs.values() if supervised.task is not None]

    def _require_open(self) -> None:
        if self._is_closing.is_set():
            raise ServerStopping("The server is being stopped. Try again in a moment.")


def _nothing() -> None:
    return
