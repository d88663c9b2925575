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
    caller_of,
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
from tidemill.api.wire_chat import message_blocking, paused_blocking
from tidemill.api.wire_workflow import pause_in, workflow_blocking
from tidemill.domains.conversations import background
from tidemill.domains.conversations.attach import LAST_EVENT_ID, Wish, attach, last_event_id
from tidemill.domains.conversations.desk import AtDesk, Desk, get_desk
from tidemill.domains.conversations.reply import Order, Reply, start_completion, start_message, start_workflow
from tidemill.domains.runs import service as runs
from tidemill.domains.runs.callers import Caller
from tidemill.domains.runs.errors import (
    MalformedVersion,
    NotChatApp,
    NotCompletionApp,
    NotPublished,
    NotWorkflowApp,
    RunNotFound,
    StreamingOnly,
)
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.stream import EventStream
from tidemill.engine.events import ResourcesRetrieved, RunFinished, RunPaused
from tidemill.kit.db import Db
from tidemill.kit.errors import AppError

router = APIRouter()

T = TypeVar("T")
Leave: TypeAlias = Callable[[], None]

CHAT_MODES = frozenset({"chat", "agent-chat", "advanced-chat", "agent"})
WRONG_MODE = "The app is of another mode: check that the app and the address belong together."

Endpoint: TypeAlias = Callable[[Request, Caller, Desk], Awaitable[Response]]


def by_key(path: str) -> Callable[[Endpoint], Endpoint]:
    """A route that only a key opens. These carry the load, so nothing stands between the request and the endpoint."""

    def add(endpoint: Endpoint) -> Endpoint:
        async def call(request: Request) -> Response:
            return await endpoint(request, await caller_of(request), await get_desk(request))

        router.add_route(path, call, methods=["POST"], name=endpoint.__name__)
        return endpoint

    return add


class RunRefused(AppError):
    """A run that ended as failed, where the answer is an error."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@by_key("/chat-messages")
async def send_chat_message(request: Request, caller: Caller, desk: Desk) -> Response:
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
        return _stream(request, desk, reply.live, leave)
    return await _blocking_message(desk, reply, leave)


@by_key("/completion-messages")
async def send_completion_message(request: Request, caller: Caller, desk: Desk) -> Response:
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
        return _stream(request, desk, reply.live, leave)
    return await _blocking_message(desk, reply, leave)


@by_key("/workflows/run")
async def run_workflow(request: Request, caller: Caller, desk: Desk) -> Response:
    """Run the published workflow."""
    return await _run_workflow(request, caller, desk, None)


@by_key("/workflows/{workflow_id}/run")
async def run_workflow_version(request: Request, caller: Caller, desk: Desk) -> Response:
    """Run one published version of the workflow."""
    return await _run_workflow(request, caller, desk, request.path_params["workflow_id"])


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


@router.get("/workflow/{run_id:uuid}/events")
async def follow_workflow_run(run_id: UUID, request: Request, caller: ByKey, desk: AtDesk, db: Db) -> Response:
    """Attach to a run of the app again: after a pause, or when the connection broke."""
    _require_mode(caller, frozenset({"workflow", "advanced-chat"}), NotWorkflowApp)
    asker = asker_of(desk, caller, required_user(request.query_params), "service-api")
    run = await runs.get(db, caller, caller.app_id, run_id)
    if run.end_user_id != asker.creator_id:
        raise RunNotFound("There is no such run of this user.")
    wish = Wish(
        is_whole=flag_of(request.query_params, "include_state_snapshot", default=False),
        after_seq=last_event_id(request),
        goes_past_pauses=flag_of(request.query_params, "continue_on_pause", default=False),
    )
    return await attach(db, desk, run.id, wish)


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
        return _stream(request, desk, live, leave)
    try:
        finished = await asyncio.shield(live.finished)
    finally:
        leave()
    return JsonAnswer(workflow_blocking(live.ticket, finished, _pause(live, finished), desk.form_tokens.of))


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


async def _blocking_message(desk: Desk, reply: Reply, leave: Leave) -> Response:
    try:
        finished = await asyncio.shield(reply.live.finished)
    finally:
        leave()
    raise_if_failed(reply.live, finished)
    resources = [
        resource for event in reply.live.events if isinstance(event, ResourcesRetrieved) for resource in event.resources
    ]
    ticket, paused = reply.live.ticket, _pause(reply.live, finished)
    if paused is not None:
        return JsonAnswer(paused_blocking(ticket, finished, resources, paused, desk.form_tokens.of))
    return JsonAnswer(message_blocking(ticket, finished, resources))


def _stream(request: Request, desk: Desk, live: LiveRun, leave: Leave) -> EventStream:
    # Numbers of events are no part of the protocol: only who sends one is sent some.
    has_ids = LAST_EVENT_ID in request.headers
    return EventStream(live, desk.encoder_for(live.ticket), on_close=leave, has_ids=has_ids)


def _pause(live: LiveRun, finished: RunFinished) -> RunPaused | None:
    return pause_in(live.events) if finished.status == "paused" else None


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
