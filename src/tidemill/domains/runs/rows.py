"""What starts a run, and the columns of its row when it begins and when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.ticket import Surface, Ticket
from tidemill.dsl import Moderation
from tidemill.engine.events import RunFinished
from tidemill.engine.values import VariablePool, plain
from tidemill.kit.db import now

Ports: TypeAlias = Mapping[type, object]


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run needs. `inputs` is what the first event shows; `user` names the caller in a stop.

    With a `preset` the run says that text and nothing else; `moderation` watches what it says.
    """

    ticket: Ticket
    program: Program
    pool: VariablePool
    inputs: Mapping[str, Any]
    ports: Ports
    source: Surface
    user: str
    query: str = ""
    trace_id: str | None = None
    preset: str | None = None
    moderation: Moderation | None = None


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
        "executor_id": executor_id,
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


def broken(start: Start, status: str, sentence: str) -> RunFinished:
    moment = now().timestamp()
    return RunFinished(
        seq=1_000_000_000,  # after everything the run may have said
        at=moment,
        run_id=start.ticket.run_id,
        status="stopped" if status == "stopped" else "failed",
        outputs={},
        started_at=moment,
        elapsed_s=0.0,
        total_tokens=0,
        total_steps=0,
        error=sentence,
        error_type="ServerFault",
    )
