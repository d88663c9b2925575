"""The console's routes that talk to a draft: chat, run, stop, conversations, uploads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from tidemill.domains.accounts.models import Account
from tidemill.domains.apps import service as apps
from tidemill.domains.conversations import background, service, shapes
from tidemill.domains.conversations.desk import Asker, AtDesk
from tidemill.domains.conversations.reply import Order, start_completion, start_message, start_workflow
from tidemill.domains.conversations.schemas import (
    ChatCreate,
    ConversationPage,
    ConversationRead,
    ConversationUpdate,
    MessagePage,
    RunCreate,
    StopResult,
    UploadRead,
)
from tidemill.domains.conversations.thoughts import thoughts_of
from tidemill.domains.files import service as files
from tidemill.domains.files.shapes import upload_json
from tidemill.domains.files.upload import read_upload
from tidemill.domains.runs.errors import NotChatApp, NotWorkflowApp
from tidemill.domains.runs.stream import EventStream
from tidemill.domains.workspaces.permissions import Editor, Member, Viewer
from tidemill.kit.db import Db

router = APIRouter(tags=["runs"])

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The Service API's events.", "content": {"text/event-stream": {}}}
}


@router.post("/apps/{app_id}/chat", response_class=Response, responses=EVENTS)
async def chat(app_id: UUID, body: ChatCreate, member: Editor, desk: AtDesk, db: Db) -> Response:
    """Send a message to the draft. The answer is an event stream."""
    program = await desk.programs.draft(member, app_id)
    if not program.compiled.is_chat:
        raise NotChatApp("This app takes no messages. Run it instead.")
    asker = await _asker(db, member, app_id)
    order = Order(
        inputs=body.inputs, query=body.query, files=_references(body.files), conversation_id=body.conversation_id
    )
    leave = desk.runner.enter(program)
    try:
        reply = await start_message(desk, asker, program, order)
    except BaseException:
        leave()
        raise
    if reply.is_new:
        background.name_later(desk, program, reply)
    return EventStream(reply.live, desk.encoder_for(reply.live.ticket), on_close=leave)


@router.post("/apps/{app_id}/run", response_class=Response, responses=EVENTS)
async def run(app_id: UUID, body: RunCreate, member: Editor, desk: AtDesk, db: Db) -> Response:
    """Run the draft of a workflow or completion app. The answer is an event stream."""
    program = await desk.programs.draft(member, app_id)
    if program.compiled.is_chat:
        raise NotWorkflowApp("This app answers messages. Chat with it instead.")
    asker = await _asker(db, member, app_id)
    order = Order(inputs=body.inputs, files=_references(body.files))
    leave = desk.runner.enter(program)
    try:
        if program.mode == "completion":
            live = (await start_completion(desk, asker, program, order)).live
        else:
            live = await start_workflow(desk, asker, program, order)
    except BaseException:
        leave()
        raise
    return EventStream(live, desk.encoder_for(live.ticket), on_close=leave)


@router.post("/apps/{app_id}/tasks/{task_id}/stop")
async def stop(app_id: UUID, task_id: str, member: Editor, desk: AtDesk, db: Db) -> StopResult:
    """Stop a run of this app, whoever started it. Unknown and finished tasks are fine."""
    app = await apps.get(db, member, app_id)
    await desk.runner.stop(task_id, app.id, None)
    return StopResult()


@router.get("/apps/{app_id}/conversations")
async def list_conversations(
    app_id: UUID,
    member: Viewer,
    desk: AtDesk,
    db: Db,
    last_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ConversationPage:
    """The signed-in person's conversations with the draft."""
    asker = await _asker(db, member, app_id)
    rows, has_more = await service.list_conversations(db, asker, last_id=last_id, limit=limit)
    data = [ConversationRead.model_validate(shapes.conversation_json(row, desk.links)) for row in rows]
    return ConversationPage(limit=limit, has_more=has_more, data=data)


@router.get("/apps/{app_id}/conversations/{conversation_id}/messages")
async def list_messages(
    app_id: UUID,
    conversation_id: UUID,
    member: Viewer,
    desk: AtDesk,
    db: Db,
    first_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> MessagePage:
    """The messages of one conversation, each with the run that answered it."""
    asker = await _asker(db, member, app_id)
    rows, has_more = await service.list_messages(db, asker, conversation_id, first_id=first_id, limit=limit)
    ids = [row.id for row in rows]
    ratings, thoughts = await service.ratings_of(db, asker, ids), await thoughts_of(db, asker.workspace_id, ids)
    data = [
        {
            **shapes.message_json(row, ratings.get(row.id), desk.links, thoughts.get(row.id, ())),
            "workflow_run_id": row.run_id,
        }
        for row in rows
    ]
    return MessagePage.model_validate({"limit": limit, "has_more": has_more, "data": data})


@router.patch("/apps/{app_id}/conversations/{conversation_id}")
async def rename_conversation(
    app_id: UUID, conversation_id: UUID, body: ConversationUpdate, member: Editor, desk: AtDesk, db: Db
) -> ConversationRead:
    """Give a conversation another name."""
    asker = await _asker(db, member, app_id)
    conversation = await service.rename(db, asker, conversation_id, body.name)
    return ConversationRead.model_validate(shapes.conversation_json(conversation, desk.links))


@router.delete("/apps/{app_id}/conversations/{conversation_id}", status_code=204)
async def delete_conversation(app_id: UUID, conversation_id: UUID, member: Editor, db: Db) -> None:
    """Delete a conversation with its messages."""
    await service.delete(db, await _asker(db, member, app_id), conversation_id)


@router.post("/apps/{app_id}/files", status_code=201)
async def upload_file(app_id: UUID, request: Request, member: Editor, desk: AtDesk, db: Db) -> UploadRead:
    """Keep one file for a later message or run of the same person. Multipart, one part named `file`."""
    asker = await _asker(db, member, app_id)
    most = max(desk.upload_limits.of(kind) for kind in ("image", "audio", "video", "document"))
    upload = await read_upload(request, max_bytes=most * files.MEGABYTE)
    stored = await files.store(
        db,
        desk.storage,
        asker.file_owner,
        name=upload.name,
        declared_type=upload.declared_type,
        data=upload.data,
        limits=desk.upload_limits,
    )
    return UploadRead.model_validate(upload_json(stored, desk.links))


async def _asker(db: AsyncSession, member: Member, app_id: UUID) -> Asker:
    """The member as a user of this app. Raises `AppNotFound`."""
    app = await apps.get(db, member, app_id)
    account = cast(Account, await db.get(Account, member.account_id))
    return Asker(
        workspace_id=member.workspace_id,
        app_id=app.id,
        surface="console",
        creator_id=member.account_id,
        user=str(member.account_id),
        name=account.name,
        email=account.email,
    )


def _references(files: list[dict[str, Any]] | None) -> list[Mapping[str, Any]]:
    return list(files or [])
