"""API keys of apps: made, listed, revoked, and looked up on every call of the Service API."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.api_keys.errors import ApiKeyNotFound, ApiKeyTaken, MalformedApiKey, TooManyApiKeys
from tidemill.domains.api_keys.models import ApiKey
from tidemill.domains.apps import service as apps
from tidemill.domains.workspaces.permissions import Scoped
from tidemill.kit.crypto import digest
from tidemill.kit.db import now

MAX_KEYS_PER_APP = 10
USE_RESOLUTION = timedelta(minutes=1)
_ALPHANUMERIC = string.ascii_letters + string.digits
_FORM = re.compile(r"app-[A-Za-z0-9]{16,64}")


async def issue(
    db: AsyncSession, scope: Scoped, app_id: UUID, *, name: str = "", value: str | None = None
) -> tuple[ApiKey, str]:
    """Create a key and return it with its secret, which is not stored.

    Args:
        value: An existing secret to keep, so that clients need no change; a new one is made without it.

    Raises:
        AppNotFound: The app is not in the workspace.
        TooManyApiKeys: The app already has `MAX_KEYS_PER_APP` keys.
        MalformedApiKey: `value` is not "app-" and 16 to 64 letters or digits.
        ApiKeyTaken: `value` is a key already.
    """
    app = await apps.get(db, scope, app_id)
    count = (await db.scalars(select(func.count()).where(ApiKey.app_id == app.id))).one()
    if count >= MAX_KEYS_PER_APP:
        raise TooManyApiKeys(f"An app can have {MAX_KEYS_PER_APP} keys. Revoke one first.")
    secret = await _given(db, value) if value else _fresh()
    key = ApiKey(
        workspace_id=scope.workspace_id,
        app_id=app.id,
        name=name.strip() or f"Key {count + 1}",
        hint=secret[-4:],
        digest=digest(secret),
    )
    db.add(key)
    await db.flush()
    return key, secret


async def list_of_app(db: AsyncSession, scope: Scoped, app_id: UUID) -> Sequence[ApiKey]:
    """The keys of an app, newest first. Raises `AppNotFound`."""
    app = await apps.get(db, scope, app_id)
    query = select(ApiKey).where(ApiKey.workspace_id == scope.workspace_id, ApiKey.app_id == app.id)
    return (await db.scalars(query.order_by(ApiKey.created_at.desc(), ApiKey.id.desc()))).all()


async def revoke(db: AsyncSession, scope: Scoped, app_id: UUID, key_id: UUID) -> None:
    """Delete a key. It stops working at once. Raises `ApiKeyNotFound`."""
    query = select(ApiKey).where(
        ApiKey.workspace_id == scope.workspace_id, ApiKey.app_id == app_id, ApiKey.id == key_id
    )
    key = (await db.scalars(query)).first()
    if key is None:
        raise ApiKeyNotFound("There is no such key. It may have been revoked already.")
    await db.delete(key)
    await db.flush()


async def find(db: AsyncSession, secret: str) -> ApiKey | None:
    """The key of a secret: one indexed statement, so that a revoked key is refused by every process at once."""
    if not secret.startswith("app-"):
        return None
    return (await db.scalars(select(ApiKey).where(ApiKey.digest == digest(secret)))).first()


def is_use_due(key: ApiKey) -> bool:
    """Whether `touch` would move the key's time of last use."""
    return key.last_used_at is None or now() - key.last_used_at >= USE_RESOLUTION


async def touch(db: AsyncSession, key_id: UUID) -> None:
    """Note that a key was used; moves at most once a minute, also when several processes try."""
    moment = now()
    due = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= moment - USE_RESOLUTION)
    await db.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, due)
        .values(last_used_at=moment)
        .execution_options(synchronize_session=False)
    )


def _fresh() -> str:
    return "app-" + "".join(secrets.choice(_ALPHANUMERIC) for _ in range(24))


async def _given(db: AsyncSession, value: str) -> str:
    if not _FORM.fullmatch(value):
        raise MalformedApiKey(
            "A key is `app-` followed by 16 to 64 letters or digits. Check the value.", params="value"
        )
    if (await db.scalars(select(ApiKey.id).where(ApiKey.digest == digest(value)))).first() is not None:
        raise ApiKeyTaken("This key is in use already. Revoke it where it is used, or choose another.", params="value")
    return value
