from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from tidemill.kit.schema import Schema


class FormRead(Schema):
    id: UUID
    app_id: UUID
    app_name: str
    run_id: UUID
    node_id: str
    node_title: str
    content: str = Field(description="Markdown; `{{#$output.NAME#}}` stands where a field belongs.")
    inputs: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    default_values: dict[str, str]
    status: str = Field(description="waiting, submitted, timeout or expired.")
    action_id: str
    answered_by: str
    answered_at: datetime | None
    expires_at: datetime
    created_at: datetime
    mail_error: str = Field(description="Why the form could not be sent by e-mail; empty otherwise.")
    link: str | None = Field(description="The page on which anybody can answer, while the form waits.")


class FormList(Schema):
    items: list[FormRead]


class FormAnswer(Schema):
    action: str
    inputs: dict[str, Any] = Field(default_factory=dict)
