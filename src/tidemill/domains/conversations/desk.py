"""What it takes to start runs for people: gathered once per process, handed to the services."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request

from tidemill.adapters.storage import Storage
from tidemill.domains.conversations.people import EndUsers
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.service import FileOwner, UploadLimits
from tidemill.domains.humans.tokens import FormTokens
from tidemill.domains.runs.callers import Callers
from tidemill.domains.runs.follow import Following
from tidemill.domains.runs.programs import Programs
from tidemill.domains.runs.runner import Runner
from tidemill.domains.runs.ticket import Creator, EncoderFactory, Surface
from tidemill.domains.toolbox.port import ToolRegistry
from tidemill.kit.db import Database
from tidemill.kit.links import links_of
from tidemill.ports import Http

MAX_ORIGINS = 100


@dataclass(frozen=True)
class Desk:
    """`http` is guarded: it goes where apps and users send it."""

    database: Database
    runner: Runner
    storage: Storage
    links: FileLinks
    http: Http
    encoder_for: EncoderFactory
    form_tokens: FormTokens
    programs: Programs
    callers: Callers
    end_users: EndUsers
    following: Following
    tools: ToolRegistry
    upload_limits: UploadLimits = field(default_factory=UploadLimits)
    max_files: int = 10
    max_call_depth: int = 5
    at_origins: dict[tuple[str, str], Desk] = field(default_factory=dict["tuple[str, str]", "Desk"], repr=False)

    async def wind_down(self) -> None:
        """Take no new runs, leave those that do not end soon to others, and end all streams. May be called again."""
        await self.runner.close()
        await self.following.close()


@dataclass(frozen=True)
class Calling:
    """On whose behalf runs call workflows. `depth` counts the workflows that called one another to get here."""

    workspace_id: UUID
    creator: Creator
    user: str
    source: Surface
    depth: int = 0


@dataclass(frozen=True)
class Asker:
    """Who wants a run: an end user through a surface, or an account in the console. `user` is their own name."""

    workspace_id: UUID
    app_id: UUID
    surface: Surface
    creator_id: UUID
    user: str
    name: str = ""
    email: str = ""

    @property
    def is_account(self) -> bool:
        return self.surface == "console"

    @property
    def end_user_id(self) -> UUID | None:
        return None if self.is_account else self.creator_id

    @property
    def account_id(self) -> UUID | None:
        return self.creator_id if self.is_account else None

    @property
    def file_owner(self) -> FileOwner:
        return FileOwner(self.workspace_id, self.app_id, self.creator_id, self.is_account)

    @property
    def calling(self) -> Calling:
        return Calling(self.workspace_id, self.creator, self.user, self.surface)

    @property
    def creator(self) -> Creator:
        return Creator(
            id=str(self.creator_id), user=self.user, name=self.name, email=self.email, is_account=self.is_account
        )


async def get_desk(request: Request) -> Desk:
    """The desk, with links to files as this request reaches us."""
    desk = cast(Desk, request.app.state.desk)
    origin = (request.scope["scheme"], request.headers.get("host", ""))
    if (known := desk.at_origins.get(origin)) is not None:
        return known
    if len(desk.at_origins) >= MAX_ORIGINS:
        desk.at_origins.clear()
    here = replace(desk, links=desk.links.at(links_of(request).files))
    desk.at_origins[origin] = here
    return here


AtDesk = Annotated[Desk, Depends(get_desk)]
