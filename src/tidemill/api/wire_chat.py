"""Streams of chat, agent-chat, chatflow and completion apps (reference `service-api.md`, section 5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tidemill.api.wire import EventFrame, TextFrame, failure_of
from tidemill.api.wire_workflow import FormToken, WorkflowData, WorkflowEncoder, workflow_event
from tidemill.domains.runs.ticket import Encoder, Ticket
from tidemill.engine import events


def merged_resources(resources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Citations without repeats of the same document, positions renumbered from 1."""
    seen: dict[tuple[Any, Any], dict[str, Any]] = {}
    for number, resource in enumerate(resources):
        key = (resource.get("dataset_id"), resource.get("document_id"))
        seen.setdefault(key if any(key) else (None, number), resource)
    return [{**resource, "position": position} for position, resource in enumerate(seen.values(), 1)]


class MessageEncoder:
    """What every message surface does: text, replacements, and the closing `message_end` or `error`."""

    text_event = "message"

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self._resources: list[dict[str, Any]] = []
        common: dict[str, Any] = {}
        if ticket.mode != "completion":
            common["conversation_id"] = ticket.conversation_id
        common.update(message_id=ticket.message_id, created_at=ticket.created_at, task_id=ticket.task_id)
        self._frame = EventFrame(common)
        head = self._frame.frame(self.text_event, {"id": ticket.message_id})[: -len(b"}\n\n")] + b',"answer":'
        self._text = TextFrame(head, is_nested=False)

    def encode(self, event: events.Event) -> bytes:
        if isinstance(event, events.TextDelta):
            return self._text.frame(event.text, event.selector)
        match event:
            case events.TextReplaced():
                return self._frame.frame("message_replace", {"answer": event.text, "reason": event.reason})
            case events.ResourcesRetrieved():
                self._resources += event.resources
            case events.RunFinished():
                return self._closing(event)
            case _:
                return self._other(event)
        return b""

    def _other(self, event: events.Event) -> bytes:
        del event
        return b""

    def _closing(self, event: events.RunFinished) -> bytes:
        if event.status == "failed":
            code, status, message = failure_of(event.error, event.error_type, is_graph=False)
            return self.failure(code=code, status=status, message=message)
        return self._message_end(event)

    def _message_end(self, event: events.RunFinished) -> bytes:
        own = {
            "id": self._ticket.message_id,
            "metadata": {
                "annotation_reply": None,
                "retriever_resources": merged_resources(self._resources) if self._ticket.has_citations else [],
                "usage": events.usage_json(event.usage),
            },
            "files": event.files or (None if self._ticket.mode in ("chat", "completion") else []),
        }
        return self._frame.frame("message_end", own)

    def failure(self, *, code: str, status: int, message: str) -> bytes:
        return self._frame.frame("error", {"code": code, "status": status, "message": message}, without="task_id")


class AgentChatEncoder(MessageEncoder):
    """An agent app: thoughts beside the text, and the files that tools made."""

    text_event = "agent_message"

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(ticket)
        self._files: list[dict[str, Any]] = []

    def encode(self, event: events.Event) -> bytes:
        if isinstance(event, events.TextDelta):
            # Agent messages carry no selector, so the shared frame does not fit.
            return self._frame.frame("agent_message", {"id": self._ticket.message_id, "answer": event.text})
        return super().encode(event)

    def _closing(self, event: events.RunFinished) -> bytes:
        event = msgspec.structs.replace(event, files=[*event.files, *self._files])
        if self._ticket.mode != "agent" or event.status == "failed":
            return super()._closing(event)
        # Newer agent apps say the whole answer once more, and name no sources.
        self._resources = []
        whole = {"id": self._ticket.message_id, "answer": event.answer, "from_variable_selector": None}
        return self._frame.frame("message", whole) + super()._closing(event)

    def _other(self, event: events.Event) -> bytes:
        match event:
            case events.AgentThought():
                return self._thought(event)
            case events.FileProduced():
                self._files.append(event.file)
                own = {
                    "id": event.file.get("id"),
                    "type": event.file.get("type"),
                    "belongs_to": "assistant",
                    "url": event.file.get("url") or event.file.get("remote_url"),
                }
                return self._frame.frame("message_file", own)
            case _:
                return b""

    def _thought(self, event: events.AgentThought) -> bytes:
        own = {
            "id": event.thought_id,
            "position": event.position,
            "thought": event.thought,
            "observation": event.observation,
            "tool": event.tool,
            "tool_labels": event.tool_labels,
            "tool_input": event.tool_input,
            "message_files": event.file_ids,
        }
        return self._frame.frame("agent_thought", own)


