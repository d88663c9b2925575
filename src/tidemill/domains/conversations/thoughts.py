"""Thoughts of agent apps: kept with their message, shown with it, and told to the model in later turns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.conversations.models import AgentThought
from tidemill.domains.runs.recorder import Recorder
from tidemill.domains.runs.ticket import Ticket
from tidemill.engine import events
from tidemill.kit.db import now
from tidemill.ports import PastCall, PastThought

THOUGHTS = cast(Table, AgentThought.__table__)


class ThoughtKeeper:
    """Gathers what an agent app thinks and makes during a run; the rows are written when it ends."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self._thoughts: dict[str, events.AgentThought] = {}
        self._files: dict[str, dict[str, Any]] = {}

    def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.AgentThought):
            self._thoughts[event.thought_id] = event
        elif isinstance(event, events.FileProduced):
            self._files[str(event.file.get("id"))] = event.file

    @property
    def files(self) -> list[dict[str, Any]]:
        """The files that tools made for the user."""
        return list(self._files.values())

    def queue(self, recorder: Recorder, workspace_id: UUID) -> None:
        """Queue the rows. Called once, with the rows of the message's end."""
        for thought in self._thoughts.values():
            recorder.insert(UUID(self._ticket.run_id), THOUGHTS, self._row(thought, workspace_id))

    def _row(self, thought: events.AgentThought, workspace_id: UUID) -> dict[str, Any]:
        return {
            "id": UUID(thought.thought_id),
            "workspace_id": workspace_id,
            "message_id": UUID(self._ticket.message_id),
            "position": thought.position,
            "thought": thought.thought.replace("\0", ""),
            "tool": thought.tool,
            "tool_labels": thought.tool_labels,
            "tool_input": thought.tool_input.replace("\0", ""),
            "observation": thought.observation.replace("\0", ""),
            "file_ids": thought.file_ids,
            "created_at": now(),
        }


async def thoughts_of(
    db: AsyncSession, workspace_id: UUID, message_ids: Sequence[UUID]
) -> dict[UUID, list[AgentThought]]:
    """The thoughts of some messages, each message's in their order."""
    if not message_ids:
        return {}
    query = select(AgentThought).where(
        AgentThought.workspace_id == workspace_id, AgentThought.message_id.in_(message_ids)
    )
    found: dict[UUID, list[AgentThought]] = {}
    for row in (await db.scalars(query.order_by(AgentThought.position))).all():
        found.setdefault(row.message_id, []).append(row)
    return found


def thought_json(thought: AgentThought) -> dict[str, Any]:
    """A thought as clients read it."""
    return {
        "id": str(thought.id),
        "chain_id": None,
        "message_id": str(thought.message_id),
        "position": thought.position,
        "thought": thought.thought,
        "tool": thought.tool,
        "tool_labels": thought.tool_labels,
        "tool_input": thought.tool_input,
        "observation": thought.observation,
        "files": thought.file_ids,
        "created_at": int(thought.created_at.timestamp()),
    }


def past_thoughts(rows: Iterable[AgentThought]) -> tuple[PastThought, ...]:
    """Stored thoughts as an agent is told of them."""
    return tuple(PastThought(thought=row.thought, calls=_calls(row)) for row in rows)


def _calls(row: AgentThought) -> tuple[PastCall, ...]:
    """The calls of one thought. Inputs and results are lists where a tool was called more than once."""
    names = [name for name in row.tool.split(";") if name]
    inputs, results = _by_name(row.tool_input), _by_name(row.observation)
    calls: list[PastCall] = []
    for place, name in enumerate(names):
        count, number = names.count(name), names[:place].count(name)
        given, seen = _one(inputs.get(name), number, count), _one(results.get(name), number, count)
        # A call without a result was cut off; providers refuse to be told of it.
        if seen is None:
            continue
        arguments = given if isinstance(given, str) else json.dumps(given or {}, ensure_ascii=False)
        calls.append(PastCall(name=name, arguments=arguments, observation=str(seen)))
    return tuple(calls)


def _one(value: Any, number: int, count: int) -> Any:
    if count == 1:
        return value
    return value[number] if isinstance(value, list) and number < len(value) else None


def _by_name(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
