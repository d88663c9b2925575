from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.accounts.models import AccountSession
from tidemill.domains.workspaces.models import Membership
from tidemill.kit.db import now


async def find_member(db: AsyncSession, session_digest: str) -> tuple[UUID, UUID, str] | None:
    """(account, workspace, role) of a live session; the oldest membership when there are several."""
    query = (
        select(Membership.account_id, Membership.workspace_id, Membership.role)
        .join(AccountSession, AccountSession.account_id == Membership.account_id)
        .where(AccountSession.digest == session_digest, AccountSession.expires_at > now())
        .order_by(Membership.created_at)
        .limit(1)
    )
    row = (await db.execute(query)).first()
    return None if row is None else (row[0], row[1], row[2])
