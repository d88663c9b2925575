from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from tidemill.kit.schema import Schema


class RunCreate(Schema):
    inputs: dict[str, Any] = Field(default_factory=dict)
    files: list[dict[str, Any]] | None = Field(None, description="References as the Service API takes them.")


class ChatCreate(RunCreate):
    query: str
    conversation_id: UUID | None = None


class StopResult(Schema):
    result: Literal["success"] = "success"


class ConversationRead(Schema):
    id: UUID
    name: str
    inputs: dict[str, Any]
    status: str
    introduction: str
    created_at: int
    updated_at: int


class ConversationPage(Schema):
    limit: int
    has_more: bool
    data: list[ConversationRead]


class ConversationUpdate(Schema):
    name: str = Field(min_length=1, max_length=255)


class MessageFileRead(Schema):
    id: str | None
    filename: str
    type: str | None
    url: str | None
    mime_type: str | None
    size: int | None
    transfer_method: str | None
    belongs_to: str
    upload_file_id: str | None


class RatingRead(Schema):
    rating: str


class MessageRead(Schema):
    id: UUID
    conversation_id: UUID | None
    parent_message_id: UUID
    inputs: dict[str, Any]
    query: str
    answer: str
    status: str
    error: str | None
    message_files: list[MessageFileRead]
    feedback: RatingRead | None
    retriever_resources: list[dict[str, Any]]
    agent_thoughts: list[dict[str, Any]]
    created_at: int
    extra_contents: list[dict[str, Any]]
    message_tokens: int
    answer_tokens: int
    total_tokens: int
    provider_response_latency: float
    total_price: str | None
    currency: str | None
    workflow_run_id: UUID


class MessagePage(Schema):
    limit: int
    has_more: bool
    data: list[MessageRead]


class UploadRead(Schema):
    id: UUID
    reference: str | None
    name: str
    size: int
    extension: str
    mime_type: str
    created_by: UUID
    created_at: int
    preview_url: str | None
    source_url: str
    original_url: str | None
    user_id: UUID | None
    tenant_id: UUID | None
    conversation_id: UUID | None
    file_key: str | None
