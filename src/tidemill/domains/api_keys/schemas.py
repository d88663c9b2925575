from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from tidemill.kit.schema import Schema


class ApiKeyCreate(Schema):
    name: str = Field("", max_length=100)
    value: str | None = Field(None, description="An existing key to keep, so that its clients need no change.")


class ApiKeyRead(Schema):
    id: UUID
    name: str
    hint: str = Field(description="The last characters of the secret.")
    created_at: datetime
    last_used_at: datetime | None


class ApiKeyIssued(Schema):
    key: ApiKeyRead
    secret: str = Field(description="The key itself. It is shown once and cannot be read again.")
