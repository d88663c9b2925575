"""Who may do what. A route's permission is the type of one of its parameters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.accounts.errors import NotSignedIn
from tidemill.domains.workspaces.errors import Forbidden, WrongCsrfToken
from tidemill.domains.workspaces.queries import find_member
from tidemill.kit.crypto import Vault, digest, same
from tidemill.kit.db import Db

COOKIE = "tidemill_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Role(StrEnum):
    """What a member is in a workspace, most powerful first."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    MEMBER = "member"


class Scoped(Protocol):
    """Whoever asks on behalf of a workspace: a member, an API key, an end user."""

    @property
    def workspace_id(self) -> UUID: ...


@dataclass(frozen=True)
class Member:
    """Who is asking: an account in a workspace."""

    account_id: UUID
    workspace_id: UUID
    role: Role


ALL = frozenset(Role)
EDITORS = frozenset({Role.OWNER, Role.ADMIN, Role.EDITOR})
ADMINS = frozenset({Role.OWNER, Role.ADMIN})
OWNERS = frozenset({Role.OWNER})


Check = Callable[[Request, AsyncSession], Awaitable[Member]]

# Every permission that exists, with the roles it lets through; read by the test that walks all routes.
PERMISSIONS: dict[Callable[..., Awaitable[object]], frozenset[Role]] = {}


def _permission(roles: frozenset[Role]) -> Check:
    async def permission(request: Request, db: Db) -> Member:
        member = await current_member(request, db)
        require(member, roles)
        return member

    PERMISSIONS[permission] = roles
    return permission


async def anyone(request: Request) -> None:
    """The permission of routes that need no account."""
    del request


def require(member: Member, roles: frozenset[Role]) -> None:
    """Raise `Forbidden` unless the member has one of the roles. Services call it where a role matters."""
    if member.role not in roles:
        raise Forbidden(f"Your role in this workspace is {member.role}, which may not do this. Ask an owner.")


async def current_member(request: Request, db: Db) -> Member:
    """The member whose cookie the request carries.

    Raises:
        NotSignedIn: No session, or an expired one.
        WrongCsrfToken: A changing request without the session's token in its header.
    """
    token = request.cookies.get(COOKIE, "")
    found = await find_member(db, digest(token)) if token else None
    if found is None:
        raise NotSignedIn("You are not signed in, or your session has ended. Sign in again.")
    if request.method not in SAFE_METHODS:
        vault: Vault = request.app.state.vault
        if not same(csrf_token(vault, token), request.headers.get(CSRF_HEADER, "")):
            raise WrongCsrfToken(f"The header {CSRF_HEADER} is missing or stale. Reload the page.")
    account_id, workspace_id, role = found
    return Member(account_id, workspace_id, Role(role))


def csrf_token(vault: Vault, session_token: str) -> str:
    """The token that changing requests of this session carry in their header."""
    return vault.sign("csrf", session_token)


Viewer = Annotated[Member, Depends(_permission(ALL), scope="function")]
Editor = Annotated[Member, Depends(_permission(EDITORS), scope="function")]
Admin = Annotated[Member, Depends(_permission(ADMINS), scope="function")]
Owner = Annotated[Member, Depends(_permission(OWNERS), scope="function")]
Anyone = Annotated[None, Depends(anyone)]
PERMISSIONS[anyone] = frozenset()
