"""Forms: found, answered once, and closed when their time or their run is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Update, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.apps.models import App
from tidemill.domains.files import service as files
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.service import FileOwner
from tidemill.domains.humans.errors import FormExpired, FormInvalid, FormNotFound, FormSubmitted
from tidemill.domains.humans.models import Form
from tidemill.domains.runs.models import Run
from tidemill.domains.workspaces.permissions import Scoped
from tidemill.engine.values import Value, plain
from tidemill.kit.db import now
from tidemill.nodes._form import (
    FILE_FIELDS,
    Action,
    AnswerInvalid,
    FormInput,
    check_values,
    find_action,
    require_fields,
)
from tidemill.ports import Http

MAX_FILES = 10
ALIVE = ("running", "paused")
TAKEN = "This form has been submitted already; the first answer counts."
CLOSED = "This form is closed: its time has passed, or the run that asked has ended."


@dataclass(frozen=True)
class Answer:
    """What somebody sends. `owner` is who may have uploaded its files; `by` is how the record names them."""

    action: str
    values: Mapping[str, Any]
    owner: FileOwner
    by: str


async def get(db: AsyncSession, scope: Scoped, form_id: UUID) -> Form:
    """A form of the workspace. Raises `FormNotFound`."""
    query = select(Form).where(Form.workspace_id == scope.workspace_id, Form.id == form_id)
    return _found((await db.scalars(query)).first())


async def get_opened(db: AsyncSession, form_id: UUID | None) -> Form:
    """The form whose token was checked. Raises `FormNotFound`."""
    if form_id is None:
        return _found(None)
    return _found((await db.scalars(select(Form).where(Form.id == form_id))).first())


async def app_of(db: AsyncSession, form: Form) -> App:
    """The app that asks."""
    query = select(App).where(App.workspace_id == form.workspace_id, App.id == form.app_id)
    return (await db.scalars(query)).one()


async def require_open(db: AsyncSession, form: Form) -> None:
    """Raises `FormSubmitted` or `FormExpired` unless the form can be answered now."""
    if form.status == "submitted":
        raise FormSubmitted(TAKEN)
    status = await db.scalar(select(Run.status).where(Run.workspace_id == form.workspace_id, Run.id == form.run_id))
    if form.status != "waiting" or form.expires_at <= now() or status not in ALIVE:
        raise FormExpired(CLOSED)


async def waiting(db: AsyncSession, scope: Scoped, app_id: UUID | None, *, limit: int) -> Sequence[tuple[Form, str]]:
    """The forms that can be answered, with the names of their apps; the one that expires first comes first."""
    query = (
        select(Form, App.name)
        .join(App, App.id == Form.app_id)
        .join(Run, Run.id == Form.run_id)
        .where(Form.workspace_id == scope.workspace_id, Form.status == "waiting", Form.expires_at > now())
        .where(Run.status.in_(ALIVE))
        .order_by(Form.expires_at)
        .limit(limit)
    )
    if app_id is not None:
        query = query.where(Form.app_id == app_id)
    return [(form, name) for form, name in (await db.execute(query)).all()]


async def of_run(db: AsyncSession, scope: Scoped, run_id: UUID) -> Sequence[Form]:
    """The forms of one run, oldest first."""
    query = select(Form).where(Form.workspace_id == scope.workspace_id, Form.run_id == run_id).order_by(Form.id)
    return (await db.scalars(query)).all()


async def present_status(db: AsyncSession, form: Form) -> str:
    """The form's status, which may not be written down yet: a form waits only as long as its run does."""
    try:
        await require_open(db, form)
    except (FormSubmitted, FormExpired):
        return "expired" if form.status == "waiting" else form.status
    return form.status


