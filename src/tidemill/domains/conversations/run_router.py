"""The console's routes of single runs: follow them, and run them again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from tidemill.domains.conversations import again
from tidemill.domains.conversations.attach import Wish, attach, last_event_id
from tidemill.domains.conversations.console_router import EVENTS
from tidemill.domains.conversations.desk import AtDesk
from tidemill.domains.runs import service as runs
from tidemill.domains.workspaces.permissions import Editor, Viewer
from tidemill.kit.db import Db
from tidemill.kit.schema import Schema

router = APIRouter(tags=["runs"])


class ForkCreate(Schema):
    node_id: str = Field(description="The node from which on everything is run again.")
    inputs: dict[str, Any] = Field(default_factory=dict, description="Inputs of the app that are other than recorded.")
    outputs: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Recorded outputs to replace: node id to name to value."
    )


class ForkRead(Schema):
    run_id: UUID
    task_id: UUID
    forked_from: UUID


class DivergenceRead(Schema):
    place: str = Field(description="The node; empty: the run itself.")
    what: str = Field(description="status, outputs, error, handle or answer.")
    recorded: Any
    replayed: Any


class ReplayRead(Schema):
    is_same: bool
    status: str
    outputs: dict[str, Any]
    answer: str
    taken: int = Field(description="Results taken from the record.")
    divergences: list[DivergenceRead]


@router.get("/runs/{run_id}/events", response_class=Response, responses=EVENTS)
async def follow_run(
    run_id: UUID,
    request: Request,
    member: Viewer,
    desk: AtDesk,
    db: Db,
    is_whole: bool = True,
    goes_past_pauses: bool = False,
) -> Response:
    """The events of a run from the first on, then whatever follows. `Last-Event-ID` leaves out what was seen."""
    run = await runs.get(db, member, None, run_id)
    after_seq = last_event_id(request)
    wish = Wish(is_whole=is_whole and not after_seq, after_seq=after_seq, goes_past_pauses=goes_past_pauses)
    return await attach(db, desk, run.id, wish)


@router.post("/runs/{run_id}/fork", status_code=201)
async def fork_run(run_id: UUID, body: ForkCreate, member: Editor, desk: AtDesk, db: Db) -> ForkRead:
    """Run a recorded run again from some node on; all nodes that the change does not reach give what is recorded."""
    run = await runs.get(db, member, None, run_id)
    asker = again.asker_for(member.account_id, member.workspace_id, run.app_id)
    change = again.Change(body.node_id, body.inputs, body.outputs)
    live = await again.fork(db, desk, asker, run, change)
    # Whoever is told of the run can ask for it.
    await desk.runner.recorder.settle(live.run_id)
    return ForkRead(run_id=live.run_id, task_id=UUID(live.ticket.task_id), forked_from=run.id)


@router.post("/runs/{run_id}/replay")
async def replay_run(run_id: UUID, member: Editor, desk: AtDesk, db: Db) -> ReplayRead:
    """Run a recorded run again from its trace alone, with every outside call refused, and compare."""
    run = await runs.get(db, member, None, run_id)
    replayed = await again.replay_run(db, desk, run)
    return ReplayRead(
        is_same=not replayed.divergences,
        status=replayed.finished.status,
        outputs=replayed.finished.outputs,
        answer=replayed.finished.answer,
        taken=replayed.taken,
        divergences=[DivergenceRead.model_validate(msgspec.to_builtins(item)) for item in replayed.divergences],
    )
