"""Conversations, messages, ratings and conversation variables, each visible to its own asker only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.conversations.desk import Asker
from tidemill.domains.conversations.errors import (
    FieldInvalid,
    MessageNotFound,
    VariableMismatch,
    VariableNotFound,
)
from tidemill.domains.conversations.models import Conversation, ConversationVariable, Feedback, Message
from tidemill.domains.conversations.reply import own_conversation
from tidemill.engine.errors import ValueMismatch
from tidemill.engine.values import ValueType, coerce

Sorting: TypeAlias = Literal["created_at", "-created_at", "updated_at", "-updated_at"]


async def list_conversations(
    db: AsyncSession, asker: Asker, *, last_id: UUID | None, limit: int, sort_by: Sorting = "-updated_at"
) -> tuple[Sequence[Conversation], bool]:
    """A page of the asker's conversations on this surface, and whether more follow.

    Raises:
        ConversationNotFound: `last_id` names none of them.
    """
    is_descending = sort_by.startswith("-")
    column = Conversation.created_at if sort_by.endswith("created_at") else Conversation.updated_at
    query = select(Conversation).where(
        Conversation.workspace_id == asker.workspace_id,
        Conversation.app_id == asker.app_id,
        Conversation.surface == asker.surface,
        Conversation.end_user_id == asker.end_user_id,
        Conversation.account_id == asker.account_id,
    )
    if last_id is not None:
        last = await own_conversation(db, asker, last_id)
        moment: datetime = getattr(last, column.key)
        if is_descending:
            query = query.where(or_(column < moment, (column == moment) & (Conversation.id < last.id)))
        else:
            query = query.where(or_(column > moment, (column == moment) & (Conversation.id > last.id)))
    order = (column.desc(), Conversation.id.desc()) if is_descending else (column.asc(), Conversation.id.asc())
    rows = (await db.scalars(query.order_by(*order).limit(limit + 1))).all()
    return rows[:limit], len(rows) > limit


async def rename(db: AsyncSession, asker: Asker, conversation_id: UUID, name: str) -> Conversation:
    """Raises `ConversationNotFound`, `FieldInvalid`."""
    conversation = await own_conversation(db, asker, conversation_id)
    if not name.strip():
        raise FieldInvalid("`name` is empty. Send a name, or set auto_generate.", params="name")
    conversation.name = name.strip()[:255]
    await db.flush()
    return conversation


async def delete(db: AsyncSession, asker: Asker, conversation_id: UUID) -> None:
    """Delete a conversation with its messages. Raises `ConversationNotFound`."""
    conversation = await own_conversation(db, asker, conversation_id)
    await db.delete(conversation)
    await db.flush()


async def list_messages(
    db: AsyncSession, asker: Asker, conversation_id: UUID, *, first_id: UUID | None, limit: int
) -> tuple[Sequence[Message], bool]:
    """The newest page before `first_id`, ascending in time, and whether older ones exist.

    Raises:
        ConversationNotFound: Not this asker's.
        MessageNotFound: `first_id` is not in the conversation.
    """
    conversation = await own_conversation(db, asker, conversation_id)
    query = select(Message).where(
        Message.workspace_id == asker.workspace_id, Message.conversation_id == conversation.id
    )
    if first_id is not None:
        first = (await db.scalars(query.where(Message.id == first_id))).first()
        if first is None:
            raise MessageNotFound("The first message does not exist in this conversation.")
        earlier = or_(
            Message.created_at < first.created_at, (Message.created_at == first.created_at) & (Message.id < first.id)
        )
        query = query.where(earlier)
    newest_first = query.order_by(Message.created_at.desc(), Message.id.desc()).limit(limit + 1)
    rows = (await db.scalars(newest_first)).all()
    return rows[:limit][::-1], len(rows) > limit


async def first_query(db: AsyncSession, asker: Asker, conversation_id: UUID) -> str | None:
    """The message a conversation began with."""
    query = select(Message.query).where(
        Message.workspace_id == asker.workspace_id, Message.conversation_id == conversation_id
    )
    return (await db.scalars(query.order_by(Message.created_at, Message.id).limit(1))).first()


async def own_message(db: AsyncSession, asker: Asker, message_id: UUID) -> Message:
    """A message of this asker. Raises `MessageNotFound`."""
    query = select(Message).where(
        Message.workspace_id == asker.workspace_id,
        Message.app_id == asker.app_id,
        Message.id == message_id,
        Message.end_user_id == asker.end_user_id,
        Message.account_id == asker.account_id,
    )
    message = (await db.scalars(query)).first()
    if message is None:
        raise MessageNotFound("There is no such message of this user.")
    return message


async def rate(db: AsyncSession, asker: Asker, message_id: UUID, rating: str | None, content: str | None) -> None:
    """Create, change or (with None) revoke this asker's rating of a message.

    Raises:
        MessageNotFound: Not this asker's message.
        FieldInvalid: There is no rating to revoke.
    """
    message = await own_message(db, asker, message_id)
    query = select(Feedback).where(
        Feedback.message_id == message.id,
        Feedback.end_user_id == asker.end_user_id,
        Feedback.account_id == asker.account_id,
    )
    feedback = (await db.scalars(query)).first()
    if rating is None:
        if feedback is None:
            raise FieldInvalid("There is no rating to revoke. Send like or dislike.", params="rating")
        await db.delete(feedback)
    elif feedback is not None:
        feedback.rating, feedback.content = rating, content
    else:
        db.add(
            Feedback(
                workspace_id=asker.workspace_id,
                app_id=asker.app_id,
                conversation_id=message.conversation_id,
                message_id=message.id,
                end_user_id=asker.end_user_id,
                account_id=asker.account_id,
                rating=rating,
                content=content,
            )
        )
    await db.flush()


async def ratings_of(db: AsyncSession, asker: Asker, message_ids: Sequence[UUID]) -> dict[UUID, str]:
    """This asker's ratings of some messages."""
    query = select(Feedback.message_id, Feedback.rating).where(
        Feedback.message_id.in_(message_ids),
        Feedback.end_user_id == asker.end_user_id,
        Feedback.account_id == asker.account_id,
    )
    return {message_id: rating for message_id, rating in (await db.execute(query)).all()}


