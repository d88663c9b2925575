"""Runs workflows that other runs call as tools: each is a run of its own, for the same caller."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from tidemill.domains.apps import service as apps
from tidemill.domains.conversations.desk import Calling, Desk
from tidemill.domains.runs.errors import RunUnfinished
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.models import Run
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.rows import Ports, Start, begin_of, ticket_of
from tidemill.domains.runs.ticket import Ticket
from tidemill.engine.errors import InputInvalid
from tidemill.engine.events import Usage
from tidemill.engine.values import Value, as_file, plain, revived, to_json
from tidemill.kit.db import new_id
from tidemill.kit.errors import AppError
from tidemill.ports import ToolCall, ToolFailed, ToolMessage

MAX_ATTEMPTS = 50
CALLER_STOPPED = "The run that called this workflow was stopped."


class _Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a called workflow ended."""

    run_id: UUID
    status: str
    outputs: dict[str, Any]
    error: str
    usage: Usage


class CalledWorkflows:
    """Implements `toolbox.workflows.WorkflowRuns` for the runs of one caller.

    Args:
        ports: The outside world of a called run: the caller's files, and a call deeper.
        kept: What is stored with it, for another process to go on with.
    """

    def __init__(
        self,
        desk: Desk,
        calling: Calling,
        *,
        ports: Callable[[Calling], Ports],
        kept: Callable[[Calling], Mapping[str, Any]],
    ) -> None:
        self._desk = desk
        self._calling = calling
        self._ports = ports
        self._kept = kept

    async def run(
        self, app_id: UUID, name: str, arguments: Mapping[str, Value], call: ToolCall
    ) -> AsyncIterator[ToolMessage]:
        """Run the published version to its end; what a crash repeats finds the run that it began before.

        Raises:
            ToolFailed: It cannot be started, fails, is stopped, or waits for a person.
        """
        inner = replace(self._calling, depth=self._calling.depth + 1)
        if inner.depth > self._desk.max_call_depth:
            raise ToolFailed(
                f"The workflow {name} is called at a depth of {inner.depth}, over the limit of "
                f"{self._desk.max_call_depth}. Let workflows call one another less deeply, or raise "
                "WORKFLOW_CALL_MAX_DEPTH."
            )
        ending = await self._ended(app_id, name, arguments, call, inner)
        # Told whatever came of it: the trace finds the run, and what it spent counts.
        told = {"run_id": str(ending.run_id), "status": ending.status}
        yield ToolMessage(kind="log", name="workflow", data=told, usage=ending.usage)
        if ending.status not in ("succeeded", "partial-succeeded"):
            raise ToolFailed(_sentence(name, ending))
        for output, value in ending.outputs.items():
            yield ToolMessage(kind="variable", name=output, data=revived(value))
        for value in ending.outputs.values():
            for item in value if isinstance(value, list) else [value]:
                if (file := as_file(item)) is not None:
                    yield ToolMessage(kind="file", file=file)
        yield ToolMessage(kind="json", data=ending.outputs)
        yield ToolMessage(kind="text", text=to_json(ending.outputs))

    async def _ended(
        self, app_id: UUID, name: str, arguments: Mapping[str, Value], call: ToolCall, inner: Calling
    ) -> _Ending:
        for attempt in range(MAX_ATTEMPTS):
            run_id = run_id_of(UUID(call.info.run_id), call.idempotency_key, attempt)
            known = await self._find(run_id)
            if known is None:
                live = await self._started(run_id, app_id, name, arguments, inner)
                return await self._waited(live, call, name)
            if known.status in ("running", "paused"):
                return await self._followed(known, call, name)
            if known.status in ("succeeded", "partial-succeeded"):
                return _stored(known)
            # A failed one is not taken: the node that calls is at its next try.
        raise ToolFailed(f"The workflow {name} has failed {MAX_ATTEMPTS} times here.")

    async def _started(
        self, run_id: UUID, app_id: UUID, name: str, arguments: Mapping[str, Value], inner: Calling
    ) -> LiveRun:
        desk = self._desk
        try:
            program = await self._program(app_id)
            inputs = program.compiled.start_inputs(arguments)
            leave = desk.runner.enter(program)
        except (AppError, InputInvalid) as error:
            raise ToolFailed(f"The workflow {name} cannot be run: {error}") from error
        system: dict[str, Value] = {
            "files": [],
            "user_id": inner.user,
            "app_id": str(app_id),
            "workflow_id": str(program.workflow_id),
            "workflow_run_id": str(run_id),
        }
        ticket = Ticket(
            task_id=str(new_id()),
            run_id=str(run_id),
            app_id=str(app_id),
            workflow_id=str(program.workflow_id),
            mode=program.mode,
            creator=inner.creator,
            created_at=int(time.time()),
        )
        start = Start(
            ticket=ticket,
            program=program,
            pool=program.compiled.pool(inputs, system=system, environment=program.environment),
            inputs=plain({**inputs, **{f"sys.{key}": value for key, value in system.items()}}),
            ports=self._ports(inner),
            source=inner.source,
            user=inner.user,
            kept=self._kept(inner),
        )
        try:
            live = desk.runner.start(start)
        except AppError as error:
            leave()
            raise ToolFailed(f"The workflow {name} cannot be run: {error}") from error
        live.finished.add_done_callback(lambda _: leave())
        return live

    async def _program(self, app_id: UUID) -> Program:
        async with self._desk.database.session() as db:
            app = await apps.get(db, self._calling, app_id)
        return await self._desk.programs.published(self._calling, app_id, app.published_version_id)

    async def _waited(self, live: LiveRun, call: ToolCall, name: str) -> _Ending:
        try:
            finished = await asyncio.shield(live.finished)
        except asyncio.CancelledError:
            # A run that is left to another process takes its called ones along; one that was stopped stops them.
            if self._desk.runner.find(UUID(call.info.run_id)) is not None:
                self._desk.runner.stop_here(live.run_id, CALLER_STOPPED)
            raise
        except RunUnfinished as error:
            raise ToolFailed(f"The workflow {name} goes on in another process: {error}") from error
        if finished.status == "paused":
            await self._desk.runner.stop(live.ticket.task_id, UUID(live.ticket.app_id), None)
        return _Ending(
            run_id=live.run_id,
            status=finished.status,
            outputs=finished.outputs,
            error=finished.error or "",
            usage=finished.usage,
        )

    async def _followed(self, known: Run, call: ToolCall, name: str) -> _Ending:
        """Wait for a run that another process executes, or that is waiting to be taken over."""
        if (live := self._desk.runner.find(known.id)) is not None:
            return await self._waited(live, call, name)
        story = self._desk.following.follow(ticket_of(known, begin_of(known)))
        reader = story.reader()
        try:
            while not reader.is_done:
                await reader.wait()
                reader.take()
        except asyncio.CancelledError:
            if self._desk.runner.find(UUID(call.info.run_id)) is not None:
                await self._desk.runner.stop(str(known.task_id), known.app_id, None)
            raise
        finally:
            reader.close()
            await self._desk.following.leave(story)
        ended = await self._find(known.id)
        if ended is None:
            raise ToolFailed(f"The run of the workflow {name} was deleted.")
        return _stored(ended)

    async def _find(self, run_id: UUID) -> Run | None:
        query = select(Run).where(Run.workspace_id == self._calling.workspace_id, Run.id == run_id)
        async with self._desk.database.session() as db:
            return (await db.scalars(query)).first()


def run_id_of(caller: UUID, key: str, attempt: int) -> UUID:
    """The id of a called run: the same for the same call, and in the caller's place among ids sorted by time."""
    digest = int.from_bytes(hashlib.sha256(f"{caller}/{key}/{attempt}".encode()).digest()[:10], "big")
    moment = caller.int >> 80 << 80
    return UUID(int=moment | 0x7 << 76 | (digest >> 64 & 0xFFF) << 64 | 0b10 << 62 | digest & (1 << 62) - 1)


def _stored(run: Run) -> _Ending:
    usage = Usage(total_tokens=run.total_tokens, total_price=run.total_price, currency=run.currency)
    return _Ending(run_id=run.id, status=run.status, outputs=run.outputs or {}, error=run.error or "", usage=usage)


def _sentence(name: str, ending: _Ending) -> str:
    if ending.status == "paused":
        return (
            f"The workflow {name} waits for a person, which a workflow that is called as a tool cannot do. "
            "Put the question into the app that calls it."
        )
    if ending.status == "stopped":
        return f"The workflow {name} was stopped."
    return f"The workflow {name} failed: {ending.error}"
