"""Stops for runs that this process does not run: others hear of them at once, and runs that nobody holds keep them.

With Redis the bus carries them; without, rows that every process with runs looks at.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import delete, exists, select
from sqlalchemy.exc import SQLAlchemyError

from tidemill.domains.runs.executors import Executors
from tidemill.domains.runs.models import RunExecutor, RunStop
from tidemill.kit.bus import Bus
from tidemill.kit.db import Database, now
from tidemill.kit.repeating import Repeating

STOP_TOPIC = "runs.stop"
# Longer than a process may be busy with something else before it looks.
KEPT = timedelta(seconds=60)
# How often a process with runs looks for stops that others were asked for.
LOOK_S = 0.25

_log = logging.getLogger(__name__)


class Stop(msgspec.Struct, frozen=True):
    """A request to stop a task of an app. With `user`, only if that user started it."""

    task_id: str
    app_id: str
    user: str | None


class StopBoard:
    """The requests of all processes that share one database."""

    def __init__(self, database: Database, executors: Executors) -> None:
        self._database = database
        self._executors = executors

    async def post(self, stop: Stop) -> None:
        """Leave a request for whoever runs the task; without other processes there is nobody to read it."""
        async with self._database.session() as db:
            if not await db.scalar(select(exists().where(RunExecutor.id != self._executors.id))):
                return
            await db.execute(delete(RunStop).where(RunStop.created_at < now() - KEPT))
            db.add(RunStop(task_id=UUID(stop.task_id), app_id=UUID(stop.app_id), user=stop.user))

    async def read(self) -> list[Stop]:
        """The requests of the last minute, those for other processes included."""
        async with self._database.engine.connect() as connection:
            rows = (await connection.execute(select(RunStop.task_id, RunStop.app_id, RunStop.user))).all()
        return [Stop(str(row.task_id), str(row.app_id), row.user) for row in rows]


class Unheld(Protocol):
    async def __call__(self, stop: Stop) -> None:
        """Note the stop in the row of a run that runs elsewhere or nowhere; end it if it is paused."""
        ...


class StopWatch:
    """Brings stops from and to other processes. `unheld` is set by whoever knows stored runs."""

    def __init__(self, bus: Bus, board: StopBoard | None) -> None:
        self.unheld: Unheld | None = None
        self._bus = bus
        self._board = board
        self._act: Callable[[Stop], None] | None = None
        self._has_runs: Callable[[], bool] = bool
        self._looking = Repeating("stops of other processes", self._look, LOOK_S)

    def open(self, act: Callable[[Stop], None], has_runs: Callable[[], bool]) -> None:
        """Call `act` with the stops of other processes, looking for them while `has_runs`."""
        self._act, self._has_runs = act, has_runs
        self._bus.listen(STOP_TOPIC, self._on_message)
        if self._board is not None:
            self._looking.start()

    async def close(self) -> None:
        self._bus.forget(STOP_TOPIC, self._on_message)
        await self._looking.close()

    def wake(self) -> None:
        """There are runs again."""
        self._looking.resume()

    async def pass_on(self, stop: Stop) -> None:
        """Have a task stopped that does not run here."""
        if not _is_id(stop.task_id):
            return
        hand_on: Callable[[Stop], Awaitable[None]] = self._publish if self._board is None else self._board.post
        await hand_on(stop)
        if self.unheld is not None:
            await self.unheld(stop)

    async def _publish(self, stop: Stop) -> None:
        await self._bus.publish(STOP_TOPIC, msgspec.json.encode(stop))

    async def _on_message(self, message: bytes) -> None:
        if self._act is not None:
            self._act(msgspec.json.decode(message, type=Stop))

    async def _look(self) -> None:
        if not self._has_runs():
            self._looking.rest()
            return
        try:
            stops = await self._board.read() if self._board is not None else []
        except (SQLAlchemyError, OSError):
            _log.warning("Stops of other processes could not be read; trying again.")
            return
        for stop in stops:
            if self._act is not None:
                self._act(stop)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
