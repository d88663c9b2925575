"""What a file is: its kind by extension, its type by its first bytes, and whether a browser may show it. Pure."""

from __future__ import annotations

import mimetypes
from typing import Final

from tidemill.engine.values import FileKind

_IMAGE = frozenset({"jpg", "jpeg", "png", "webp", "gif", "svg"})
_VIDEO = frozenset({"mp4", "mov", "mpeg", "webm"})
_AUDIO = frozenset({"mp3", "m4a", "wav", "amr", "mpga"})
_DOCUMENT = frozenset(
    {"txt", "markdown", "md", "mdx", "pdf", "html", "htm", "xlsx", "xls", "vtt", "properties", "doc", "docx", "csv"}
    | {"eml", "msg", "ppt", "pptx", "xml", "epub", "odt", "json", "yaml", "yml"}
)

# What a browser may show from our origin. HTML, SVG and XML can run scripts and are always downloads.
_SHOWABLE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})

_SIGNATURES: Final = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-executable"),
)
_CONTAINERS = {
    "application/zip": ("application/vnd.openxmlformats", "application/epub", "application/vnd.oasis"),
    "application/x-ole-storage": ("application/msword", "application/vnd.ms-", "application/x-ole"),
}


def kind_of(extension: str, mime_type: str) -> FileKind:
    """The kind of a file: by its extension (with or without dot, any case), else by its MIME type."""
    name = extension.lower().lstrip(".")
    for kind, names in _KINDS:
        if name in names:
            return kind
    family = mime_type.partition("/")[0]
    if not name and family in ("image", "video", "audio"):
        return family  # type: ignore[return-value]
    return "custom"


_KINDS: tuple[tuple[FileKind, frozenset[str]], ...] = (
    ("image", _IMAGE),
    ("video", _VIDEO),
    ("audio", _AUDIO),
    ("document", _DOCUMENT),
)


def sniff(data: bytes) -> str | None:
    """The MIME type that the first bytes prove, None when they prove nothing."""
    for offset, signature, mime_type in _SIGNATURES:
        if data[offset : offset + len(signature)] == signature:
            return mime_type
    start = data[:1024].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<script", b"<body")):
        return "text/html"
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "image/svg+xml"
    return None


def true_type(data: bytes, declared: str, extension: str) -> str:
    """The MIME type to keep: what the bytes prove, else what was declared, else what the name says."""
    declared = declared.partition(";")[0].strip().lower()
    proven = sniff(data)
    if proven is not None and not any(declared.startswith(prefix) for prefix in _CONTAINERS.get(proven, ())):
        return proven
    if declared and declared != "application/octet-stream":
        return declared
    guessed, _ = mimetypes.guess_type(f"x.{extension}")
    return guessed or declared or "application/octet-stream"


def is_showable(mime_type: str) -> bool:
    """Whether a browser may show the file in place."""
    return mime_type in _SHOWABLE or mime_type.startswith(("audio/", "video/"))
