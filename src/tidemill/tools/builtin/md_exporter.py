"""Markdown exporter: files of Markdown texts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from tidemill.ports import ToolCall, ToolFailed, ToolMessage, ToolParameter, WorkFailed, Workshop
from tidemill.tools.exports import export, html_of
from tidemill.tools.provider import Arguments, Provider, ToolFunction, asked, optional, saved, setting, text

_UNSAFE: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')

PROVIDER = Provider(
    "md_exporter", "Markdown Exporter", "Makes files of Markdown texts.", aliases=("markdown_exporter",)
)

_TEXT: Final[ToolParameter] = asked("md_text", "The Markdown text.")
_NAME: Final[ToolParameter] = optional("output_filename", "Name of the file.")


def filename(written: str, extension: str, number: int = 0) -> str:
    """A safe name with the extension, and a number when there are several files."""
    stem = _UNSAFE.sub("_", written.strip()).strip("._ ").removesuffix(f".{extension}")[:100] or "export"
    return f"{stem}_{number}.{extension}" if number else f"{stem}.{extension}"


async def _exported(kind: str, arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    source = arguments.text("md_text")
    if not source.strip():
        raise ToolFailed("There is no Markdown text to export. Give the parameter md_text a text.")
    is_compressed = arguments.text("is_compress") == "true"
    try:
        made = await call.port(Workshop).run(export, kind, source, is_compressed)
    except WorkFailed as error:
        raise ToolFailed(f"The file cannot be made: {error}") from error
    for number, (extension, mime_type, data) in enumerate(made, 1):
        name = filename(arguments.text("output_filename"), extension, number if len(made) > 1 else 0)
        yield await saved(call, filename=name, mime_type=mime_type, data=data)


def _exporter(kind: str) -> ToolFunction:
    async def run(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
        async for message in _exported(kind, arguments, call):
            yield message

    return run


for _kind, _label, _what in (
    ("docx", "Markdown to DOCX file", "Makes a Word document of a Markdown text."),
    ("pdf", "Markdown to PDF file", "Makes a PDF of a Markdown text."),
    ("xlsx", "Markdown to XLSX file", "Makes a spreadsheet of the tables in a Markdown text."),
    ("html", "Markdown to HTML file", "Makes an HTML page of a Markdown text."),
    ("md", "Markdown to MD file", "Makes a Markdown file of a Markdown text."),
    ("csv", "Markdown to CSV file", "Makes a CSV file of each table in a Markdown text."),
    ("json", "Markdown to JSON file", "Makes a JSON file of the tables in a Markdown text."),
):
    PROVIDER.tool(f"md_to_{_kind}", _label, _what, _TEXT, _NAME)(_exporter(_kind))

PROVIDER.tool(
    "md_to_codeblock",
    "Code blocks to files",
    "Makes files of the code blocks in a Markdown text.",
    _TEXT,
    _NAME,
    setting("is_compress", "One ZIP file of all.", type="select", options=("true", "false"), default="false"),
)(_exporter("codeblock"))


@PROVIDER.tool("md_to_html_text", "Markdown to HTML text", "Gives a Markdown text as HTML.", _TEXT)
async def md_to_html_text(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    try:
        yield text(await call.port(Workshop).run(html_of, arguments.text("md_text")))
    except WorkFailed as error:
        raise ToolFailed(f"The text cannot be turned into HTML: {error}") from error
