"""Files made of Markdown: tables, code blocks, HTML. Runs in a worker process only."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from typing import Any, Final

from tidemill.ports import ToolFailed
from tidemill.tools.markdown import Code, List, Quote, page, parse, tables, to_html, unwrapped

# Extension, media type, contents.
Made = list[tuple[str, str, bytes]]

_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?")
_SHEET: Final = re.compile(r"[\[\]:*?/\\]")
_EXTENSIONS: Final = {
    "python": "py", "py": "py", "javascript": "js", "js": "js", "typescript": "ts", "ts": "ts", "html": "html",
    "css": "css", "json": "json", "yaml": "yaml", "yml": "yaml", "xml": "xml", "svg": "svg", "sql": "sql",
    "bash": "sh", "shell": "sh", "sh": "sh", "java": "java", "go": "go", "rust": "rs", "php": "php", "ruby": "rb",
    "c": "c", "cpp": "cpp", "csharp": "cs", "markdown": "md", "md": "md", "csv": "csv", "toml": "toml",
}  # fmt: skip


def export(kind: str, text: str, is_compressed: bool = False) -> Made:
    """The files of a kind: md, html, csv, json, xlsx, docx, pdf or codeblock. Raises `ToolFailed`."""
    match kind:
        case "md":
            return [("md", "text/markdown", unwrapped(text).encode())]
        case "html":
            return [("html", "text/html", page(text).encode())]
        case "csv":
            return [("csv", "text/csv", _csv(rows)) for rows in tables(text)]
        case "json":
            return [("json", "application/json", _json(tables(text)))]
        case "xlsx":
            kind_of = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            return [("xlsx", kind_of, _xlsx(tables(text)))]
        case "docx":
            from tidemill.tools.export_docx import docx

            kind_of = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            return [("docx", kind_of, docx(text))]
        case "pdf":
            from tidemill.tools.export_pdf import pdf

            return [("pdf", "application/pdf", pdf(text))]
        case "codeblock":
            return _codeblocks(text, is_compressed=is_compressed)
        case _:
            raise ToolFailed(f"There is no export to {kind}.")


def html_of(text: str) -> str:
    """The HTML of a Markdown text, for a message or an output."""
    return to_html(text)


def _csv(rows: list[list[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    # With the mark that tells spreadsheets the text is UTF-8.
    return written.getvalue().encode("utf-8-sig")


def _json(found: list[list[list[str]]]) -> bytes:
    records = [[dict(zip(rows[0], row, strict=True)) for row in rows[1:]] for rows in found]
    return json.dumps(records[0] if len(records) == 1 else records, ensure_ascii=False, indent=2).encode()


def _xlsx(found: list[list[list[str]]]) -> bytes:
    import xlsxwriter

    written = io.BytesIO()
    # Cells hold what they show: a text that begins with = is no formula.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    book: Any = xlsxwriter.Workbook(written, options)
    bold = book.add_format({"bold": True})
    for index, rows in enumerate(found, 1):
        sheet = book.add_worksheet(_SHEET.sub(" ", f"Sheet{index}"))
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                if line and _NUMBER.fullmatch(cell):
                    sheet.write_number(line, column, float(cell))
                else:
                    sheet.write_string(line, column, cell[:32_767], *([] if line else [bold]))
        sheet.autofit()
    book.close()
    return written.getvalue()


def _codeblocks(text: str, *, is_compressed: bool) -> Made:
    blocks = _all_code(parse(text))
    if not blocks:
        raise ToolFailed("There is no code block in the Markdown text. Put the code between ``` lines.")
    made: Made = [
        (_EXTENSIONS.get(block.language.lower(), "txt"), "text/plain", f"{block.text}\n".encode()) for block in blocks
    ]
    if not is_compressed:
        return made
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, (extension, _, data) in enumerate(made, 1):
            archive.writestr(f"code_{index}.{extension}", data)
    return [("zip", "application/zip", written.getvalue())]


def _all_code(blocks: Any) -> list[Code]:
    found: list[Code] = []
    for block in blocks:
        if isinstance(block, Code):
            found.append(block)
        elif isinstance(block, Quote):
            found += _all_code(block.blocks)
        elif isinstance(block, List):
            found += [code for item in block.items for code in _all_code(item)]
    return found
