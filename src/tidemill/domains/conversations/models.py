"""End users, their conversations and messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tidemill.kit.db import Base, JsonText, Timestamps, new_id, now


class EndUser(Timestamps, Base):
    """A caller's own user of one app on one surface, known only by the name the caller gives."""

    __tablename__ = "end_user"
    __table_args__ = (UniqueConstraint("app_id", "surface", "session_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    surface: Mapped[str] = mapped_column(String(20))
    session_id: Mapped[str] = mapped_column(String(255))
    is_anonymous: Mapped[bool] = mapped_column(default=False)


class Conversation(Base):
    """A thread of messages of one end user or account with one app."""

    __tablename__ = "conversation"
    __table_args__ = (Index("ix_conversation_owner", "app_id", "end_user_id", "updated_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    surface: Mapped[str] = mapped_column(String(20))
    end_user_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(String(255))
    inputs: Mapped[dict[str, Any]] = mapped_column(JsonText)
    introduction: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(20), default="normal")
    turn_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Message(Base):
    """One question and its answer. Completion apps have messages without a conversation.

    `status` is running, normal, error, stopped or paused; `files` are the question's, `usage` is the engine's `Usage`.
    """

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_conversation_id_created_at", "conversation_id", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[UUID | None] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    end_user_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    parent_id: Mapped[UUID | None]
    query: Mapped[str] = mapped_column(Text)
    inputs: Mapped[dict[str, Any]] = mapped_column(JsonText)
    files: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    answer: Mapped[str] = mapped_column(Text, default="")
    answer_files: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list)
    resources: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list)
    status: Mapped[str] = mapped_column(String(20))
    error: Mapped[str | None] = mapped_column(Text)
    usage: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    elapsed_s: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[datetime] = mapped_column(default=now)


class AgentThought(Base):
    """A round of an agent app: what the model thought, the tools it called and what came of them.

    `tool` holds the tools' names, joined by `;`. `tool_input` and `observation` are JSON text: values by tool name.
    """

    __tablename__ = "message_agent_thought"
    __table_args__ = (Index("ix_message_agent_thought_message_id_position", "message_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    position: Mapped[int]
    thought: Mapped[str] = mapped_column(Text)
    tool: Mapped[str] = mapped_column(Text)
    tool_labels: Mapped[dict[str, Any]] = mapped_column(JsonText)
    tool_input: Mapped[str] = mapped_column(Text)
    observation: Mapped[str] = mapped_column(Text)
    file_ids: Mapped[list[str]] = mapped_column(JsonText)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Feedback(Timestamps, Base):
    """A rating of a message: one per end user, one per account."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("message_id", "end_user_id"), UniqueConstraint("message_id", "account_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[UUID | None]
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    end_user_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    rating: Mapped[str] = mapped_column(String(10))
    content: Mapped[str | None] = mapped_column(Text)


class ConversationVariable(Base):
    """The present value of one conversation variable. `position` keeps the app's order."""

    __tablename__ = "conversation_variable"
    __table_args__ = (UniqueConstraint("conversation_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    value_type: Mapped[str] = mapped_column(String(40))
    value: Mapped[Any] = mapped_column(JsonText, nullable=True)
    description: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
