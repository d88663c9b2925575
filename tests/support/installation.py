"""A whole installation for one test: settings, database, application, and people who are signed in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from tidemill.domains.accounts import service as accounts
from tidemill.domains.accounts.models import Account
from tidemill.domains.workspaces import service as workspaces
from tidemill.domains.workspaces.permissions import COOKIE, CSRF_HEADER, Member, Role, csrf_token
from tidemill.kit.settings import Settings, load
from tidemill.main import create_app, open_database
from tidemill.migrations.schema import bring_up_to_date

PASSWORD = "correct horse battery"
ORIGIN = "http://console.test"


@dataclass(frozen=True)
class Person:
    """Somebody with an account: who they are to services, and their browser."""

    member: Member
    email: str
    browser: AsyncClient


@dataclass(frozen=True)
class Installation:
    """A started application and its settings."""

    app: FastAPI
    settings: Settings

    def client(self, prefix: str = "") -> AsyncClient:
        """A client of nobody. Failures inside the application are answers, as with a real server."""
        transport = ASGITransport(self.app, raise_app_exceptions=False)
        return AsyncClient(transport=transport, base_url=ORIGIN + prefix)

    async def add_person(self, email: str, role: Role = Role.OWNER, workspace_id: UUID | None = None) -> Person:
        """Make an account, in a workspace of its own unless one is named, and sign it in."""
        async with self.app.state.database.session() as db:
            account = Account(email=email, name=email.split("@")[0], password_hash=_password_hash())
            db.add(account)
            await db.flush()
            if workspace_id is None:
                workspace_id = (await workspaces.create(db, email, account.id)).id
            else:
                await workspaces.add_member(db, workspace_id, account.id, role)
            _, token = await accounts.open_session(db, account.id, days=1)
        browser = self.client("/console/api")
        browser.cookies.set(COOKIE, token)
        browser.headers[CSRF_HEADER] = csrf_token(self.app.state.vault, token)
        return Person(Member(account.id, workspace_id, role), email, browser)


@asynccontextmanager
async def started(settings: Settings) -> AsyncGenerator[Installation]:
    """Start the application on these settings and stop it afterwards."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield Installation(app, settings)


async def make_tables(settings: Settings) -> None:
    """Make the tables in an empty database."""
    database = open_database(settings)
    await bring_up_to_date(database, settings)
    await database.close()


def settings_in(home: Path, **environ: str) -> Settings:
    """Settings of a data folder of its own, with nothing read from this machine."""
    return load(home=home / "data", environ=environ, cwd=home)


@lru_cache(maxsize=1)
def _password_hash() -> str:
    return PasswordHasher().hash(PASSWORD)