async def list_feedbacks(
    db: AsyncSession, workspace_id: UUID, app_id: UUID, *, page: int, limit: int
) -> Sequence[Feedback]:
    """All ratings of an app, newest first."""
    query = select(Feedback).where(Feedback.workspace_id == workspace_id, Feedback.app_id == app_id)
    ordered = query.order_by(Feedback.created_at.desc(), Feedback.id.desc())
    return (await db.scalars(ordered.offset((page - 1) * limit).limit(limit))).all()


async def list_variables(
    db: AsyncSession, asker: Asker, conversation_id: UUID, *, last_id: UUID | None, limit: int, name: str | None
) -> tuple[Sequence[ConversationVariable], bool]:
    """A page of a conversation's variables in the order of their creation.

    Raises:
        ConversationNotFound: Not this asker's.
        VariableNotFound: `last_id` names none of them.
    """
    conversation = await own_conversation(db, asker, conversation_id)
    query = select(ConversationVariable).where(
        ConversationVariable.workspace_id == asker.workspace_id,
        ConversationVariable.conversation_id == conversation.id,
    )
    if name:
        query = query.where(func.lower(ConversationVariable.name).contains(name.lower(), autoescape=True))
    ordered = query.order_by(ConversationVariable.created_at, ConversationVariable.position, ConversationVariable.id)
    rows = (await db.scalars(ordered)).all()
    if last_id is not None:
        places = [place for place, row in enumerate(rows) if row.id == last_id]
        if not places:
            raise VariableNotFound("`last_id` names no variable of this conversation.")
        rows = rows[places[0] + 1 :]
    return rows[:limit], len(rows) > limit


async def set_variable(
    db: AsyncSession, asker: Asker, conversation_id: UUID, variable_id: UUID, value: Any
) -> ConversationVariable:
    """Overwrite a conversation variable.

    Raises:
        ConversationNotFound, VariableNotFound: Not there, or not this asker's.
        VariableMismatch: The value is not of the variable's type.
    """
    conversation = await own_conversation(db, asker, conversation_id)
    query = select(ConversationVariable).where(
        ConversationVariable.workspace_id == asker.workspace_id,
        ConversationVariable.conversation_id == conversation.id,
        ConversationVariable.id == variable_id,
    )
    variable = (await db.scalars(query)).first()
    if variable is None:
        raise VariableNotFound("The conversation has no such variable.")
    try:
        variable.value = coerce(value, ValueType(variable.value_type))
    except ValueMismatch as error:
        raise VariableMismatch(f"{variable.name}: {error}") from error
    await db.flush()
    return variable
