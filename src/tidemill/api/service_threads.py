"""Service API: conversations, messages, ratings, variables and end users (reference sections 10.1 and 10.6 to 10.8)."""

from __future__ import annotations

import re
from typing import cast, get_args
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from tidemill.api.service_requests import (
    AskerByBody,
    AskerByQuery,
    ByKey,
    JsonAnswer,
    flag_of,
    limit_of,
    read_json,
    required_user,
    text_of,
    uuid_of,
)
from tidemill.api.service_runs import CHAT_MODES, WRONG_MODE
from tidemill.domains.conversations import naming, people, service, shapes
from tidemill.domains.conversations.desk import AtDesk
from tidemill.domains.conversations.errors import FieldInvalid, MessageNotFound, SuggestionsOff
from tidemill.domains.conversations.reply import own_conversation
from tidemill.domains.conversations.thoughts import thoughts_of
from tidemill.domains.runs.callers import Caller
from tidemill.domains.runs.errors import NotChatApp
from tidemill.kit.db import Db

router = APIRouter()

_VARIABLE_NAME = re.compile(r"[\w.-]{1,255}")


@router.get("/conversations")
async def list_conversations(request: Request, caller: ByKey, asker: AskerByQuery, desk: AtDesk, db: Db) -> Response:
    """The conversations of this user."""
    _require_chat(caller)
    sort_by = request.query_params.get("sort_by") or "-updated_at"
    if sort_by not in get_args(service.Sorting):
        raise FieldInvalid("`sort_by` must be created_at or updated_at, with or without a minus.", params="sort_by")
    limit = limit_of(request)
    rows, has_more = await service.list_conversations(
        db,
        asker,
        last_id=uuid_of(request.query_params.get("last_id"), "last_id"),
        limit=limit,
        sort_by=cast(service.Sorting, sort_by),
    )
    data = [shapes.conversation_json(row, desk.links) for row in rows]
    return JsonAnswer({"limit": limit, "has_more": has_more, "data": data})


@router.post("/conversations/{conversation_id:uuid}/name")
async def rename_conversation(
    conversation_id: UUID, request: Request, caller: ByKey, asker: AskerByBody, desk: AtDesk
) -> Response:
    """Rename a conversation, or let the model name it after its first message."""
    _require_chat(caller)
    body = await read_json(request)
    if flag_of(body, "auto_generate", default=False):
        async with desk.database.session() as db:
            await own_conversation(db, asker, conversation_id)
            first = (await service.first_query(db, asker, conversation_id)) or ""
            program = await desk.programs.published(caller, caller.app_id, caller.published_version_id)
        await naming.name_conversation(desk, program, conversation_id, first)
    async with desk.database.session() as db:
        if not flag_of(body, "auto_generate", default=False):
            await service.rename(db, asker, conversation_id, text_of(body, "name"))
        conversation = await own_conversation(db, asker, conversation_id)
    return JsonAnswer(shapes.conversation_json(conversation, desk.links))


@router.delete("/conversations/{conversation_id:uuid}", status_code=204)
async def delete_conversation(conversation_id: UUID, caller: ByKey, asker: AskerByBody, db: Db) -> Response:
    """Delete a conversation."""
    _require_chat(caller)
    await service.delete(db, asker, conversation_id)
    return Response(status_code=204)


@router.get("/conversations/{conversation_id:uuid}/variables")
async def list_variables(
    conversation_id: UUID, request: Request, caller: ByKey, asker: AskerByQuery, db: Db
) -> Response:
    """The present values of the conversation's variables."""
    _require_chat(caller)
    limit, name = limit_of(request), request.query_params.get("variable_name")
    if name is not None and not _VARIABLE_NAME.fullmatch(name):
        raise FieldInvalid("`variable_name` may hold letters, digits, `-`, `_` and `.` only.", params="variable_name")
    last_id = uuid_of(request.query_params.get("last_id"), "last_id")
    rows, has_more = await service.list_variables(db, asker, conversation_id, last_id=last_id, limit=limit, name=name)
    return JsonAnswer({"limit": limit, "has_more": has_more, "data": [shapes.variable_json(row) for row in rows]})


