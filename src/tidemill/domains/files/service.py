"""Files: taken in, looked up, and turned into what a run can use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.adapters.storage import Storage
from tidemill.domains.files.errors import FileAccessDenied, FileNotFound, FileRefused, FileTooLarge
from tidemill.domains.files.kinds import kind_of, true_type
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.models import StoredFile
from tidemill.engine.values import File, FileKind
from tidemill.kit.db import now
from tidemill.ports import Http, HttpFailed, HttpRequest

MEGABYTE = 1024 * 1024
MAX_NAME = 200
_ILLEGAL = re.compile(r'[/\\:*?"<>|]')
_DISPOSITION = re.compile(r"filename\*?=(?:UTF-8'')?\"?([^\";]+)\"?", re.IGNORECASE)


@dataclass(frozen=True)
class FileOwner:
    """Who brings or uses a file: an end user of an app, or an account working on it."""

    workspace_id: UUID
    app_id: UUID
    creator_id: UUID
    is_account: bool = False


@dataclass(frozen=True)
class UploadLimits:
    """Largest uploads in MB, by kind, and extensions that are refused."""

    document: int = 15
    image: int = 10
    audio: int = 50
    video: int = 100
    refused: frozenset[str] = frozenset()

    def of(self, kind: FileKind) -> int:
        return {"image": self.image, "audio": self.audio, "video": self.video}.get(kind, self.document)


async def store(
    db: AsyncSession,
    storage: Storage,
    owner: FileOwner,
    *,
    name: str,
    declared_type: str,
    data: bytes,
    limits: UploadLimits,
) -> StoredFile:
    """Keep an uploaded file.

    Raises:
        FileRefused: The name holds a character that no file system shares, or the extension is blocked.
        FileTooLarge: It is over the limit of its kind.
    """
    if _ILLEGAL.search(name):
        raise FileRefused('A file name may not hold any of / \\ : * ? " < > |. Rename the file.', params="file")
    extension = PurePosixPath(name).suffix.lstrip(".").lower()[:20]
    if extension in limits.refused:
        raise FileRefused(f"Files with the extension .{extension} are not accepted here.", params="file")
    limit = limits.of(kind_of(extension, declared_type))
    if len(data) > limit * MEGABYTE:
        raise FileTooLarge(f"The file is larger than {limit} MB, the limit for its kind. Upload a smaller one.")
    if len(name) > MAX_NAME:
        stem = name[: MAX_NAME - len(extension) - 1] if extension else name[:MAX_NAME]
        name = f"{stem}.{extension}" if extension else stem
    file = StoredFile(
        workspace_id=owner.workspace_id,
        app_id=owner.app_id,
        created_by=owner.creator_id,
        is_by_account=owner.is_account,
        key=await storage.write(data),
        name=name,
        extension=extension,
        mime_type=true_type(data, declared_type, extension),
        size_bytes=len(data),
    )
    db.add(file)
    await db.flush()
    return file


async def get_attached(db: AsyncSession, workspace_id: UUID, app_id: UUID, file_id: UUID) -> StoredFile:
    """A file that a run of this app has used.

    Raises:
        FileNotFound: No such file in the workspace, or no run has used it yet.
        FileAccessDenied: It belongs to another app.
    """
    file = await _find(db, workspace_id, file_id)
    if file is None or (file.app_id == app_id and file.attached_at is None):
        raise FileNotFound("There is no such file, or no message has used it yet.")
    if file.app_id != app_id:
        raise FileAccessDenied("The file belongs to another app.")
    return file


async def get_linked(db: AsyncSession, file_id: UUID) -> StoredFile:
    """A file whose signed link was checked. Raises `FileNotFound`."""
    file = (await db.scalars(select(StoredFile).where(StoredFile.id == file_id))).first()
    if file is None:
        raise FileNotFound("There is no such file.")
    return file


def to_file(stored: StoredFile, links: FileLinks) -> File:
    """A stored file as runs hold it."""
    return File(
        type=kind_of(stored.extension, stored.mime_type),
        transfer_method="local_file",
        id=str(stored.id),
        related_id=str(stored.id),
        filename=stored.name,
        extension=f".{stored.extension}" if stored.extension else "",
        mime_type=stored.mime_type,
        size_bytes=stored.size_bytes,
        url=links.url(stored.id),
    )


async def resolve(
    db: AsyncSession, owner: FileOwner, references: Sequence[Mapping[str, Any]], *, links: FileLinks, http: Http
) -> list[File]:
    """Turn file references of a request into files. References that name nothing are dropped.

    Raises:
        FileRefused: An upload that is not this user's, or whose kind is not the one given.
    """
    files: list[File] = []
    for reference in naming(references):
        if reference.get("transfer_method") == "local_file":
            files.append(await _local(db, owner, reference, links))
        else:
            files.append(await _remote(http, _url(reference), str(reference.get("type") or "")))
    return files


def naming(references: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The references that name a file."""
    return [
        reference
        for reference in references
        if reference.get("transfer_method") == "local_file"
        or (reference.get("transfer_method") == "remote_url" and _url(reference))
    ]


