"""What starts a run, and the columns of its row when it begins and when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast
from uuid import UUID

import msgspec

from tidemill.domains.runs.models import Run
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.ticket import AppMode, Creator, Surface, Ticket
from tidemill.dsl import Moderation
from tidemill.engine.events import RunFinished
from tidemill.engine.values import Value, VariablePool, plain, revived
from tidemill.kit.db import now

Ports: TypeAlias = Mapping[type, object]
SYSTEM = "sys."


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run needs. `inputs` is what the first event shows; `user` names the caller in a stop.

    With a `preset` the run says that text and nothing else; `moderation` watches what it says. `kept` is JSON data
    from which whoever starts runs of this kind can make the rest again, should another process go on with it.
    `forked_from` is the run whose results this one begins with.
    """

    ticket: Ticket
    program: Program
    pool: VariablePool
    inputs: Mapping[str, Any]
    ports: Ports
    source: Surface
    user: str
    kept: Mapping[str, Any]
    query: str = ""
    trace_id: str | None = None
    preset: str | None = None
    moderation: Moderation | None = None
    forked_from: UUID | None = None


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """What a run began with, beside its program and its inputs."""

    creator: Creator
    user: str
    created_at: int
    message_id: str = ""
    has_citations: bool = True
    preset: str | None = None
    kept: dict[str, Any] = {}


_pack = msgspec.json.Encoder().encode
_unpack = msgspec.json.Decoder(Begin).decode


def row_of(start: Start, run_id: UUID, executor_id: UUID) -> dict[str, Any]:
    ticket, program = start.ticket, start.program
    creator = UUID(ticket.creator.id) if ticket.creator.id else None
    is_account = ticket.creator.is_account
    return {
        "id": run_id,
        "workspace_id": program.workspace_id,
        "app_id": program.app_id,
        "version_id": program.version_id,
        "workflow_id": program.workflow_id,
        "task_id": UUID(ticket.task_id),
        "snapshot_id": program.snapshot.id if program.snapshot else None,
        "executor_id": executor_id,
        "generation": 1,
        "losses": 0,
        "lost_at_seq": 0,
        "stop_reason": None,
        "forked_from": start.forked_from,
        "began_with": _pack(_begin_of(start)),
        "mode": ticket.mode,
        "source": start.source,
        "end_user_id": None if is_account else creator,
        "account_id": creator if is_account else None,
        "conversation_id": UUID(ticket.conversation_id) if ticket.conversation_id else None,
        "status": "running",
        "query": start.query,
        "inputs": plain(dict(start.inputs)),
        "outputs": None,
        "error": None,
        "error_type": None,
        "elapsed_s": None,
        "total_tokens": 0,
        "total_steps": 0,
        "exceptions_count": 0,
        "total_price": "0",
        "currency": "USD",
        "trace_id": start.trace_id,
        "created_at": now(),
        "finished_at": None,
    }


def _begin_of(start: Start) -> Begin:
    ticket = start.ticket
    return Begin(
        creator=ticket.creator,
        user=start.user,
        created_at=ticket.created_at,
        message_id=ticket.message_id,
        has_citations=ticket.has_citations,
        preset=start.preset,
        kept=dict(start.kept),
    )


def begin_of(run: Run) -> Begin:
    """What a stored run began with. Raises `msgspec.DecodeError` when that is not there or cannot be read."""
    if run.began_with is None:
        raise msgspec.DecodeError("The run was begun by an older release, which kept nothing to go on with.")
    return _unpack(run.began_with)


def ticket_of(run: Run, begin: Begin) -> Ticket:
    """The names of a stored run."""
    return Ticket(
        task_id=str(run.task_id),
        run_id=str(run.id),
        app_id=str(run.app_id),
        workflow_id=str(run.workflow_id),
        mode=cast(AppMode, run.mode),
        creator=begin.creator,
        created_at=begin.created_at,
        conversation_id=str(run.conversation_id or ""),
        message_id=begin.message_id,
        has_citations=begin.has_citations,
        is_preset=begin.preset is not None,
    )


def given_of(run: Run) -> tuple[dict[str, Value], dict[str, Value]]:
    """The start inputs of a stored run and its `sys` variables, files included."""
    inputs: dict[str, Value] = {}
    system: dict[str, Value] = {}
    for name, value in run.inputs.items():
        if name.startswith(SYSTEM):
            system[name.removeprefix(SYSTEM)] = revived(value)
        else:
            inputs[name] = revived(value)
    return inputs, system


def ending_of(finished: RunFinished) -> dict[str, Any]:
    return {
        "status": finished.status,
        "outputs": finished.outputs,
        "error": finished.error,
        "error_type": finished.error_type,
        "elapsed_s": finished.elapsed_s,
        "total_tokens": finished.total_tokens,
        "total_steps": finished.total_steps,
        "exceptions_count": finished.exceptions_count,
        "total_price": finished.usage.total_price,
        "currency": finished.usage.currency,
        "finished_at": datetime.fromtimestamp(finished.at, UTC),
    }


def pause_of(paused: RunFinished) -> dict[str, Any]:
    """The columns of a run that waits. Nobody holds it."""
    return {**ending_of(paused), "executor_id": None, "losses": 0, "finished_at": None}
