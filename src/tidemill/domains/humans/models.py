"""Forms that wait for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tidemill.kit.db import Base, JsonText, new_id, now


class Form(Base):
    """A form of one human input node in one run. It holds no token: that is made from its id.

    `status` is waiting, submitted, timeout, or expired (the run ended meanwhile). `place` is the node's place in the
    run. `is_on_page` says that the app hands out the link. `due_at` is when a process must look at it: when it
    expires, or, once answered, until the run has taken the answer. `mailed_at` is when its messages were handed on,
    or refused with `mail_error`.
    """

    __tablename__ = "human_form"
    __table_args__ = (UniqueConstraint("run_id", "place"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), index=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    place: Mapped[str] = mapped_column(String(255))
    node_id: Mapped[str] = mapped_column(String(255))
    node_title: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    inputs: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    actions: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    is_on_page: Mapped[bool]
    status: Mapped[str] = mapped_column(String(20))
    action_id: Mapped[str] = mapped_column(String(20), default="")
    values: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    answered_by: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    mailed_at: Mapped[datetime | None]
    mail_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