async def submit(db: AsyncSession, form: Form, answer: Answer, *, links: FileLinks, http: Http) -> None:
    """Take an answer: of two at the same moment, one.

    Raises:
        FormSubmitted, FormExpired: The form is not open any more.
        FormInvalid: The answer does not fit the form, which stays open.
        FileRefused: A file is not the answerer's, or cannot be had.
    """
    await require_open(db, form)
    values = await _read_answer(db, form, answer, links=links, http=http)
    moment = now()
    taken = (
        update(Form)
        .where(Form.id == form.id, Form.status == "waiting", Form.expires_at > moment)
        .where(exists().where(Run.id == Form.run_id, Run.status.in_(ALIVE)))
        .values(
            status="submitted",
            action_id=answer.action,
            values=plain(values),
            answered_by=answer.by,
            answered_at=moment,
            due_at=moment,
        )
        .execution_options(synchronize_session=False)
    )
    if not await _count(db, taken):
        status = await db.scalar(select(Form.status).where(Form.id == form.id))
        raise FormSubmitted(TAKEN) if status == "submitted" else FormExpired(CLOSED)


async def close_ended(db: AsyncSession) -> None:
    """Close the open forms of runs that have ended."""
    ended = select(Run.id).where(Run.id == Form.run_id, Run.status.not_in(ALIVE)).exists()
    closing = update(Form).where(Form.status == "waiting", ended).values(status="expired", due_at=None)
    await db.execute(closing.execution_options(synchronize_session=False))


async def overdue(db: AsyncSession, moment: datetime, *, limit: int) -> list[UUID]:
    """Close the forms whose time has passed, and return the paused runs that have something to go on with."""
    query = (
        select(Form.id, Form.run_id, Form.status, Run.status)
        .join(Run, Run.id == Form.run_id)
        .where(Form.due_at <= moment)
        # An answer to a run that still does other things is taken up when that run pauses.
        .where((Form.status == "waiting") | (Run.status != "running"))
        .order_by(Form.due_at)
        .limit(limit)
    )
    rows = (await db.execute(query)).all()
    over = [form_id for form_id, _, _, run_status in rows if run_status not in ALIVE]
    if over:
        await db.execute(update(Form).where(Form.id.in_(over), Form.status == "waiting").values(status="expired"))
        await db.execute(update(Form).where(Form.id.in_(over)).values(due_at=None))
    late = [form_id for form_id, _, status, run_status in rows if status == "waiting" and run_status in ALIVE]
    if late:
        ending = update(Form).where(Form.id.in_(late), Form.status == "waiting", Form.expires_at <= moment)
        await db.execute(ending.values(status="timeout", answered_at=moment))
    return list(dict.fromkeys(run_id for _, run_id, _, run_status in rows if run_status == "paused"))


def defaults(form: Form) -> dict[str, str]:
    """What the fields hold before anybody types."""
    return {item["output_variable_name"]: item["default"]["value"] for item in form.inputs if item.get("default")}


async def _read_answer(
    db: AsyncSession, form: Form, answer: Answer, *, links: FileLinks, http: Http
) -> dict[str, Value]:
    inputs = [FormInput.model_validate(item) for item in form.inputs]
    given = dict(answer.values)
    try:
        find_action([Action.model_validate(item) for item in form.actions], answer.action)
        require_fields(inputs, given)
        for item in inputs:
            if item.type in FILE_FIELDS:
                name = item.output_variable_name
                given[name] = await _files(db, item, given[name], answer.owner, links=links, http=http)
        return check_values(inputs, given)
    except AnswerInvalid as error:
        raise FormInvalid(str(error), params=error.field or None) from error


async def _files(
    db: AsyncSession, item: FormInput, value: Any, owner: FileOwner, *, links: FileLinks, http: Http
) -> Any:
    """The files that a field's value names; what names none is left for the check to refuse."""
    listed = value if isinstance(value, list) else [value]
    references = [reference for reference in listed if isinstance(reference, Mapping)]
    if len(references) > (item.most_files or MAX_FILES):
        raise AnswerInvalid(
            f"{item.output_variable_name} takes at most {item.most_files or MAX_FILES} files.",
            field=item.output_variable_name,
        )
    found = await files.resolve(db, owner, references, links=links, http=http)
    await files.attach(db, found)
    if len(found) != len(listed):
        return None
    return found if item.type == "file-list" else found[0]


async def _count(db: AsyncSession, statement: Update) -> int:
    result = await db.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0


def _found(form: Form | None) -> Form:
    if form is None:
        raise FormNotFound("There is no such form. Check the link.")
    return form
