"""Stops for runs of other processes, where no Redis carries them: rows that every process with runs looks at."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import delete, exists, select

from tidemill.domains.runs.models import RunExecutor, RunStop
from tidemill.kit.db import Database, now

# Longer than a process may be busy with something else before it looks.
KEPT = timedelta(seconds=60)


class Stop(msgspec.Struct, frozen=True):
    """A request to stop a task of an app. With `user`, only if that user started it."""

    task_id: str
    app_id: str
    user: str | None


class StopBoard:
    """The requests of all processes that share one database."""

    def __init__(self, database: Database, executor_id: UUID) -> None:
        self._database = database
        self._others = exists().where(RunExecutor.id != executor_id)

    async def post(self, stop: Stop) -> None:
        """Leave a request for whoever runs the task; without other processes there is nobody to read it."""
        try:
            task_id = UUID(stop.task_id)
        except ValueError:
            return
        async with self._database.session() as db:
            if not await db.scalar(select(self._others)):
                return
            await db.execute(delete(RunStop).where(RunStop.created_at < now() - KEPT))
            db.add(RunStop(task_id=task_id, app_id=UUID(stop.app_id), user=stop.user))

    async def read(self) -> list[Stop]:
        """The requests of the last minute, those for other processes included."""
        async with self._database.engine.connect() as connection:
            rows = (await connection.execute(select(RunStop.task_id, RunStop.app_id, RunStop.user))).all()
        return [Stop(str(row.task_id), str(row.app_id), row.user) for row in rows]
