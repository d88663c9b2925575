from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tidemill.kit.db import Base, JsonText, Timestamps, new_id


class ProviderCredential(Timestamps, Base):
    """What a workspace gave a provider. `secrets` is JSON, encrypted with the workspace's key; it is never read out."""

    __tablename__ = "provider_credential"
    __table_args__ = (UniqueConstraint("workspace_id", "provider"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(64))
    secrets: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(String(64), default="")


class ProviderModel(Timestamps, Base):
    """A model that a workspace added by hand, with its window."""

    __tablename__ = "provider_model"
    __table_args__ = (UniqueConstraint("workspace_id", "provider", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(32))
    window_tokens: Mapped[int]
    max_output_tokens: Mapped[int | None]
    features: Mapped[list[str]] = mapped_column(JsonText, default=list)


class DefaultModel(Timestamps, Base):
    """The model of a kind that a workspace uses where none is named."""

    __tablename__ = "default_model"
    __table_args__ = (UniqueConstraint("workspace_id", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    provider: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
