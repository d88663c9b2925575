"""One uploaded file out of a multipart request."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from tidemill.domains.files.errors import (
    FilenameMissing,
    FileRefused,
    NoFileUploaded,
    TooManyFiles,
    UnsupportedFileType,
)


@dataclass(frozen=True)
class Upload:
    name: str
    declared_type: str
    data: bytes
    user: str | None


async def read_upload(request: Request, *, max_bytes: int) -> Upload:
    """The single part named `file`, and the field `user`.

    Raises:
        NoFileUploaded, TooManyFiles, FilenameMissing, UnsupportedFileType: As named.
        FileRefused: The body is not multipart.
    """
    try:
        async with request.form(max_files=2, max_fields=20) as form:
            parts = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
            files = [value for value in form.getlist("file") if isinstance(value, UploadFile)]
            user = form.get("user")
            if not files:
                raise NoFileUploaded("No file was sent. Send one part named `file`.")
            if len(parts) > 1:
                raise TooManyFiles("Send one file at a time.")
            file = files[0]
            if not file.filename:
                raise FilenameMissing("The file has no name. Send one with it.")
            if not file.content_type:
                raise UnsupportedFileType("The part declares no type. Send a Content-Type with it.")
            data = await file.read(max_bytes + 1)
            return Upload(file.filename, file.content_type, data, user if isinstance(user, str) and user else None)
    except MultiPartException as error:
        raise FileRefused(f"The upload cannot be read: {error.message}", params="file") from error
