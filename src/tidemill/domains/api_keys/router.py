from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from tidemill.domains.api_keys import service
from tidemill.domains.api_keys.schemas import ApiKeyCreate, ApiKeyIssued, ApiKeyRead
from tidemill.domains.workspaces.permissions import Editor
from tidemill.kit.db import Db

router = APIRouter(prefix="/apps/{app_id}/keys", tags=["keys"])


@router.get("")
async def list_api_keys(app_id: UUID, member: Editor, db: Db) -> list[ApiKeyRead]:
    """The app's keys, newest first, without their secrets."""
    return [ApiKeyRead.model_validate(key) for key in await service.list_of_app(db, member, app_id)]


@router.post("", status_code=201)
async def create_api_key(app_id: UUID, body: ApiKeyCreate, member: Editor, db: Db) -> ApiKeyIssued:
    """Issue a key for an app. The secret is in this response and nowhere else."""
    key, secret = await service.issue(db, member, app_id, name=body.name, value=body.value)
    return ApiKeyIssued(key=ApiKeyRead.model_validate(key), secret=secret)


@router.delete("/{key_id}", status_code=204)
async def revoke_api_key(app_id: UUID, key_id: UUID, member: Editor, db: Db) -> None:
    """Revoke a key."""
    await service.revoke(db, member, app_id, key_id)
