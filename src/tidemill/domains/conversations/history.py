"""The earlier turns of a conversation, as the nodes of a run see them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.conversations.models import Message
from tidemill.domains.conversations.thoughts import past_thoughts, thoughts_of
from tidemill.engine.values import File
from tidemill.kit.db import Database
from tidemill.ports import Turn


class StoredHistory:
    """Implements `ports.History` for one conversation."""

    def __init__(self, database: Database, conversation_id: UUID, *, before: UUID) -> None:
        self._database = database
        self._conversation_id = conversation_id
        self._before = before

    async def turns(self, limit: int) -> Sequence[Turn]:
        async with self._database.session() as db:
            thread = await newest_branch(db, self._conversation_id, limit=limit, before=self._before)
            thoughts = await thoughts_of(db, thread[0].workspace_id, [item.id for item in thread]) if thread else {}
        return [
            Turn(
                query=message.query,
                answer=message.answer,
                files=tuple(map(File.from_wire, message.files)),
                thoughts=past_thoughts(thoughts.get(message.id, ())),
            )
            for message in thread
        ]


class GivenHistory:
    """Implements `ports.History` for a caller that sends the earlier turns along."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns

    async def turns(self, limit: int) -> Sequence[Turn]:
        return self._turns[-limit:] if limit > 0 else ()


async def newest_branch(
    db: AsyncSession, conversation_id: UUID, *, limit: int, before: UUID | None = None
) -> list[Message]:
    """The last completed messages of the newest thread, oldest first.

    A message with a parent continues that parent; one without continues whatever came before it.
    """
    query = select(Message).where(Message.conversation_id == conversation_id, Message.status == "normal")
    if before is not None:
        # Ids are UUIDv7, so this leaves out what came later too: a reply may go on after weeks of waiting.
        query = query.where(Message.id < before)
    newest_first = (await db.scalars(query.order_by(Message.created_at.desc(), Message.id.desc()))).all()
    thread: list[Message] = []
    awaited: UUID | None = None
    for message in newest_first:
        if awaited is not None and message.id != awaited:
            continue
        awaited = message.parent_id
        if message.answer:
            thread.append(message)
        if len(thread) == limit:
            break
    return thread[::-1]
