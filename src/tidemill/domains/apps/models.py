from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tidemill.kit.db import Base, JsonText, Timestamps, new_id, now


class App(Timestamps, Base):
    """An app and its draft. `document` is the whole app file; lists leave it unread.

    Values of secret environment variables are blank in the document and encrypted in `secrets`, by variable name.
    """

    __tablename__ = "app"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    mode: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    icon: Mapped[str] = mapped_column(String(255), default="")
    icon_background: Mapped[str | None] = mapped_column(String(32))
    document: Mapped[dict[str, Any]] = mapped_column(JsonText)
    secrets: Mapped[dict[str, str]] = mapped_column(JsonText, default=dict)
    # The (provider, name) pairs of the document, so that lists can say what is missing without reading it.
    model_refs: Mapped[list[list[str]]] = mapped_column(JsonText, default=list)
    revision: Mapped[int] = mapped_column(default=1)
    published_version_id: Mapped[UUID | None]
    published_revision: Mapped[int | None]
    api_enabled: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[UUID | None]

    @property
    def is_published(self) -> bool:
        return self.published_version_id is not None

    @property
    def has_unpublished_changes(self) -> bool:
        return self.published_revision != self.revision


class AppVersion(Base):
    """A published state of an app. Never changed; its id is the `workflow_id` clients see."""

    __tablename__ = "app_version"
    __table_args__ = (UniqueConstraint("app_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JsonText)
    secrets: Mapped[dict[str, str]] = mapped_column(JsonText, default=dict)
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class AppImport(Base):
    """A file of a newer version that waits ten minutes for somebody to confirm its import."""

    __tablename__ = "app_import"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    document: Mapped[dict[str, Any]] = mapped_column(JsonText)
    secrets: Mapped[dict[str, str]] = mapped_column(JsonText, default=dict)
    name: Mapped[str] = mapped_column(String(255), default="")
    app_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    expires_at: Mapped[datetime]
