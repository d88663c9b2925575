"""Service API: forms of human input nodes (reference section 10.4)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from tidemill.api.service_requests import ByKey, JsonAnswer, asker_of, inputs_of, read_json, required_user, text_of
from tidemill.domains.conversations.desk import AtDesk
from tidemill.domains.humans import service
from tidemill.domains.humans.desk import AtFormDesk, FormDesk
from tidemill.domains.humans.errors import FormNotFound
from tidemill.domains.humans.models import Form
from tidemill.domains.humans.service import Answer
from tidemill.domains.humans.shapes import form_json
from tidemill.domains.runs.callers import Caller
from tidemill.kit.db import Db

router = APIRouter()


@router.get("/form/human_input/{form_token}")
async def read_form(form_token: str, caller: ByKey, forms: AtFormDesk, db: Db) -> Response:
    """A form that waits for an answer."""
    form = await _form(form_token, caller, forms, db)
    await service.require_open(db, form)
    return JsonAnswer(form_json(form))


@router.post("/form/human_input/{form_token}")
async def submit_form(
    form_token: str, request: Request, caller: ByKey, forms: AtFormDesk, desk: AtDesk, db: Db
) -> Response:
    """Answer a form; the run goes on."""
    body = await read_json(request)
    user = required_user(body)
    form = await _form(form_token, caller, forms, db)
    asker = asker_of(desk, caller, user, "service-api")
    answer = Answer(action=text_of(body, "action"), values=inputs_of(body), owner=asker.file_owner, by=user)
    await forms.answer(form, answer)
    return JsonAnswer({})


async def _form(token: str, caller: Caller, forms: FormDesk, db: Db) -> Form:
    """The form of this app that the token opens, if the app hands it out. Raises `FormNotFound`."""
    form = await service.get_opened(db, forms.tokens.form_id(token))
    if (form.workspace_id, form.app_id) != (caller.workspace_id, caller.app_id) or not form.is_on_page:
        raise FormNotFound("There is no such form of this app.")
    return form
