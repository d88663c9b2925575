"""Workspaces, their members, and the first start."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.accounts import service as accounts
from tidemill.domains.accounts.models import Account
from tidemill.domains.workspaces.errors import SetupDone, WrongSetupCode
from tidemill.domains.workspaces.models import Membership, Workspace
from tidemill.domains.workspaces.permissions import Member, Role
from tidemill.kit.crypto import same
from tidemill.kit.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
DEFAULT_NAME = "Workspace"


@dataclass(frozen=True)
class SetupGate:
    """What the first-run page asks for before it makes the owner's account. Empty: nothing."""

    code: str

    @property
    def needs_code(self) -> bool:
        return bool(self.code)


def setup_gate(settings: Settings) -> SetupGate:
    """INIT_PASSWORD if set; a fresh one-time code when others can reach this host; else nothing."""
    if password := settings.init_password.get_secret_value():
        return SetupGate(password)
    return SetupGate("" if settings.host in LOOPBACK else secrets.token_hex(4))


async def is_set_up(db: AsyncSession) -> bool:
    return not await accounts.is_empty(db)


async def set_up(
    db: AsyncSession,
    *,
    email: str,
    password: str,
    name: str = "",
    language: str = "en",
    code: str = "",
    gate: SetupGate,
) -> tuple[Account, Workspace]:
    """Make the owner's account and the first workspace.

    Raises:
        SetupDone: Somebody has an account already.
        WrongSetupCode: The gate asks for a code, and it is another one.
    """
    if await is_set_up(db):
        raise SetupDone("This installation has an owner already. Sign in instead.")
    if gate.needs_code and not same(gate.code, code.strip()):
        raise WrongSetupCode(
            "The code is wrong. Use the one printed where Tidemill was started, or the value of INIT_PASSWORD.",
            params="code",
        )
    account = await accounts.create(db, email=email, password=password, name=name, language=language)
    workspace = await create(db, DEFAULT_NAME, account.id)
    return account, workspace


async def create(db: AsyncSession, name: str, owner_id: UUID) -> Workspace:
    """Make a workspace with its owner."""
    workspace = Workspace(name=name)
    db.add(workspace)
    await db.flush()
    await add_member(db, workspace.id, owner_id, Role.OWNER)
    return workspace


async def add_member(db: AsyncSession, workspace_id: UUID, account_id: UUID, role: Role) -> Membership:
    membership = Membership(workspace_id=workspace_id, account_id=account_id, role=role.value)
    db.add(membership)
    await db.flush()
    return membership


async def member_emails(db: AsyncSession, workspace_id: UUID, account_ids: Collection[UUID] | None) -> list[str]:
    """The addresses of a workspace's members, of all or of those that are named."""
    query = select(Account.email).join(Membership, Membership.account_id == Account.id)
    query = query.where(Membership.workspace_id == workspace_id).order_by(Membership.created_at)
    if account_ids is not None:
        query = query.where(Account.id.in_(account_ids))
    return list((await db.scalars(query)).all())


async def find_place(db: AsyncSession, account_id: UUID) -> tuple[Workspace, Role] | None:
    """The workspace an account works in, its oldest, and its role there."""
    query = (
        select(Workspace, Membership.role)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.account_id == account_id)
        .order_by(Membership.created_at)
        .limit(1)
    )
    row = (await db.execute(query)).first()
    return None if row is None else (row[0], Role(row[1]))


async def first(db: AsyncSession) -> Member | None:
    """The owner of the oldest workspace: who the command line acts as when it names nobody."""
    query = (
        select(Membership.account_id, Membership.workspace_id)
        .where(Membership.role == Role.OWNER.value)
        .order_by(Membership.created_at)
        .limit(1)
    )
    row = (await db.execute(query)).first()
    return None if row is None else Member(row[0], row[1], Role.OWNER)