class ChatflowEncoder(MessageEncoder):
    """A chatflow: the workflow's events and the message's, interleaved."""

    def __init__(self, ticket: Ticket, form_token: FormToken | None = None) -> None:
        super().__init__(ticket)
        self._data = WorkflowData(ticket, form_token)

    def _other(self, event: events.Event) -> bytes:
        if (known := workflow_event(self._data, event)) is not None:
            return self._workflow(*known)
        match event:
            case events.ModelCalled():
                self._data.model_called(event)
            case events.ReasoningDelta():
                reasoning = {
                    "message_id": self._ticket.message_id,
                    "reasoning": event.text,
                    "node_id": event.node_id,
                    "is_final": event.is_final,
                }
                return self._frame.frame("reasoning_chunk", {"data": reasoning})
            case events.AgentLogged():
                return self._frame.frame("agent_log", {"data": self._data.agent_logged(event)})
            case _:
                pass
        return b""

    def _workflow(self, name: str, data: dict[str, Any]) -> bytes:
        return self._frame.frame(name, {"workflow_run_id": self._ticket.run_id, "data": data})

    def _closing(self, event: events.RunFinished) -> bytes:
        finished = self._workflow("workflow_finished", self._data.run_finished(event))
        if event.status == "failed":
            code, status, message = failure_of(event.error, event.error_type, is_graph=True)
            return finished + self.failure(code=code, status=status, message=message)
        if event.status == "stopped":
            return finished + self._message_end(event)
        return self._message_end(event) + finished


def encoder_for(ticket: Ticket, form_token: FormToken | None = None) -> Encoder:
    """The Service API's encoder for an app of this mode."""
    if ticket.is_preset:
        return MessageEncoder(ticket)
    match ticket.mode:
        case "workflow":
            return WorkflowEncoder(ticket, form_token)
        case "advanced-chat":
            return ChatflowEncoder(ticket, form_token)
        case "agent-chat" | "agent":
            return AgentChatEncoder(ticket)
        case "chat" | "completion":
            return MessageEncoder(ticket)


def message_blocking(
    ticket: Ticket, finished: events.RunFinished, resources: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The answer of a chat, chatflow or completion app in blocking mode."""
    answer: dict[str, Any] = {
        "event": "message",
        "task_id": ticket.task_id,
        "id": ticket.message_id,
        "message_id": ticket.message_id,
    }
    if ticket.mode != "completion":
        answer["conversation_id"] = ticket.conversation_id
    answer["mode"] = ticket.mode
    answer["answer"] = finished.answer
    answer["metadata"] = {
        "usage": events.usage_json(finished.usage),
        "retriever_resources": merged_resources(resources) if ticket.has_citations else [],
    }
    answer["created_at"] = ticket.created_at
    return answer


def paused_blocking(
    ticket: Ticket,
    finished: events.RunFinished,
    resources: Sequence[dict[str, Any]],
    paused: events.RunPaused,
    form_token: FormToken | None,
) -> dict[str, Any]:
    """The answer of a chatflow in blocking mode that waits for people."""
    answer = {**message_blocking(ticket, finished, resources), "event": "workflow_paused"}
    waiting = WorkflowData(ticket, form_token).paused(paused)
    answer["workflow_run_id"] = ticket.run_id
    answer["data"] = {
        "id": ticket.message_id,
        "mode": ticket.mode,
        "conversation_id": ticket.conversation_id,
        "message_id": ticket.message_id,
        "workflow_run_id": ticket.run_id,
        "answer": finished.answer,
        "metadata": answer["metadata"],
        "created_at": ticket.created_at,
        **{name: value for name, value in waiting.items() if name not in ("workflow_run_id", "outputs", "created_at")},
    }
    return answer
