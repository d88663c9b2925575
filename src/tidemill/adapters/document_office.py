"""Text of office files, books and mails. Imported in the worker process only: its library is large."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.message import MIMEPart
from typing import Any, Final, cast

import kreuzberg

from tidemill.adapters.document_kinds import OFFICE
from tidemill.adapters.document_text import DocumentBroken, decode, table

MAX_UNPACKED_BYTES: Final = 100_000_000
_SHEETS: Final = ("xlsx", "xls")
_MAIL_HEADS: Final = ("Subject", "From", "To", "Cc", "Date")
# The library loses entities in Word files; these stand-ins from the private use area pass through it.
_STAND_INS: Final = {"&": "\ue0a6", "<": "\ue0bc", ">": "\ue0be", '"': "\ue0a2", "'": "\ue0a7"}
_ENTITY: Final = re.compile(rb"&(amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def office_text(kind: str, data: bytes) -> str:
    """The text of a document, tables as Markdown. Raises `DocumentBroken`."""
    try:
        if kind in _SHEETS:
            return _sheets(_extract(OFFICE[kind], data))
        if kind == "docx":
            return _restored(_blocks(_extract(OFFICE[kind], _with_stand_ins(data))))
        return _blocks(_extract(OFFICE[kind], data))
    except kreuzberg.KreuzbergError as error:
        raise DocumentBroken(_reason(error)) from error


def mail_text(data: bytes) -> str:
    """The heads of a mail and what it says."""
    mail = message_from_bytes(data, policy=policy.default)
    heads = "\n".join(f"{name}: {mail[name]}" for name in _MAIL_HEADS if mail[name])
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return heads
    body = decode(cast(bytes, part.get_payload(decode=True) or b"")) if _is_unnamed(part) else part.get_content()
    if part.get_content_subtype() == "html":
        try:
            body = _extract("text/html", body.encode()).content
        except kreuzberg.KreuzbergError as error:
            raise DocumentBroken(_reason(error)) from error
    return f"{heads}\n\n{body.strip()}".strip()


def _is_unnamed(part: MIMEPart) -> bool:
    """Whether a part does not say its encoding, or one that nobody knows."""
    charset = part.get_content_charset()
    if charset is None:
        return True
    try:
        codecs.lookup(charset)
    except LookupError:
        return True
    return False


def _extract(mime_type: str, data: bytes) -> kreuzberg.ExtractionResult:
    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        disable_ocr=True,  # pyright: ignore[reportCallIssue] - missing in the library's declarations
        include_document_structure=mime_type not in (OFFICE["pdf"], OFFICE["xlsx"], OFFICE["xls"]),
        output_format="plain",
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )
    return kreuzberg.extract_bytes_sync(data, mime_type, config)


def _reason(error: Exception) -> str:
    text = re.sub(r"^(\w*Error: )+", "", str(error).strip())
    return f"The file cannot be read: {text.splitlines()[0].rstrip('.') if text else type(error).__name__}."


def _sheets(result: kreuzberg.ExtractionResult) -> str:
    """A table for each sheet, with the sheet's name above it where there are several."""
    names = cast(list[str], cast(Mapping[str, Any], result.metadata).get("sheet_names") or [])
    texts: list[str] = []
    for sheet in result.tables:
        rows = table(sheet.cells)
        number = sheet.page_number - 1
        name = names[number] if len(names) > 1 and 0 <= number < len(names) else ""
        if rows:
            texts.append(f"## {name}\n\n{rows}" if name else rows)
    return "\n\n".join(texts)


def _blocks(result: kreuzberg.ExtractionResult) -> str:
    document = cast("dict[str, Any] | None", getattr(result, "document", None))
    if not document or not document.get("nodes"):
        return result.content.strip()
    return "\n\n".join(_texts(document["nodes"])).strip()


def _texts(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        content = node["content"]
        if node.get("content_layer") in ("header", "footer"):
            # Repeated on every page.
            continue
        if content["node_type"] == "table":
            yield table(_grid(content["grid"]))
        elif content["node_type"] == "metadata_block":
            yield "\n".join(f"{name}: {value}" for name, value in content["entries"])
        elif text := content.get("text"):
            yield text


def _grid(grid: Mapping[str, Any]) -> list[list[str]]:
    rows = [[""] * grid["cols"] for _ in range(grid["rows"])]
    for cell in grid["cells"]:
        rows[cell["row"]][cell["col"]] = cell["content"]
    return rows


# ---------------------------------------------------------------- Word files


def _with_stand_ins(data: bytes) -> bytes:
    """The same document with stand-ins for the entities in its texts."""
    copy = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(copy, "w") as target:
            entries = source.infolist()
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
                raise DocumentBroken(
                    f"The file cannot be read: it unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB."
                )
            for entry in entries:
                content = source.read(entry)
                if entry.filename.startswith("word/") and entry.filename.endswith(".xml"):
                    content = _ENTITY.sub(_stand_in, content)
                target.writestr(entry.filename, content)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        # An encrypted, cut or otherwise broken archive.
        raise DocumentBroken(f"The file cannot be read: {error}.") from error
    return copy.getvalue()


def _stand_in(found: re.Match[bytes]) -> bytes:
    name = found[1].decode()
    if name.startswith("#"):
        number = int(name[2:], 16) if name[1] == "x" else int(name[1:])
        character = chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"
    else:
        character = _NAMED[name]
    return _STAND_INS.get(character, character).encode()


def _restored(text: str) -> str:
    for character, stand_in in _STAND_INS.items():
        text = text.replace(stand_in, character)
    return text
