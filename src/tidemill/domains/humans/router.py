"""The console's routes of forms that wait for people."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from tidemill.domains.accounts import service as accounts
from tidemill.domains.apps import service as apps
from tidemill.domains.files.service import FileOwner
from tidemill.domains.humans import service
from tidemill.domains.humans.desk import AtFormDesk, FormDesk
from tidemill.domains.humans.models import Form
from tidemill.domains.humans.schemas import FormAnswer, FormList, FormRead
from tidemill.domains.humans.service import Answer
from tidemill.domains.runs import service as runs
from tidemill.domains.workspaces.permissions import Editor
from tidemill.kit.db import Db

router = APIRouter(tags=["human input"])


@router.get("/human-forms")
async def list_human_forms(
    member: Editor,
    desk: AtFormDesk,
    db: Db,
    app_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> FormList:
    """The forms that wait for an answer, of one app or the whole workspace; the most urgent first."""
    if app_id is not None:
        await apps.get(db, member, app_id)
    rows = await service.waiting(db, member, app_id, limit=limit)
    return FormList(items=[_read(desk, form, name) for form, name in rows])


@router.get("/runs/{run_id}/human-forms")
async def list_run_human_forms(run_id: UUID, member: Editor, desk: AtFormDesk, db: Db) -> FormList:
    """All forms of one run, answered or not."""
    run = await runs.get(db, member, None, run_id)
    app = await apps.get(db, member, run.app_id)
    rows = await service.of_run(db, member, run.id)
    statuses = [await service.present_status(db, form) for form in rows]
    return FormList(items=[_read(desk, form, app.name, status) for form, status in zip(rows, statuses, strict=True)])


@router.get("/human-forms/{form_id}")
async def read_human_form(form_id: UUID, member: Editor, desk: AtFormDesk, db: Db) -> FormRead:
    """One form, and what became of it."""
    form = await service.get(db, member, form_id)
    app = await apps.get(db, member, form.app_id)
    return _read(desk, form, app.name, await service.present_status(db, form))


@router.post("/human-forms/{form_id}", status_code=204)
async def answer_human_form(form_id: UUID, body: FormAnswer, member: Editor, desk: AtFormDesk, db: Db) -> None:
    """Answer a form; the run goes on."""
    form = await service.get(db, member, form_id)
    account = await accounts.get(db, member.account_id)
    owner = FileOwner(member.workspace_id, form.app_id, member.account_id, is_account=True)
    await desk.answer(form, Answer(action=body.action, values=body.inputs, owner=owner, by=account.email))


def _read(desk: FormDesk, form: Form, app_name: str, status: str = "waiting") -> FormRead:
    return FormRead.model_validate(
        {
            **{name: getattr(form, name) for name in FormRead.model_fields if hasattr(form, name)},
            "app_name": app_name,
            "default_values": service.defaults(form),
            "status": status,
            "link": desk.link(form) if status == "waiting" else None,
        }
    )
