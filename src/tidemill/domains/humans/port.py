"""Forms as the nodes of a run ask for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select

from tidemill.domains.humans.mail import FormPost, letters_of
from tidemill.domains.humans.models import Form
from tidemill.domains.humans.tokens import FormTokens
from tidemill.domains.runs.recorder import Recorder
from tidemill.engine.node import Context, RunInfo
from tidemill.kit.db import Database, new_id, now
from tidemill.ports import HumanAnswer, HumanForm, OpenForm

FORMS = cast(Table, Form.__table__)


class WorkspaceHumans:
    """The people of one workspace. `at` gives the port of the run that asks; without a `post` no mail is sent."""

    def __init__(
        self, database: Database, recorder: Recorder, tokens: FormTokens, post: FormPost | None, workspace_id: UUID
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._tokens = tokens
        self._post = post
        self._workspace_id = workspace_id

    def at(self, ctx: Context) -> RunHumans:
        return RunHumans(self._database, self._recorder, self._tokens, self._post, self._workspace_id, ctx.info)


class RunHumans:
    """Implements `ports.Humans` for one run."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        tokens: FormTokens,
        post: FormPost | None,
        workspace_id: UUID,
        info: RunInfo,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._tokens = tokens
        self._post = post
        self._workspace_id = workspace_id
        self._app_id = UUID(info.app_id)
        self._run_id = UUID(info.run_id)

    async def ask(self, place: str, form: HumanForm) -> HumanAnswer | OpenForm:
        row = await self._find(place)
        if row is None:
            return await self._open(place, form)
        if row.status == "waiting":
            if row.mailed_at is None:
                await self._mail(row.id, form)
            return self._opened(row.id, row.expires_at)
        # The run has the answer now; that it need not be told again is saved with the node's result.
        self._recorder.update(self._run_id, FORMS, (row.id,), {"due_at": None})
        return HumanAnswer(
            form_id=str(row.id),
            content=row.content,
            action_id=row.action_id,
            values=row.values or {},
            is_timeout=row.status != "submitted",
        )

    async def _find(self, place: str) -> Form | None:
        async with self._database.session() as db:
            query = select(Form).where(
                Form.workspace_id == self._workspace_id, Form.run_id == self._run_id, Form.place == place
            )
            return (await db.scalars(query)).first()

    async def _open(self, place: str, form: HumanForm) -> OpenForm:
        form_id, expires_at = new_id(), datetime.fromtimestamp(form.expires_at, UTC)
        row = {
            "id": form_id,
            "workspace_id": self._workspace_id,
            "app_id": self._app_id,
            "run_id": self._run_id,
            "place": place,
            "node_id": form.node_id,
            "node_title": form.node_title,
            "content": form.content,
            "inputs": form.inputs,
            "actions": form.actions,
            "is_on_page": any(item.get("type") == "webapp" and item.get("enabled", True) for item in form.deliveries),
            "status": "waiting",
            "action_id": "",
            "values": None,
            "answered_by": "",
            "answered_at": None,
            "expires_at": expires_at,
            "due_at": expires_at,
            "mailed_at": None,
            "mail_error": "",
            "created_at": now(),
        }
        # Together with the run's own row, which may not be there yet.
        self._recorder.insert(self._run_id, FORMS, row)
        await self._recorder.settle(self._run_id)
        await self._mail(form_id, form)
        return self._opened(form_id, expires_at)

    async def _mail(self, form_id: UUID, form: HumanForm) -> None:
        """Send the link to whom the node names. A run that is taken over in between sends it again."""
        post = self._post
        if post is None or not (letters := letters_of(form.deliveries)):
            return
        async with self._database.session() as db:
            written = [await post.address(db, self._workspace_id, letter) for letter in letters]
        failure = await post.send(written, title=form.node_title, form_id=form_id)
        self._recorder.update(self._run_id, FORMS, (form_id,), {"mailed_at": now(), "mail_error": failure})

    def _opened(self, form_id: UUID, expires_at: datetime) -> OpenForm:
        return OpenForm(form_id=str(form_id), token=self._tokens.of(form_id), expires_at=expires_at.timestamp())
