"""Service API: messages, completions and workflow runs, and their stops (reference sections 10.1 to 10.3)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from tidemill.api.service_requests import (
    ByKey,
    JsonAnswer,
    asker_of,
    flag_of,
    inputs_of,
    is_streaming,
    objects_of,
    read_json,
    required_user,
    text_of,
    trace_id_of,
    uuid_of,
)
from tidemill.api.wire import failure_of
from tidemill.api.wire_chat import message_blocking
from tidemill.api.wire_workflow import workflow_blocking
from tidemill.domains.conversations import background
from tidemill.domains.conversations.desk import AtDesk, Desk
from tidemill.domains.conversations.reply import Order, Reply, start_completion, start_message, start_workflow
from tidemill.domains.runs import service as runs
from tidemill.domains.runs.callers import Caller
from tidemill.domains.runs.errors import (
    MalformedVersion,
    NotChatApp,
    NotCompletionApp,
    NotPublished,
    NotWorkflowApp,
    StreamingOnly,
)
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.stream import EventStream
from tidemill.engine.events import ResourcesRetrieved, RunFinished
from tidemill.kit.db import Db
from tidemill.kit.errors import AppError

router = APIRouter()

T = TypeVar("T")
Leave: TypeAlias = Callable[[], None]

CHAT_MODES = frozenset({"chat", "agent-chat", "advanced-chat", "agent"})
WRONG_MODE = "The app is of another mode: check that the app and the address belong together."


class RunRefused(AppError):
    """A run that ended as failed, where the answer is an error."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@router.post("/chat-messages")
