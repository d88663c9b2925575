"""Which document formats are read, and by which name a file tells its format."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

# Read as they are, whatever they are written in. HTML keeps its tags.
_TEXT = (
    "txt text md mdx markdown html htm xhtml xml svg rst tex adoc org log srt ini cfg conf config toml env "
    "css scss sass less sql jsonl ndjson geojson diff patch graphql proto hcl tf gradle dockerfile makefile "
    "py pyi js mjs cjs jsx ts tsx vue svelte java kt kts scala groovy go rs rb php pl pm lua r m swift dart "
    "c h cc cpp cxx hpp cs sh bash zsh fish ps1 bat cmd"
)
TEXT: Final = frozenset(_TEXT.split())
# Text whose form is rearranged.
SHAPED: Final = frozenset(("json", "yaml", "yml", "csv", "tsv", "vtt", "properties"))
OFFICE: Final = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "doc": "application/msword",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "ppt": "application/vnd.ms-powerpoint",
    "odt": "application/vnd.oasis.opendocument.text",
    "epub": "application/epub+zip",
    "msg": "application/vnd.ms-outlook",
    "rtf": "application/rtf",
}
MAIL: Final = frozenset(("eml",))

_BY_MIME: Final = {
    **{mime: extension for extension, mime in OFFICE.items()},
    "application/json": "json",
    "application/x-yaml": "yaml",
    "application/yaml": "yaml",
    "application/xml": "xml",
    "application/javascript": "js",
    "application/x-sh": "sh",
    "application/sql": "sql",
    "application/csv": "csv",
    "message/rfc822": "eml",
    "text/csv": "csv",
    "text/rtf": "rtf",
    "text/tab-separated-values": "tsv",
    "text/vtt": "vtt",
    "text/yaml": "yaml",
    "text/x-yaml": "yaml",
}


def kind_of(filename: str, mime_type: str) -> str | None:
    """The format by its usual extension, from the file's name, else from its type. None when it is not read."""
    extension = extension_of(filename)
    if extension in TEXT or extension in SHAPED or extension in OFFICE or extension in MAIL:
        return extension
    mime = mime_type.partition(";")[0].strip().lower()
    found = _BY_MIME.get(mime)
    if found is None and mime.startswith("text/"):
        return "txt"
    return found


def extension_of(filename: str) -> str:
    """Lower case, without the dot; a bare `Makefile` is its own extension."""
    name = PurePath(filename.replace("\\", "/")).name.lower()
    return PurePath(name).suffix.lstrip(".") or name.lstrip(".")
