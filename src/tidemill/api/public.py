"""What anybody may ask for who holds a link: no account, no key. Limited by address."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from tidemill import __version__
from tidemill.api.body_limit import BodyLimit
from tidemill.api.headers import SecurityHeaders
from tidemill.api.service_requests import JsonAnswer
from tidemill.domains.accounts.errors import TooManyAttempts
from tidemill.domains.files import service as files
from tidemill.domains.files.service import FileOwner
from tidemill.domains.files.shapes import upload_json
from tidemill.domains.files.upload import read_upload
from tidemill.domains.humans import service
from tidemill.domains.humans.desk import AtFormDesk
from tidemill.domains.humans.models import Form
from tidemill.domains.humans.schemas import FormAnswer
from tidemill.domains.humans.service import Answer
from tidemill.domains.humans.shapes import form_json
from tidemill.kit.db import Db
from tidemill.kit.errors import add_handlers

PATH = "/api"
MAX_BODY_BYTES = 2 * 1024 * 1024
KINDS: tuple[files.FileKind, ...] = ("image", "audio", "video", "document")

router = APIRouter()


async def _opened(token: str, request: Request, desk: AtFormDesk, db: Db) -> Form:
    """The form that the token in the address opens. Raises `FormNotFound`, `TooManyAttempts`."""
    address = request.client.host if request.client else "unknown"
    if not await desk.limiter.allow(address):
        raise TooManyAttempts("Too many requests. Wait a minute and try again.", headers={"Retry-After": "60"})
    return await service.get_opened(db, desk.tokens.form_id(token))


ByToken = Annotated[Form, Depends(_opened, scope="function")]


@router.get("/form/human_input/{token}")
async def read_form(form: ByToken, db: Db) -> Response:
    """A form that waits for an answer, and the app that asks."""
    await service.require_open(db, form)
    app = await service.app_of(db, form)
    site = {"title": app.name, "icon_type": "emoji", "icon": app.icon, "icon_background": app.icon_background}
    return JsonAnswer({**form_json(form), "site": site})


@router.post("/form/human_input/{token}")
async def submit_form(form: ByToken, body: FormAnswer, desk: AtFormDesk) -> Response:
    """Answer a form; the run goes on."""
    answer = Answer(action=body.action, values=body.inputs, owner=_owner(form), by="")
    await desk.answer(form, answer)
    return JsonAnswer({})


@router.post("/form/human_input/{token}/files", status_code=201)
async def upload_file(form: ByToken, request: Request, desk: AtFormDesk, db: Db) -> Response:
    """Keep one file for the answer to this form. Multipart, one part named `file`."""
    await service.require_open(db, form)
    most = max(desk.upload_limits.of(kind) for kind in KINDS)
    upload = await read_upload(request, max_bytes=most * files.MEGABYTE)
    stored = await files.store(
        db,
        desk.storage,
        _owner(form),
        name=upload.name,
        declared_type=upload.declared_type,
        data=upload.data,
        limits=desk.upload_limits,
    )
    return JsonAnswer(upload_json(stored, desk.links), status_code=201)


def _owner(form: Form) -> FileOwner:
    """Whoever holds the link is known by the form alone."""
    return FileOwner(form.workspace_id, form.app_id, form.id)


def create_public_api() -> FastAPI:
    """The public API as an application of its own."""
    app = FastAPI(title="Tidemill public API", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router)
    add_handlers(app)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES, exempt_suffix="/files")
    return app
