"""Files as the nodes of one run see them."""

from __future__ import annotations

import base64
from typing import Literal
from uuid import UUID

from tidemill.adapters.storage import Storage, StorageError
from tidemill.domains.files import service
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.service import FileOwner, UploadLimits
from tidemill.engine.values import File
from tidemill.kit.db import Database, now
from tidemill.kit.errors import AppError
from tidemill.ports import FileUnavailable, Http, HttpFailed, HttpRequest, MediaPart

MAX_REMOTE_BYTES = 100 * service.MEGABYTE


class RunFiles:
    """Implements `ports.Files` for one owner: files of other workspaces do not exist."""

    def __init__(
        self, database: Database, storage: Storage, http: Http, owner: FileOwner, links: FileLinks, limits: UploadLimits
    ) -> None:
        self._database = database
        self._storage = storage
        self._http = http
        self._owner = owner
        self._links = links
        self._limits = limits

    async def read(self, file: File) -> bytes:
        if file.transfer_method == "remote_url" or not file.related_id:
            return await self._fetch(file)
        try:
            async with self._database.session() as db:
                stored = await service.get_attached(
                    db, self._owner.workspace_id, self._owner.app_id, UUID(file.related_id)
                )
            return await self._storage.read(stored.key)
        except (AppError, ValueError, StorageError) as error:
            raise FileUnavailable(f"The file {file.filename} cannot be read: {error}") from error

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        try:
            async with self._database.session() as db:
                stored = await service.store(
                    db,
                    self._storage,
                    self._owner,
                    name=filename,
                    declared_type=mime_type,
                    data=data,
                    limits=self._limits,
                )
                stored.attached_at = now()
        except AppError as error:
            raise FileUnavailable(f"The file {filename} cannot be kept: {error.message}") from error
        return service.to_file(stored, self._links)

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        if file.type == "custom":
            raise FileUnavailable(f"The file {file.filename} is of no kind that a model reads.")
        data = await self.read(file)
        return MediaPart(
            kind=file.type,
            data=base64.b64encode(data).decode(),
            mime_type=file.mime_type,
            filename=file.filename,
            detail=detail,
        )

    async def _fetch(self, file: File) -> bytes:
        url = file.remote_url or file.url
        try:
            response = await self._http.send(HttpRequest(method="GET", url=url, max_body_bytes=MAX_REMOTE_BYTES))
        except HttpFailed as error:
            raise FileUnavailable(f"The file at {url} cannot be fetched: {error}") from error
        if response.status >= 400:
            raise FileUnavailable(f"The file at {url} cannot be fetched: the server answered {response.status}.")
        return response.body
