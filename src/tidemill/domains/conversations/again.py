"""Recorded runs, run again: from some node on with other values, or whole and without touching anything."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from tidemill.domains.conversations.desk import Asker, Desk
from tidemill.domains.conversations.origin import ConversationRuns, Kept, ports_for
from tidemill.domains.conversations.reply import shown_inputs
from tidemill.domains.runs import forks, journals
from tidemill.domains.runs.errors import AppUnavailable, InputRefused, NotFinished
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.models import Run
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.replays import Replay, replay
from tidemill.domains.runs.rows import Begin, Start, begin_of, given_of, ticket_of
from tidemill.engine.errors import InputInvalid
from tidemill.engine.events import Event, RunStarted
from tidemill.engine.past import Past
from tidemill.engine.values import Value, revived
from tidemill.kit.crypto import SecretUnreadable
from tidemill.kit.db import new_id

NO_TRACE = "The trace of this run was deleted, so it cannot be run again."


@dataclass(frozen=True)
class Change:
    """Where a fork begins, and what is other than in the record: inputs of the app, outputs of nodes by their id."""

    node_id: str
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, "Mapping[str, Any]"])


@dataclass(frozen=True)
class Record:
    """A recorded run with what it ran."""

    run: Run
    begin: Begin
    program: Program
    events: list[Event]


async def record_of(db: AsyncSession, desk: Desk, run: Run) -> Record:
    """Everything about a run that has ended, or waits.

    Raises:
        NotFinished: It is still running, or its trace was deleted.
        AppUnavailable: What it ran cannot be read any more.
    """
    if run.status == "running":
        raise NotFinished("The run has not ended yet. Wait for it, or stop it.")
    run = (await db.scalars(_WITH_BEGIN.where(Run.id == run.id))).one()
    events = await journals.read(db, run.id)
    if not events:
        raise NotFinished(NO_TRACE)
    try:
        return Record(run, begin_of(run), await desk.programs.of_run(run), events)
    except (msgspec.DecodeError, SecretUnreadable) as error:
        raise AppUnavailable(f"This run cannot be run again: {error}") from error


_WITH_BEGIN = select(Run).options(undefer(Run.began_with)).execution_options(populate_existing=True)


async def fork(db: AsyncSession, desk: Desk, asker: Asker, run: Run, change: Change) -> LiveRun:
    """Begin a new run that takes the recorded results of all nodes that the change does not reach.

    Nothing is written down in the conversation that the recorded run belongs to, if any.

    Raises:
        NotFinished, AppUnavailable: As `record_of`.
        NodeUnknown, ForkRefused, InputRefused: The change does not fit the app.
    """
    record = await record_of(db, desk, run)
    compiled = record.program.compiled
    recorded, system = given_of(record.run)
    given: dict[str, Value] = {**recorded, **{name: revived(value) for name, value in change.inputs.items()}}
    try:
        inputs = compiled.start_inputs(given)
    except InputInvalid as error:
        raise InputRefused(str(error), params=error.variable) from error
    graph = compiled.graph
    changed = [(compiled.start_id, name) for name in inputs if inputs[name] != recorded.get(name)]
    changed += [(node_id, name) for node_id, values in change.outputs.items() for name in values]
    again = forks.cone(graph, change.node_id, changed)
    events = forks.edited(graph, record.events, change.outputs)
    past = Past.taking(events, lambda place: forks.top_of(place) not in again)
    return desk.runner.start(_start(desk, asker, record, inputs, system), past=past)


def _start(
    desk: Desk, asker: Asker, record: Record, inputs: Mapping[str, Value], recorded_system: Mapping[str, Value]
) -> Start:
    run, begin, program = record.run, record.begin, record.program
    run_id = str(new_id())
    kept = msgspec.convert(begin.kept, Kept)
    kept = msgspec.structs.replace(kept, before=kept.before or begin.message_id, files_url=desk.links.base_url)
    system = {**recorded_system, "workflow_run_id": run_id}
    ticket = msgspec.structs.replace(
        ticket_of(run, begin),
        task_id=str(new_id()),
        run_id=run_id,
        creator=asker.creator,
        created_at=int(time.time()),
        message_id="",
        is_preset=False,
    )
    values = {name: revived(value) for name, (_, value) in kept.variables.items()}
    return Start(
        ticket=ticket,
        program=program,
        pool=program.compiled.pool(inputs, system=system, conversation=values, environment=program.environment),
        inputs=shown_inputs(inputs, system),
        ports=ports_for(desk, asker.file_owner, kept.history(desk, run, begin), calling=asker.calling),
        source="console",
        user=asker.user,
        kept=kept.data(),
        query=run.query,
        moderation=None if run.mode == "workflow" else program.compiled.moderation,
        forked_from=run.id,
    )


async def replay_run(db: AsyncSession, desk: Desk, run: Run) -> Replay:
    """Run a recorded run again with no outside call, and tell what came out otherwise.

    Raises:
        NotFinished, AppUnavailable: As `record_of`.
    """
    record = await record_of(db, desk, run)
    start = await ConversationRuns(desk).start(record.run, record.begin, record.program)
    starts = [event for event in record.events if isinstance(event, RunStarted)]
    start = msgspec.structs.replace(start, inputs=starts[0].inputs if starts else start.inputs)
    return await replay(start, record.events, desk.runner.limits)


def asker_for(account_id: UUID, workspace_id: UUID, app_id: UUID) -> Asker:
    """Whoever runs something again in the console."""
    return Asker(
        workspace_id=workspace_id, app_id=app_id, surface="console", creator_id=account_id, user=str(account_id)
    )
