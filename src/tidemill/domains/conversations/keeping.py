"""Writes down what a reply means: conversation, variables and message at its start, the answer at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table

from tidemill.domains.conversations.desk import Asker
from tidemill.domains.conversations.models import Conversation, ConversationVariable, Message
from tidemill.domains.conversations.thoughts import ThoughtKeeper
from tidemill.domains.runs.recorder import Recorder
from tidemill.domains.runs.ticket import Ticket
from tidemill.dsl import CompiledApp
from tidemill.engine.events import Event, ResourcesRetrieved, RunFinished, VariableAssigned
from tidemill.engine.values import File, Value, plain
from tidemill.kit.db import new_id, now

CONVERSATIONS = cast(Table, Conversation.__table__)
MESSAGES = cast(Table, Message.__table__)
VARIABLES = cast(Table, ConversationVariable.__table__)
NAME_LENGTH = 20


@dataclass
class Thread:
    """The conversation a message goes to; `variables` maps names to (row id, value)."""

    id: UUID
    turn: int = 1
    is_new: bool = True
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    variables: dict[str, tuple[UUID, Value]] = field(default_factory=dict[str, tuple[UUID, Value]])


class Keeper:
    """Writes down what a reply's run means: the answer, its cost, and new values of conversation variables."""

    def __init__(self, recorder: Recorder, ticket: Ticket, thread: Thread | None, *, workspace_id: UUID) -> None:
        self._recorder = recorder
        self._workspace_id = workspace_id
        self._thoughts = ThoughtKeeper(ticket)
        self._run_id = UUID(ticket.run_id)
        self._message_id = UUID(ticket.message_id)
        self._thread = thread
        self._resources: list[dict[str, Any]] = []

    def on_event(self, event: Event) -> None:
        if isinstance(event, VariableAssigned):
            self._assign(event)
        elif isinstance(event, ResourcesRetrieved):
            self._resources += event.resources
        else:
            self._thoughts.on_event(event)

    def on_told(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, ResourcesRetrieved):
                self._resources += event.resources
            else:
                self._thoughts.on_event(event)

    def on_finish(self, finished: RunFinished) -> None:
        ending = {
            "answer": finished.answer.replace("\0", ""),
            "answer_files": [*finished.files, *self._thoughts.files],
            "resources": self._resources,
            "status": {"failed": "error", "paused": "paused"}.get(finished.status, "normal"),
            "error": finished.error if finished.status == "failed" else None,
            "usage": _usage(finished),
            "elapsed_s": finished.elapsed_s,
        }
        self._recorder.update(self._run_id, MESSAGES, (self._message_id,), ending)
        if finished.status != "paused":
            self._thoughts.queue(self._recorder, self._workspace_id)
        if self._thread is not None:
            self._recorder.update(self._run_id, CONVERSATIONS, (self._thread.id,), {"updated_at": now()})

    def _assign(self, event: VariableAssigned) -> None:
        if self._thread is None or len(event.selector) < 2:
            return
        known = self._thread.variables.get(event.selector[1])
        if known is not None:
            values = {"value": event.value, "updated_at": now()}
            self._recorder.update(self._run_id, VARIABLES, (known[0],), values)


def _usage(finished: RunFinished) -> dict[str, Any]:
    usage = finished.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "total_price": usage.total_price,
        "currency": usage.currency,
    }


def queue_thread(
    recorder: Recorder,
    asker: Asker,
    ticket: Ticket,
    compiled: CompiledApp,
    thread: Thread,
    inputs: Mapping[str, Any],
    query: str,
) -> None:
    """Queue the row of the conversation, new or continued, and of the variables it does not have yet."""
    run_id, moment = UUID(ticket.run_id), now()
    shown = plain(dict(inputs))
    if thread.is_new:
        row = {
            "id": thread.id,
            "workspace_id": asker.workspace_id,
            "app_id": asker.app_id,
            "surface": asker.surface,
            "end_user_id": asker.end_user_id,
            "account_id": asker.account_id,
            "name": default_name(query),
            "inputs": shown,
            "introduction": compiled.opening(inputs),
            "status": "normal",
            "turn_count": 1,
            "created_at": moment,
            "updated_at": moment,
        }
        recorder.insert(run_id, CONVERSATIONS, row)
    else:
        values = {"inputs": shown, "turn_count": thread.turn, "updated_at": moment}
        recorder.update(run_id, CONVERSATIONS, (thread.id,), values)
    _queue_variables(recorder, asker, run_id, compiled, thread)


def _queue_variables(recorder: Recorder, asker: Asker, run_id: UUID, compiled: CompiledApp, thread: Thread) -> None:
    moment = now()
    for position, variable in enumerate(compiled.conversation):
        if variable.name in thread.variables:
            continue
        row_id = new_id()
        thread.variables[variable.name] = (row_id, variable.value)
        row = {
            "id": row_id,
            "workspace_id": asker.workspace_id,
            "app_id": asker.app_id,
            "conversation_id": thread.id,
            "name": variable.name,
            "value_type": variable.type.value,
            "value": plain(variable.value),
            "description": variable.description,
            "position": position,
            "created_at": moment,
            "updated_at": moment,
        }
        recorder.insert(run_id, VARIABLES, row)


def queue_message(
    recorder: Recorder, asker: Asker, ticket: Ticket, inputs: Mapping[str, Any], query: str, used: Sequence[File]
) -> None:
    row = {
        "id": UUID(ticket.message_id),
        "workspace_id": asker.workspace_id,
        "app_id": asker.app_id,
        "conversation_id": UUID(ticket.conversation_id) if ticket.conversation_id else None,
        "run_id": UUID(ticket.run_id),
        "end_user_id": asker.end_user_id,
        "account_id": asker.account_id,
        "parent_id": None,
        "query": query,
        "inputs": plain(dict(inputs)),
        "files": plain(list(used)),
        "answer": "",
        "answer_files": [],
        "resources": [],
        "status": "running",
        "error": None,
        "usage": None,
        "elapsed_s": 0.0,
        "created_at": now(),
    }
    recorder.insert(UUID(ticket.run_id), MESSAGES, row)


def default_name(query: str) -> str:
    """A conversation's name until it gets a better one."""
    line = " ".join(query.split())
    return line if len(line) <= NAME_LENGTH else f"{line[:NAME_LENGTH]}…"
