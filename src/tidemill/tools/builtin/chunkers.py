"""Chunkers and the extractor of knowledge pipelines: a file to text, a text to pieces."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

from tidemill.ports import DocumentFailed, Documents, Files, FileUnavailable, ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, Provider, asked, optional, text, variable

MAX_FULL_CHARS: Final = 10_000
_URLS: Final = re.compile(r"https?://[^\s)\]>\"']+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SPACES: Final = re.compile(r"[^\S\n]{2,}")
_LINES: Final = re.compile(r"\n{3,}")
# From the coarsest to the finest; what is left is cut by length.
_SEPARATORS: Final = ("\n\n", "\n", "。", ". ", "! ", "? ", "；", "; ", "，", ", ", " ")

EXTRACTOR = Provider("dify_extractor", "Dify Extractor", "The text of a document.")
GENERAL = Provider("general_chunker", "General Chunker", "Cuts a text into pieces.")
PARENT_CHILD = Provider("parentchild_chunker", "Parent-child Chunker", "Cuts a text into pieces, and those again.")


def cleaned(content: str, *, spaces: bool, addresses: bool) -> str:
    """The text with runs of spaces and lines made one, and without URLs and e-mail addresses, as asked."""
    if addresses:
        content = _URLS.sub("", content)
    if spaces:
        content = _LINES.sub("\n\n", _SPACES.sub(" ", content))
    return content.strip()


def pieces(content: str, separator: str, length: int, overlap: int = 0) -> list[str]:
    """Cut at `separator`; what is longer than `length` characters is cut at finer ones, `overlap` repeated."""
    mark = separator.encode().decode("unicode_escape") if separator in ("\\n", "\\n\\n", "\\t") else separator
    parts = content.split(mark) if mark else [content]
    found: list[str] = []
    for part in parts:
        if part.strip():
            found.extend(_short(part.strip(), length, min(overlap, length // 2)))
    return found


def _short(part: str, length: int, overlap: int) -> list[str]:
    found: list[str] = []
    start = 0
    while len(part) - start > length:
        end = _cut(part, start, start + length)
        found.append(part[start:end].strip())
        start = max(end - overlap, start + 1)
    found.append(part[start:].strip())
    return [piece for piece in found if piece]


def _cut(part: str, start: int, end: int) -> int:
    """The best place to cut before `end`: after the coarsest separator in the later half."""
    for separator in _SEPARATORS:
        place = part.rfind(separator, start + (end - start) // 2, end)
        if place >= 0:
            return place + len(separator)
    return end


@EXTRACTOR.tool(
    "dify_extractor",
    "Dify Extractor",
    "Gets the text of a document.",
    asked("file", "The document.", type="file"),
)
async def dify_extractor(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    file = arguments.file("file")
    if file is None:
        raise ToolFailed("There is no file to extract. Choose a variable that holds one.")
    try:
        data = await call.port(Files).read(file)
        content = await call.port(Documents).text(filename=file.filename, mime_type=file.mime_type, data=data)
    except (FileUnavailable, DocumentFailed) as error:
        raise ToolFailed(str(error)) from error
    yield text(content)
    yield variable("documents", [{"page_content": content, "metadata": {"source": file.filename}}])
    yield variable("images", [])


@GENERAL.tool(
    "general_chunker",
    "General Chunker",
    "Cuts a text into pieces.",
    asked("input_variable", "The text."),
    asked("delimiter", "Where to cut.", default="\n\n"),
    asked("max_chunk_length", "Most characters of a piece.", type="number", default=1024),
    optional("chunk_overlap_length", "Characters repeated from one piece in the next.", type="number", default=0),
    optional("replace_consecutive_spaces_newlines_tabs", "Make runs of spaces one.", type="boolean", default=False),
    optional("delete_all_urls_and_email_addresses", "Leave out addresses.", type="boolean", default=False),
)
async def general_chunker(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    content = cleaned(
        arguments.text("input_variable"),
        spaces=arguments.flag("replace_consecutive_spaces_newlines_tabs"),
        addresses=arguments.flag("delete_all_urls_and_email_addresses"),
    )
    length = arguments.whole("max_chunk_length", 1024, least=50, most=100_000)
    overlap = arguments.whole("chunk_overlap_length", 0, least=0, most=50_000)
    yield variable("result", {"general_chunks": pieces(content, arguments.text("delimiter"), length, overlap)})


@PARENT_CHILD.tool(
    "parentchild_chunker",
    "Parent-child Chunker",
    "Cuts a text into pieces, and each of those into smaller ones for searching.",
    asked("input_text", "The text."),
    optional("max_length", "Most characters of a piece.", type="number", default=1024),
    optional("separator", "Where to cut.", default="\n\n"),
    optional("subchunk_max_length", "Most characters of a smaller piece.", type="number", default=512),
    optional("subchunk_separator", "Where to cut pieces.", default=". "),
    asked(
        "parent_mode",
        "paragraph: pieces as cut; full_doc: the whole text is one.",
        type="select",
        options=("paragraph", "full_doc"),
        default="paragraph",
    ),
    optional("remove_extra_spaces", "Make runs of spaces one.", type="boolean", default=False),
    optional("remove_urls_emails", "Leave out addresses.", type="boolean", default=False),
)
async def parentchild_chunker(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    content = cleaned(
        arguments.text("input_text"),
        spaces=arguments.flag("remove_extra_spaces"),
        addresses=arguments.flag("remove_urls_emails"),
    )
    mode = arguments.text("parent_mode", "paragraph")
    length = arguments.whole("max_length", 1024, least=50, most=100_000)
    whole = mode == "full_doc"
    parents = [content[:MAX_FULL_CHARS]] if whole else pieces(content, arguments.text("separator"), length)
    shorter = arguments.whole("subchunk_max_length", 512, least=20, most=100_000)
    chunks: list[dict[str, Any]] = [
        {"parent_content": parent, "child_contents": pieces(parent, arguments.text("subchunk_separator"), shorter)}
        for parent in parents
        if parent
    ]
    yield variable("result", {"parent_child_chunks": chunks, "parent_mode": mode})
