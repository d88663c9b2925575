"""Files named on the command line, as the nodes of a run see them. They are read in place and never copied."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from tidemill.cli.failure import CommandFailed
from tidemill.domains.files.kinds import kind_of
from tidemill.engine.values import File
from tidemill.ports import FileUnavailable, Http, HttpFailed, HttpRequest, MediaPart

MAX_REMOTE_BYTES = 100 * 1024 * 1024


class LocalFiles:
    """Implements `ports.Files` for one run of the command line. What nodes save lives as long as the run."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._kept: dict[str, Path | bytes] = {}

    def add(self, path: Path) -> File:
        """Take a file of this machine. Ends the command when there is none."""
        if not path.is_file():
            raise CommandFailed(f"{path} is not a file.")
        return self._keep(path.name, "", path, path.stat().st_size)

    def add_remote(self, url: str) -> File:
        """Take a file by its address; it is fetched when a node reads it."""
        name = PurePosixPath(unquote(urlsplit(url).path)).name
        extension = PurePosixPath(name).suffix
        mime_type = mimetypes.guess_type(name)[0] or ""
        return File(
            type=kind_of(extension, mime_type),
            transfer_method="remote_url",
            remote_url=url,
            filename=name,
            extension=extension,
            mime_type=mime_type,
            url=url,
        )

    async def read(self, file: File) -> bytes:
        held = self._kept.get(file.related_id or "")
        if isinstance(held, bytes):
            return held
        if held is not None:
            try:
                return held.read_bytes()
            except OSError as error:
                raise FileUnavailable(f"The file {file.filename} cannot be read: {error.strerror}.") from error
        url = file.remote_url or file.url
        try:
            answer = await self._http.send(HttpRequest(method="GET", url=url, max_body_bytes=MAX_REMOTE_BYTES))
        except HttpFailed as error:
            raise FileUnavailable(f"The file at {url} cannot be fetched: {error}") from error
        if answer.status != 200:
            raise FileUnavailable(f"The file at {url} cannot be fetched: the server answered {answer.status}.")
        return answer.body

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        return self._keep(filename, mime_type, data, len(data))

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        if file.type == "custom":
            raise FileUnavailable(f"The file {file.filename} is of no kind that a model reads.")
        data = base64.b64encode(await self.read(file)).decode()
        mime_type = file.mime_type or mimetypes.guess_type(file.filename)[0] or ""
        return MediaPart(kind=file.type, data=data, mime_type=mime_type, filename=file.filename, detail=detail)

    def _keep(self, name: str, mime_type: str, held: Path | bytes, size: int) -> File:
        related_id = f"local-{len(self._kept) + 1}"
        self._kept[related_id] = held
        extension = Path(name).suffix
        return File(
            type=kind_of(extension, mime_type),
            transfer_method="local_file",
            id=related_id,
            related_id=related_id,
            filename=name,
            extension=extension,
            mime_type=mime_type or mimetypes.guess_type(name)[0] or "application/octet-stream",
            size_bytes=size,
        )
