"""`tidemill admin`: accounts, without the page."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.cli.console_client import NO_OWNER, open_data
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import Data, new_app, read_settings
from tidemill.domains.accounts import service as accounts
from tidemill.domains.workspaces import service as workspaces
from tidemill.domains.workspaces.permissions import Role
from tidemill.domains.workspaces.service import SetupGate
from tidemill.kit.errors import AppError

app = new_app(help="Create accounts and reset passwords, on the data folder.", no_args_is_help=True)

T = TypeVar("T")
Email = Annotated[str, typer.Option("--email", metavar="E", help="The account's address.")]
Password = Annotated[str, typer.Option("--password", metavar="P", help="Its password; - reads it from standard input.")]
Name = Annotated[str, typer.Option("--name", help="Its name.")]
Language = Annotated[str, typer.Option("--language", help="en or zh-Hans.")]


@app.command()
def init(email: Email, password: Password, name: Name = "", language: Language = "en", data: Data = None) -> None:
    """Create the owner's account, as the first-run page does."""
    _check_email(email)
    secret = _password(password)
    # Whoever can write the data folder needs no code from the terminal.
    gate = SetupGate("")

    async def work(db: AsyncSession) -> None:
        await workspaces.set_up(db, email=email, password=secret, name=name, language=_language(language), gate=gate)

    _in_transaction(data, work)
    print(f"{accounts.normal_email(email)} owns this installation.")


@app.command("create-user")
def create_user(
    email: Email,
    password: Password,
    role: Annotated[Role, typer.Option("--role", help="What the account may do.")] = Role.EDITOR,
    name: Name = "",
    language: Language = "en",
    data: Data = None,
) -> None:
    """Create a further account in the first workspace."""
    _check_email(email)
    secret = _password(password)

    async def work(db: AsyncSession) -> None:
        owner = await workspaces.first(db)
        if owner is None:
            raise CommandFailed(NO_OWNER)
        account = await accounts.create(db, email=email, password=secret, name=name, language=_language(language))
        await workspaces.add_member(db, owner.workspace_id, account.id, role)

    _in_transaction(data, work)
    print(f"{accounts.normal_email(email)} can sign in as {role}.")


@app.command("reset-password")
def reset_password(email: Email, password: Password, data: Data = None) -> None:
    """Give an account a new password. All its sessions end."""
    secret = _password(password)

    async def work(db: AsyncSession) -> None:
        await accounts.set_password(db, email=email, password=secret)

    _in_transaction(data, work)
    print(f"The password of {accounts.normal_email(email)} is changed.")


@app.command()
def token(
    email: Annotated[str, typer.Option("--email", metavar="E", help="Whose; the owner's by default.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How long it lasts.")] = 30,
    data: Data = None,
) -> None:
    """Print a session token, for the --token of commands that work on a running server."""

    async def work(db: AsyncSession) -> str:
        if email:
            account = await accounts.find_by_email(db, email)
            account_id = account.id if account else None
        else:
            owner = await workspaces.first(db)
            account_id = owner.account_id if owner else None
        if account_id is None:
            raise CommandFailed(f"There is no account for {email}." if email else NO_OWNER)
        _, secret = await accounts.open_session(db, account_id, days=days)
        return secret

    print(_in_transaction(data, work))


def _in_transaction(data: Path | None, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_data(read_settings(data)) as (_, database), database.session() as db:
            return await work(db)

    try:
        return asyncio.run(run())
    except AppError as error:
        raise CommandFailed(error.message) from error


def _password(word: str) -> str:
    return sys.stdin.readline().rstrip("\r\n") if word == "-" else word


def _check_email(email: str) -> None:
    if not accounts.is_email(email):
        raise CommandFailed(f"{email} is not an email address.")


def _language(word: str) -> str:
    if word not in ("en", "zh-Hans"):
        raise CommandFailed(f"{word} is not a language of the console. Choose en or zh-Hans.")
    return word
