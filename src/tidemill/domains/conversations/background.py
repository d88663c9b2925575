"""Work that nobody waits for. Tasks are held here, so that they are not collected while they run."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from tidemill.domains.conversations.desk import Desk
from tidemill.domains.conversations.naming import name_conversation
from tidemill.domains.conversations.reply import Reply
from tidemill.domains.runs.errors import RunUnfinished
from tidemill.domains.runs.programs import Program

# Longer than a statement takes: what is cut off after this waits for a model.
GRACE_S = 1.0

_log = logging.getLogger(__name__)
_tasks: set[asyncio.Task[None]] = set()


def name_later(desk: Desk, program: Program, reply: Reply) -> None:
    """Name a new conversation once its first reply is there."""
    task = asyncio.create_task(_name(desk, program, reply), name="name conversation")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def close() -> None:
    """Let what is nearly done be done, and give up the rest."""
    if not _tasks:
        return
    _, slow = await asyncio.wait(tuple(_tasks), timeout=GRACE_S)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def _name(desk: Desk, program: Program, reply: Reply) -> None:
    try:
        finished = await asyncio.shield(reply.live.finished)
    except RunUnfinished:
        return
    if finished.status == "failed":
        return
    try:
        await name_conversation(desk, program, UUID(reply.live.ticket.conversation_id), reply.query)
    except SQLAlchemyError:
        _log.warning("A conversation's name could not be saved.", exc_info=True)
