"""Work that nobody waits for. Tasks are held here, so that they are not collected while they run."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from tidemill.domains.conversations.desk import Desk
from tidemill.domains.conversations.naming import name_conversation
from tidemill.domains.conversations.reply import Reply
from tidemill.domains.runs.programs import Program

_log = logging.getLogger(__name__)
_tasks: set[asyncio.Task[None]] = set()


def name_later(desk: Desk, program: Program, reply: Reply) -> None:
    """Name a new conversation once its first reply is there."""
    task = asyncio.create_task(_name(desk, program, reply), name="name conversation")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def close() -> None:
    """Give up what is still being done."""
    for task in tuple(_tasks):
        task.cancel()
    await asyncio.gather(*_tasks, return_exceptions=True)


async def _name(desk: Desk, program: Program, reply: Reply) -> None:
    finished = await asyncio.shield(reply.live.finished)
    if finished.status == "failed":
        return
    try:
        await name_conversation(desk, program, UUID(reply.live.ticket.conversation_id), reply.query)
    except SQLAlchemyError:
        _log.warning("A conversation's name could not be saved.", exc_info=True)
