"""Files that users upload and runs make."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from tidemill.kit.db import Base, Timestamps, new_id


class StoredFile(Timestamps, Base):
    """A file in storage. `key` is ours and random; the user's name is only shown.

    `app_id` is the app it was uploaded for; `attached_at` says that a run of that app has used it,
    from when on every caller of the app may read it.
    """

    __tablename__ = "stored_file"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID | None] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), index=True)
    created_by: Mapped[UUID]
    is_by_account: Mapped[bool] = mapped_column(default=False)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    extension: Mapped[str] = mapped_column(String(20))
    mime_type: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    attached_at: Mapped[datetime | None]