async def send_chat_message(request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Send one message to a chat, agent or chatflow app."""
    body = await read_json(request)
    _require_mode(caller, CHAT_MODES, NotChatApp)
    user, wants_stream = required_user(body), is_streaming(body)
    if not wants_stream and caller.mode in ("agent-chat", "agent"):
        raise StreamingOnly("Agent apps do not support blocking mode. Send response_mode=streaming.")
    wants_name = flag_of(body, "auto_generate_name", default=True)
    order = Order(
        inputs=inputs_of(body),
        query=text_of(body, "query"),
        files=objects_of(body, "files"),
        conversation_id=uuid_of(body.get("conversation_id"), "conversation_id"),
        trace_id=trace_id_of(request, body),
    )
    program = await _program(desk, caller, body.get("workflow_id"))
    asker = asker_of(desk, caller, user, "service-api")
    leave = desk.runner.enter(program)
    reply = await _or_leave(start_message(desk, asker, program, order), leave)
    if reply.is_new and wants_name:
        background.name_later(desk, program, reply)
    if wants_stream:
        return EventStream(reply.live, desk.encoder_for(reply.live.ticket), on_close=leave)
    return await _blocking_message(reply, leave)


@router.post("/completion-messages")
async def send_completion_message(request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Generate one answer with a completion app."""
    body = await read_json(request)
    _require_mode(caller, frozenset({"completion"}), NotCompletionApp)
    user, wants_stream = required_user(body), is_streaming(body)
    inputs, query = inputs_of(body), text_of(body, "query")
    if query:
        inputs.setdefault("query", query)
    order = Order(inputs=inputs, query=query, files=objects_of(body, "files"), trace_id=trace_id_of(request, body))
    program = await _program(desk, caller, None)
    asker = asker_of(desk, caller, user, "service-api")
    leave = desk.runner.enter(program)
    reply = await _or_leave(start_completion(desk, asker, program, order), leave)
    if wants_stream:
        return EventStream(reply.live, desk.encoder_for(reply.live.ticket), on_close=leave)
    return await _blocking_message(reply, leave)


@router.post("/workflows/run")
async def run_workflow(request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Run the published workflow."""
    return await _run_workflow(request, caller, desk, None)


@router.post("/workflows/{workflow_id}/run")
async def run_workflow_version(workflow_id: str, request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Run one published version of the workflow."""
    return await _run_workflow(request, caller, desk, workflow_id)


@router.get("/workflows/run/{run_id:uuid}")
async def read_workflow_run(run_id: UUID, caller: ByKey, db: Db) -> Response:
    """One run of the app."""
    _require_mode(caller, frozenset({"workflow", "advanced-chat"}), NotWorkflowApp)
    run = await runs.get(db, caller, caller.app_id, run_id)
    answer = {
        "id": str(run.id),
        "workflow_id": str(run.workflow_id),
        "status": run.status,
        "inputs": json.dumps(run.inputs, ensure_ascii=False),
        "outputs": run.outputs or {},
        "error": run.error,
        "total_steps": run.total_steps,
        "total_tokens": run.total_tokens,
        "created_at": int(run.created_at.timestamp()),
        "finished_at": int(run.finished_at.timestamp()) if run.finished_at else None,
        "elapsed_time": run.elapsed_s,
    }
    return JsonAnswer(answer)


@router.post("/chat-messages/{task_id}/stop")
async def stop_chat_message(task_id: str, request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Stop a running reply, if the same user started it."""
    _require_mode(caller, CHAT_MODES, NotChatApp)
    await desk.runner.stop(task_id, caller.app_id, required_user(await read_json(request)))
    return JsonAnswer({"result": "success"})


@router.post("/completion-messages/{task_id}/stop")
async def stop_completion_message(task_id: str, request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Stop a running completion, if the same user started it."""
    _require_mode(caller, frozenset({"completion"}), NotCompletionApp)
    await desk.runner.stop(task_id, caller.app_id, required_user(await read_json(request)))
    return JsonAnswer({"result": "success"})


@router.post("/workflows/tasks/{task_id}/stop")
@router.post("/workflows/{task_id}/stop")
async def stop_workflow(task_id: str, request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Stop a workflow run of this app, whoever started it."""
    _require_mode(caller, frozenset({"workflow"}), NotWorkflowApp)
    required_user(await read_json(request))
    await desk.runner.stop(task_id, caller.app_id, None)
    return JsonAnswer({"result": "success"})


async def _run_workflow(request: Request, caller: Caller, desk: Desk, workflow_id: str | None) -> Response:
    body = await read_json(request)
    _require_mode(caller, frozenset({"workflow"}), NotWorkflowApp)
    user, wants_stream = required_user(body), is_streaming(body)
    order = Order(inputs=inputs_of(body), files=objects_of(body, "files"), trace_id=trace_id_of(request, body))
    program = await _program(desk, caller, workflow_id)
    asker = asker_of(desk, caller, user, "service-api")
    leave = desk.runner.enter(program)
    live = await _or_leave(start_workflow(desk, asker, program, order), leave)
    if wants_stream:
        return EventStream(live, desk.encoder_for(live.ticket), on_close=leave)
    try:
        finished = await asyncio.shield(live.finished)
    finally:
        leave()
    return JsonAnswer(workflow_blocking(live.ticket, finished))


async def _program(desk: Desk, caller: Caller, workflow_id: object) -> Program:
    version_id = caller.published_version_id
    if isinstance(workflow_id, str) and workflow_id.strip():
        try:
            version_id = UUID(workflow_id)
        except ValueError as error:
            raise MalformedVersion("`workflow_id` must be the id of a published version.") from error
        if version_id == caller.app_id:
            raise MalformedVersion("The draft cannot be run here. Publish it and send the version's id.")
    if version_id is None:
        raise NotPublished("The app has not been published. Publish it, then call it again.")
    return await desk.programs.published(caller, caller.app_id, version_id)


async def _blocking_message(reply: Reply, leave: Leave) -> Response:
    try:
        finished = await asyncio.shield(reply.live.finished)
    finally:
        leave()
    raise_if_failed(reply.live, finished)
    resources = [
        resource for event in reply.live.events if isinstance(event, ResourcesRetrieved) for resource in event.resources
    ]
    return JsonAnswer(message_blocking(reply.live.ticket, finished, resources))


def raise_if_failed(live: LiveRun, finished: RunFinished) -> None:
    """Raise what a failed run of a message app answers in blocking mode."""
    if finished.status == "failed":
        is_graph = live.ticket.mode == "advanced-chat"
        raise RunRefused(*failure_of(finished.error, finished.error_type, is_graph=is_graph))


async def _or_leave(starting: Awaitable[T], leave: Leave) -> T:
    """Give the place back when the run could not begin."""
    try:
        return await starting
    except BaseException:
        leave()
        raise


def _require_mode(caller: Caller, modes: frozenset[str], error: type[AppError]) -> None:
    if caller.mode not in modes:
        raise error(WRONG_MODE)