@router.put("/conversations/{conversation_id:uuid}/variables/{variable_id:uuid}")
async def update_variable(
    conversation_id: UUID, variable_id: UUID, request: Request, caller: ByKey, asker: AskerByBody, db: Db
) -> Response:
    """Overwrite a conversation variable."""
    _require_chat(caller)
    body = await read_json(request)
    if "value" not in body:
        raise FieldInvalid("`value` is missing. Send the variable's new value.", params="value")
    variable = await service.set_variable(db, asker, conversation_id, variable_id, body["value"])
    return JsonAnswer(shapes.variable_json(variable))


@router.get("/messages")
async def list_messages(request: Request, caller: ByKey, asker: AskerByQuery, desk: AtDesk, db: Db) -> Response:
    """The messages of one conversation, newest page first, ascending within."""
    _require_chat(caller)
    conversation_id = uuid_of(request.query_params.get("conversation_id"), "conversation_id")
    if conversation_id is None:
        raise FieldInvalid("`conversation_id` is missing.", params="conversation_id")
    limit, first_id = limit_of(request), uuid_of(request.query_params.get("first_id"), "first_id")
    rows, has_more = await service.list_messages(db, asker, conversation_id, first_id=first_id, limit=limit)
    ratings = await service.ratings_of(db, asker, [row.id for row in rows])
    thoughts = await thoughts_of(db, asker.workspace_id, [row.id for row in rows])
    data = [shapes.message_json(row, ratings.get(row.id), desk.links, thoughts.get(row.id, ())) for row in rows]
    return JsonAnswer({"limit": limit, "has_more": has_more, "data": data})


@router.post("/messages/{message_id:uuid}/feedbacks")
async def rate_message(message_id: UUID, request: Request, caller: ByKey, asker: AskerByBody, db: Db) -> Response:
    """Create, change or revoke this user's rating of a message."""
    del caller
    body = await read_json(request)
    required_user(body)
    rating = body.get("rating")
    if rating not in (None, "like", "dislike"):
        raise FieldInvalid("`rating` must be like, dislike or null.", params="rating")
    await service.rate(db, asker, message_id, rating, text_of(body, "content") or None)
    return JsonAnswer({"result": "success"})


@router.get("/messages/{message_id:uuid}/suggested")
async def suggest_questions(
    message_id: UUID, request: Request, caller: ByKey, asker: AskerByQuery, desk: AtDesk
) -> Response:
    """Questions that could follow, by a model call."""
    _require_chat(caller)
    required_user(dict(request.query_params))
    async with desk.database.session() as db:
        message = await service.own_message(db, asker, message_id)
        program = await desk.programs.published(caller, caller.app_id, caller.published_version_id)
    if message.conversation_id is None:
        raise MessageNotFound("The message belongs to no conversation.")
    if not program.compiled.features.is_on("suggested_questions_after_answer"):
        raise SuggestionsOff("Suggested questions are switched off for this app. Switch them on in its features.")
    questions = await naming.suggest_questions(desk, program, message.conversation_id)
    return JsonAnswer({"result": "success", "data": questions})


@router.get("/app/feedbacks")
async def list_feedbacks(request: Request, caller: ByKey, db: Db) -> Response:
    """All ratings of the app, newest first."""
    page = request.query_params.get("page") or "1"
    if not page.isdecimal() or int(page) < 1:
        raise FieldInvalid("`page` must be a whole number from 1.", params="page")
    rows = await service.list_feedbacks(
        db, caller.workspace_id, caller.app_id, page=int(page), limit=limit_of(request, most=101)
    )
    return JsonAnswer({"data": [shapes.feedback_json(row) for row in rows]})


@router.get("/end-users/{end_user_id:uuid}")
async def read_end_user(end_user_id: UUID, caller: ByKey, db: Db) -> Response:
    """An end user of the app by our id."""
    return JsonAnswer(shapes.end_user_json(await people.find(db, caller.workspace_id, caller.app_id, end_user_id)))


def _require_chat(caller: Caller) -> None:
    if caller.mode not in CHAT_MODES:
        raise NotChatApp(WRONG_MODE)
