"""What it takes to answer forms: gathered once per process, handed to the routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request

from tidemill.adapters.storage import Storage
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.service import UploadLimits
from tidemill.domains.humans import service
from tidemill.domains.humans.models import Form
from tidemill.domains.humans.service import Answer
from tidemill.domains.humans.tokens import FormTokens
from tidemill.kit.db import Database
from tidemill.kit.limiter import Limiter
from tidemill.kit.links import links_of
from tidemill.ports import Http


@dataclass(frozen=True)
class FormDesk:
    """`resume` lets a paused run go on; `http` is guarded; `web` is where the console and its pages are reached."""

    database: Database
    tokens: FormTokens
    storage: Storage
    links: FileLinks
    http: Http
    upload_limits: UploadLimits
    resume: Callable[[UUID], Awaitable[object]]
    limiter: Limiter
    web: str = ""

    def link(self, form: Form) -> str:
        """The address of the form's page."""
        return f"{self.web}/form/{self.tokens.of(form.id)}"

    async def answer(self, form: Form, answer: Answer) -> None:
        """Take an answer and let the run go on. Raises what `service.submit` raises."""
        async with self.database.session() as db:
            await service.submit(db, form, answer, links=self.links, http=self.http)
        # A run that still does other things goes on by itself; whatever fails here, the sweeper does again.
        await self.resume(form.run_id)


async def get_form_desk(request: Request) -> FormDesk:
    """The desk, with links as this request reaches us."""
    desk = cast(FormDesk, request.app.state.form_desk)
    here = links_of(request)
    return replace(desk, links=desk.links.at(here.files), web=here.app_web)


AtFormDesk = Annotated[FormDesk, Depends(get_form_desk)]
