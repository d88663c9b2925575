from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tidemill.kit.db import Base, JsonText, Timestamps, new_id


class ToolProvider(Timestamps, Base):
    """Tools that a workspace added: an OpenAPI document (`api`), an MCP server (`mcp`), a published workflow.

    `definition` is what may be shown of it. `document` is the text of an OpenAPI document; lists leave it unread.
    `secrets` is JSON, encrypted with the workspace's key; `tools` are the declarations an MCP server gave last.
    """

    __tablename__ = "tool_provider"
    __table_args__ = (UniqueConstraint("workspace_id", "kind", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(100))
    label: Mapped[str] = mapped_column(String(255), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    definition: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    document: Mapped[str] = mapped_column(Text, default="", deferred=True)
    secrets: Mapped[str] = mapped_column(Text, default="")
    hint: Mapped[str] = mapped_column(String(64), default="")
    tools: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list)
    app_id: Mapped[UUID | None] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), index=True)
    created_by: Mapped[UUID | None]


class ToolCredential(Timestamps, Base):
    """What a workspace gave a built-in provider. `secrets` as with `ToolProvider`."""

    __tablename__ = "tool_credential"
    __table_args__ = (UniqueConstraint("workspace_id", "provider"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(64))
    secrets: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(String(64), default="")
