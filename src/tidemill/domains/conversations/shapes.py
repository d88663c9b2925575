"""Conversations and messages as clients read them (reference `service-api.md`, sections 10.8 and 11). Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from tidemill.domains.conversations.models import (
    AgentThought,
    Conversation,
    ConversationVariable,
    EndUser,
    Feedback,
    Message,
)
from tidemill.domains.conversations.thoughts import thought_json
from tidemill.domains.files.links import FileLinks

NIL: Final = str(UUID(int=0))


def conversation_json(conversation: Conversation, links: FileLinks) -> dict[str, Any]:
    return {
        "id": str(conversation.id),
        "name": conversation.name,
        "inputs": links.renewed(conversation.inputs),
        "status": conversation.status,
        "introduction": conversation.introduction,
        "created_at": int(conversation.created_at.timestamp()),
        "updated_at": int(conversation.updated_at.timestamp()),
    }


def message_json(
    message: Message, rating: str | None, links: FileLinks, thoughts: Sequence[AgentThought] = ()
) -> dict[str, Any]:
    usage = message.usage or {}
    return {
        "id": str(message.id),
        "conversation_id": str(message.conversation_id) if message.conversation_id else None,
        "parent_message_id": str(message.parent_id) if message.parent_id else NIL,
        "inputs": links.renewed(message.inputs),
        "query": message.query,
        "answer": message.answer,
        "status": "error" if message.status == "error" else "paused" if message.status == "paused" else "normal",
        "error": message.error,
        "message_files": [
            *(_message_file(file, "user", links) for file in message.files),
            *(_message_file(file, "assistant", links) for file in message.answer_files),
        ],
        "feedback": {"rating": rating} if rating else None,
        "retriever_resources": [
            {**resource, "id": resource.get("id") or str(message.id), "message_id": str(message.id)}
            for resource in message.resources
        ],
        "agent_thoughts": [thought_json(thought) for thought in thoughts],
        "created_at": int(message.created_at.timestamp()),
        "extra_contents": [],
        "message_tokens": usage.get("prompt_tokens", 0),
        "answer_tokens": usage.get("completion_tokens", 0),
        "total_tokens": usage.get("total_tokens", 0),
        "provider_response_latency": message.elapsed_s,
        "total_price": usage.get("total_price"),
        "currency": usage.get("currency"),
    }


def _message_file(file: dict[str, Any], belongs_to: str, links: FileLinks) -> dict[str, Any]:
    related = file.get("related_id")
    return {
        "id": file.get("id") or related or file.get("remote_url"),
        "filename": file.get("filename") or "",
        "type": file.get("type"),
        "url": links.url(related) if related else file.get("remote_url"),
        "mime_type": file.get("mime_type") or None,
        "size": file.get("size"),
        "transfer_method": file.get("transfer_method"),
        "belongs_to": belongs_to,
        "upload_file_id": related,
    }


def variable_json(variable: ConversationVariable) -> dict[str, Any]:
    """`value` is always text; whole and broken numbers are both `number`."""
    kind = "number" if variable.value_type in ("integer", "float") else variable.value_type
    value = variable.value
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return {
        "id": str(variable.id),
        "name": variable.name,
        "value_type": kind,
        "value": text,
        "description": variable.description,
        "created_at": int(variable.created_at.timestamp()),
        "updated_at": int(variable.updated_at.timestamp()),
    }


def feedback_json(feedback: Feedback) -> dict[str, Any]:
    return {
        "id": str(feedback.id),
        "app_id": str(feedback.app_id),
        "conversation_id": str(feedback.conversation_id) if feedback.conversation_id else None,
        "message_id": str(feedback.message_id),
        "rating": feedback.rating,
        "content": feedback.content,
        "from_source": "user" if feedback.end_user_id else "admin",
        "from_end_user_id": str(feedback.end_user_id) if feedback.end_user_id else None,
        "from_account_id": str(feedback.account_id) if feedback.account_id else None,
        "created_at": feedback.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": feedback.updated_at.isoformat().replace("+00:00", "Z"),
    }


def end_user_json(user: EndUser) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "tenant_id": str(user.workspace_id),
        "app_id": str(user.app_id),
        "type": user.surface,
        "external_user_id": user.session_id,
        "name": None,
        "is_anonymous": user.is_anonymous,
        "session_id": user.session_id,
        "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": user.updated_at.isoformat().replace("+00:00", "Z"),
    }
