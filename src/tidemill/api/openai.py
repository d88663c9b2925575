"""The OpenAI endpoint under `/openai/v1`: the key names the app, whatever model the client asks for."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from tidemill import __version__
from tidemill.api.openai_messages import Question, read_messages
from tidemill.api.service_requests import ByKey, asker_of, flag_of, read_json, trace_id_of, user_of
from tidemill.api.service_runs import raise_if_failed
from tidemill.api.wire_openai import PING, OpenAIEncoder, completion_json, error_json
from tidemill.domains.conversations.desk import Asker, AtDesk, Desk
from tidemill.domains.conversations.errors import FieldInvalid
from tidemill.domains.conversations.reply import Order, start_completion, start_message, start_workflow
from tidemill.domains.files import service as files
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.stream import EventStream
from tidemill.kit.errors import AppError, code_of, describe

PATH = "/openai/v1"
_TEXT_FIELDS = frozenset({"text-input", "paragraph", "string"})


class ModelNotFound(AppError):
    status, code = 404, "model_not_found"


def create_openai_api() -> FastAPI:
    """The endpoint as an application of its own. It reads the same state as the Service API."""
    app = FastAPI(
        title="Tidemill OpenAI endpoint", version=__version__, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.add_api_route("/chat/completions", create_completion, methods=["POST"])
    app.add_api_route("/models", list_models, methods=["GET"])
    app.add_api_route("/models/{name:path}", read_model, methods=["GET"])
    for kind in (AppError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _error)
    return app


async def list_models(caller: ByKey) -> Response:
    """The one model a key reaches: its app."""
    return JSONResponse({"object": "list", "data": [_model(caller.name)]})


async def read_model(name: str, caller: ByKey) -> Response:
    """The key's app, by the name under which it is listed. Questions may be asked under any name."""
    if name != caller.name:
        raise ModelNotFound(f"There is no model `{name}` for this key. It reaches `{caller.name}`.", params="model")
    return JSONResponse(_model(name))


async def create_completion(request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Answer a chat completion with the key's app."""
    body = await read_json(request)
    question = read_messages(body.get("messages"))
    wants_stream = flag_of(body, "stream", default=False)
    program = await desk.programs.published(caller, caller.app_id, caller.published_version_id)
    asker = asker_of(desk, caller, user_of(body), "openai")
    order = await _order(desk, request, asker, program, body, question)
    leave = desk.runner.enter(program)
    try:
        live = await _start(desk, asker, program, order)
    except BaseException:
        leave()
        raise
    model = body.get("model")
    name = model if isinstance(model, str) and model else caller.name
    if wants_stream:
        options = body.get("stream_options")
        has_usage = isinstance(options, Mapping) and options.get("include_usage") is True
        encoder = OpenAIEncoder(live.ticket, model=name, has_usage=has_usage)

        def close() -> None:
            leave()
            # This protocol has no stop but the end of the connection, and no way to read the answer later.
            desk.runner.abandon(live)

        return EventStream(live, encoder, on_close=close, ping=PING)
    try:
        finished = await asyncio.shield(live.finished)
    finally:
        leave()
    raise_if_failed(live, finished)
    return JSONResponse(completion_json(live.ticket, finished, model=name))


async def _order(
    desk: Desk,
    request: Request,
    asker: Asker,
    program: Program,
    body: Mapping[str, Any],
    question: Question,
) -> Order:
    given = body.get("inputs")
    if given is not None and not isinstance(given, dict):
        raise FieldInvalid("`inputs` must be an object.", params="inputs")
    inputs: dict[str, Any] = dict(given or {})
    if not program.compiled.is_chat and (name := _field_for_query(program, inputs)):
        inputs[name] = question.query
    references = [{"type": "image", "transfer_method": "remote_url", "url": url} for url in question.urls]
    for number, picture in enumerate(question.inline, 1):
        async with desk.database.session() as db:
            stored = await files.store(
                db,
                desk.storage,
                asker.file_owner,
                name=f"picture-{number}{mimetypes.guess_extension(picture.mime_type) or ''}",
                declared_type=picture.mime_type,
                data=picture.data,
                limits=desk.upload_limits,
            )
        references.append({"transfer_method": "local_file", "upload_file_id": str(stored.id)})
    return Order(
        inputs=inputs,
        query=question.query,
        files=references,
        trace_id=trace_id_of(request, body),
        turns=question.turns,
    )


def _field_for_query(program: Program, given: Mapping[str, Any]) -> str | None:
    """The input of a workflow or completion app that the message fills: `query`, else the first open text field."""
    fields = [field for field in program.compiled.inputs if field.variable not in given]
    if any(field.variable == "query" for field in fields):
        return "query"
    texts = [field for field in fields if field.type in _TEXT_FIELDS]
    required = [field for field in texts if field.required]
    return next((field.variable for field in required or texts), None)


async def _start(desk: Desk, asker: Asker, program: Program, order: Order) -> LiveRun:
    if program.mode == "workflow":
        return await start_workflow(desk, asker, program, order)
    start = start_completion if program.mode == "completion" else start_message
    return (await start(desk, asker, program, order)).live


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "tidemill"}


async def _error(request: Request, error: Exception) -> Response:
    del request
    match error:
        case AppError():
            body = error_json(error.status, error.code, error.message, error.params)
            return JSONResponse(body, error.status, headers=error.headers)
        case HTTPException():
            body = error_json(error.status_code, code_of(error.status_code), str(error.detail))
            return JSONResponse(body, error.status_code)
        case RequestValidationError():
            message, field = describe(error)
            return JSONResponse(error_json(400, "invalid_param", message, field), 400)
        case _:
            message = "Something went wrong on the server. Its log has the details."
            return JSONResponse(error_json(500, "internal_server_error", message), 500)
