"""A stored file as a response: never a page of ours, in parts where a player asks for parts."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tidemill.adapters.storage import KeyNotFound, Storage
from tidemill.domains.files.errors import FileNotFound
from tidemill.domains.files.kinds import is_showable
from tidemill.domains.files.models import StoredFile

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def serve(request: Request, storage: Storage, file: StoredFile, *, as_attachment: bool) -> Response:
    """The bytes of a file. What a browser could run is a download whatever was asked. Raises `FileNotFound`."""
    is_inline = is_showable(file.mime_type) and not as_attachment
    headers = {
        "cache-control": "public, max-age=3600",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "content-type": file.mime_type if is_inline else "application/octet-stream",
    }
    if not is_inline:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    start, end, status = 0, file.size_bytes - 1, 200
    if file.mime_type.startswith(("audio/", "video/")):
        headers["accept-ranges"] = "bytes"
        if (part := _part(request.headers.get("range"), file.size_bytes)) is not None:
            start, end = part
            status = 206
            headers["content-range"] = f"bytes {start}-{end}/{file.size_bytes}"
    headers["content-length"] = str(end - start + 1)
    try:
        body = await storage.open(file.key, start=start, length=end - start + 1)
    except KeyNotFound as error:
        raise FileNotFound("The file's bytes are no longer there. Upload it again.") from error
    return StreamingResponse(body, status, headers)


def _part(wanted: str | None, size: int) -> tuple[int, int] | None:
    match = _RANGE.fullmatch(wanted or "")
    if match is None or not size or match[1] == match[2] == "":
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    start, end = int(match[1]), min(int(match[2] or size - 1), size - 1)
    return (start, end) if start <= end else None
