"""Signed links: readable by whoever holds them, with no account and no key."""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tidemill.adapters.storage import Storage
from tidemill.domains.files import service
from tidemill.domains.files.errors import FileNotFound
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.serving import serve
from tidemill.kit.db import Db

router = APIRouter(tags=["files"])


@router.get("/files/{file_id:uuid}/file-preview")
async def read_linked_file(
    file_id: UUID,
    request: Request,
    db: Db,
    timestamp: str = "",
    nonce: str = "",
    sign: str = "",
    as_attachment: Annotated[bool, Query()] = False,
) -> Response:
    """A file through a signed link. An expired or forged link looks like a missing file."""
    links, storage = cast(FileLinks, request.app.state.file_links), cast(Storage, request.app.state.storage)
    if not links.is_valid(file_id, timestamp=timestamp, nonce=nonce, sign=sign):
        raise FileNotFound("The link has expired or is not whole. Ask for a fresh one.")
    return await serve(request, storage, await service.get_linked(db, file_id), as_attachment=as_attachment)
