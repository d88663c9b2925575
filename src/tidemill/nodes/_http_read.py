"""Whether an HTTP response is a text or a file, and how it becomes one."""

from __future__ import annotations

import mimetypes
import posixpath
import re
from email.message import Message
from urllib.parse import unquote, urlsplit

from tidemill.engine.values import File
from tidemill.ports import Files, HttpResponse

_TEXT_TYPES = frozenset(
    {
        "application/json",
        "application/xml",
        "application/javascript",
        "application/x-javascript",
        "application/ecmascript",
        "application/x-www-form-urlencoded",
        "application/yaml",
        "application/x-yaml",
        "application/graphql",
        "application/x-ndjson",
    }
)
_TEXT_SUFFIXES = ("+json", "+xml", "+yaml")
_FILE_FAMILIES = frozenset({"application", "image", "audio", "video"})
_BINARY_TYPES = frozenset({"application/pdf", "application/zip", "application/gzip", "application/msword"})
_SIGNS_OF_TEXT = (b"{", b"[", b"<", b"function", b"var ", b"const ", b"let ")
_DECLARED_IN_TEXT = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)


def _header(response: HttpResponse, name: str) -> Message:
    message = Message()
    message[name] = response.headers.get(name, "")
    return message


def media_type(response: HttpResponse) -> str:
    """The media type without its parameters, in lower case; empty when none is given."""
    return response.headers.get("content-type", "").split(";", 1)[0].strip().lower()


def _named_filename(response: HttpResponse) -> str:
    name = _header(response, "content-disposition").get_filename() or ""
    # RFC 5987 names arrive decoded; a path in a name is not ours to follow.
    return posixpath.basename(name.replace("\\", "/"))


def is_file(response: HttpResponse) -> bool:
    """Whether the response is kept as a file rather than read as text."""
    disposition = _header(response, "content-disposition")
    if disposition.get_content_disposition() == "attachment" or disposition.get_filename():
        return True
    kind = media_type(response)
    family = kind.partition("/")[0]
    if kind in _TEXT_TYPES or kind.endswith(_TEXT_SUFFIXES) or family not in _FILE_FAMILIES:
        return False
    is_known_binary = kind in _BINARY_TYPES or kind.startswith("application/vnd.")
    return family != "application" or is_known_binary or not _looks_like_text(response.body)


def _looks_like_text(body: bytes) -> bool:
    sample = body[:1024]
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        # A character cut by the end of the sample is no fault of the text.
        if error.start < len(sample) - 3 or len(body) <= len(sample):
            return False
    return any(sign in sample for sign in _SIGNS_OF_TEXT)


def read_text(response: HttpResponse) -> str:
    """Decode by the declared charset, else by what the bytes say of themselves."""
    declared = _header(response, "content-type").get_content_charset()
    if declared is None and (found := _DECLARED_IN_TEXT.search(response.body[:2048])):
        declared = found.group(1).decode()
    for charset in (declared, "utf-8-sig"):
        if charset:
            try:
                return response.body.decode(charset)
            except (UnicodeDecodeError, LookupError):
                continue
    return _detect(response.body)


def _detect(body: bytes) -> str:
    # Western text has few bytes over 127; Chinese text is made of little else.
    high = sum(byte > 127 for byte in body[:4096])
    if high * 5 > len(body[:4096]):
        try:
            return body.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return body.decode("cp1252", errors="replace")


async def save_file(response: HttpResponse, files: Files) -> File:
    """Keep the body as a file under the name the server gives, the URL's, or a made-up one."""
    kind = media_type(response)
    name = _named_filename(response) or posixpath.basename(unquote(urlsplit(response.url).path))
    if not kind:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if not name:
        name = "response"
    if not posixpath.splitext(name)[1]:
        name += mimetypes.guess_extension(kind) or ".bin"
    return await files.save(filename=name, mime_type=kind, data=response.body)
