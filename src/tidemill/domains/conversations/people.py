"""End users: the callers' own users, kept apart by app and surface."""

from __future__ import annotations

from collections import OrderedDict
from typing import cast
from uuid import UUID, uuid5

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.conversations.errors import EndUserNotFound
from tidemill.domains.conversations.models import EndUser
from tidemill.domains.runs.recorder import Recorder
from tidemill.domains.runs.ticket import Surface
from tidemill.kit.db import now

ANONYMOUS = "DEFAULT-USER"
MAX_NAME = 255
MAX_KEPT = 20_000
END_USERS = cast(Table, EndUser.__table__)


class EndUsers:
    """Knows end users by name.

    Their ids are made from app, surface and name instead of being drawn, so that a request needs no statement to
    know its user, and several processes that meet a new user at once agree. The row follows with the next commit.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._seen: OrderedDict[UUID, None] = OrderedDict()

    def get(self, workspace_id: UUID, app_id: UUID, surface: Surface, session_id: str | None) -> UUID:
        """The end user of this name. Without a name all callers are one: `DEFAULT-USER`."""
        name = (session_id or ANONYMOUS)[:MAX_NAME]
        user_id = uuid5(app_id, f"{surface}:{name}")
        if user_id in self._seen:
            self._seen.move_to_end(user_id)
            return user_id
        self._seen[user_id] = None
        if len(self._seen) > MAX_KEPT:
            self._seen.popitem(last=False)
        moment = now()
        row = {
            "id": user_id,
            "workspace_id": workspace_id,
            "app_id": app_id,
            "surface": surface,
            "session_id": name,
            "is_anonymous": name == ANONYMOUS,
            "created_at": moment,
            "updated_at": moment,
        }
        self._recorder.ensure(user_id, END_USERS, row)
        return user_id


async def find(db: AsyncSession, workspace_id: UUID, app_id: UUID, end_user_id: UUID) -> EndUser:
    """An end user of an app. Raises `EndUserNotFound`."""
    query = select(EndUser).where(
        EndUser.workspace_id == workspace_id, EndUser.app_id == app_id, EndUser.id == end_user_id
    )
    user = (await db.scalars(query)).first()
    if user is None:
        raise EndUserNotFound("The app has no such end user.")
    return user