def _url(reference: Mapping[str, Any]) -> str:
    url = reference.get("url") or reference.get("remote_url")
    return url if isinstance(url, str) else ""


async def attach(db: AsyncSession, files: Sequence[File]) -> None:
    """Note that a run uses these files: every caller of the app may read them from now on."""
    ids = [UUID(file.related_id) for file in files if file.transfer_method == "local_file" and file.related_id]
    if ids:
        condition = StoredFile.id.in_(ids), StoredFile.attached_at.is_(None)
        await db.execute(update(StoredFile).where(*condition).values(attached_at=now()))


async def _find(db: AsyncSession, workspace_id: UUID, file_id: UUID) -> StoredFile | None:
    query = select(StoredFile).where(StoredFile.workspace_id == workspace_id, StoredFile.id == file_id)
    return (await db.scalars(query)).first()


async def _local(db: AsyncSession, owner: FileOwner, reference: Mapping[str, Any], links: FileLinks) -> File:
    given = str(reference.get("upload_file_id") or reference.get("id") or reference.get("related_id") or "")
    try:
        stored = await _find(db, owner.workspace_id, UUID(given))
    except ValueError as error:
        raise FileRefused(f"`{given}` is not the id of an uploaded file.", params="upload_file_id") from error
    if stored is None or stored.app_id != owner.app_id or stored.created_by != owner.creator_id:
        raise FileRefused(f"There is no uploaded file {given} of this user.", params="upload_file_id")
    file = to_file(stored, links)
    _check_kind(file, str(reference.get("type") or ""))
    return file


async def _remote(http: Http, url: str, given_type: str) -> File:
    name, mime_type, size = _name_of(url), "", -1
    try:
        response = await http.send(HttpRequest(method="HEAD", url=url, read_timeout_s=10.0, max_body_bytes=0))
    except HttpFailed as error:
        raise FileRefused(f"The file at {url} cannot be reached: {error}", params="url") from error
    if response.status < 400:
        mime_type = response.headers.get("content-type", "").partition(";")[0].strip()
        length = response.headers.get("content-length", "")
        size = int(length) if length.isdecimal() else -1
        if named := _DISPOSITION.search(response.headers.get("content-disposition", "")):
            name = unquote(named.group(1))
    extension = PurePosixPath(name).suffix
    file = File(
        type=kind_of(extension, mime_type),
        transfer_method="remote_url",
        remote_url=url,
        filename=name,
        extension=extension,
        mime_type=mime_type,
        size_bytes=size,
        url=url,
    )
    _check_kind(file, given_type)
    return file


def _name_of(url: str) -> str:
    return unquote(PurePosixPath(urlsplit(url).path).name) or "file"


def _check_kind(file: File, given: str) -> None:
    if given and given not in ("custom", file.type):
        raise FileRefused(
            f"{file.filename} is of type {file.type}, not {given}. Send the type it has, or leave it out.",
            params="type",
        )
