"""Text of documents that are text: decoded by their bytes, and brought into a form that reads well."""

from __future__ import annotations

import codecs
import csv
import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import yaml
from charset_normalizer import from_bytes

SAMPLE_BYTES: Final = 1_000_000
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class DocumentBroken(Exception):
    """A document that does not hold what its format promises. One sentence."""


# ---------------------------------------------------------------- encodings


def decode(data: bytes) -> str:
    """The text that bytes are: by their mark, as UTF-8, or in the encoding they look like."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    sample = data[:SAMPLE_BYTES]
    zeros = sample[0::2].count(0), sample[1::2].count(0)
    if max(zeros) > len(sample) // 8 and min(zeros) * 4 < max(zeros):
        # Unmarked UTF-16 with Latin letters in it; it may well be valid UTF-8 too.
        return data.decode("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le", errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_guess(sample), errors="replace")


def _guess(sample: bytes) -> str:
    if _looks_simplified_chinese(sample):
        return "gb18030"
    best = from_bytes(sample).best()
    return best.encoding if best is not None else "cp1252"


def _looks_simplified_chinese(sample: bytes) -> bool:
    """Whether the bytes are common Chinese characters in GBK.

    Detectors take short Chinese texts for Korean, whose syllables lie in the first part (up to C8) of the rows
    B0 to D7 that hold the common Chinese characters; rows A4 and A5 are the Japanese syllables.
    """
    leads: list[int] = []
    position = 0
    while position < len(sample) - 1:
        lead, trail = sample[position], sample[position + 1]
        if lead < 0x80:
            position += 1
            continue
        if trail < 0xA1:
            return False
        leads.append(lead)
        position += 2
    hanzi = [lead for lead in leads if lead >= 0xB0]
    common = [lead for lead in hanzi if lead <= 0xD7]
    late = [lead for lead in common if lead > 0xC8]
    kana = [lead for lead in leads if lead in (0xA4, 0xA5)]
    return (
        len(hanzi) >= 2
        and len(common) >= 0.85 * len(hanzi)
        and len(late) >= 0.15 * len(hanzi)
        and len(kana) < 0.1 * len(leads)
    )


# ---------------------------------------------------------------- shapes


def shaped(kind: str, text: str) -> str:
    """The text of a format that is text itself, by its extension."""
    match kind:
        case "json":
            return _json(text)
        case "yaml" | "yml":
            return _yaml(text)
        case "csv" | "tsv":
            return _csv(text, "\t" if kind == "tsv" else ",")
        case "vtt":
            return _vtt(text)
        case "properties":
            return _properties(text)
        case _:
            return text


def _json(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except RecursionError as error:
        raise DocumentBroken("The JSON is nested too deeply.") from error
    except ValueError as error:
        raise DocumentBroken(f"The file is not JSON: {error}.") from error


def _yaml(text: str) -> str:
    try:
        documents: list[Any] = list(yaml.safe_load_all(text))
        return yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False, default_flow_style=False)
    except RecursionError as error:
        raise DocumentBroken("The YAML is nested too deeply.") from error
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DocumentBroken(f"The file is not YAML: {reason}.") from error


def _csv(text: str, delimiter: str) -> str:
    head = text[:10_000]
    if delimiter == "," and head.count(";") > head.count(","):
        # What spreadsheets write where the comma is the decimal point.
        delimiter = ";"
    csv.field_size_limit(len(text) + 1)
    try:
        return table(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise DocumentBroken(f"The file is not CSV: {error}.") from error


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows as a Markdown table, the first as its head; rows without any text are left out."""
    cells = [[_cell(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if not cells:
        return ""
    width = max(len(row) for row in cells)
    head, *rest = [row + [""] * (width - len(row)) for row in cells]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * width, *rest))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_VOICE: Final = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]*)>")
_TAG: Final = re.compile(r"<[^>]*>")


def _vtt(text: str) -> str:
    """What is said, a line for each turn: `Speaker "text"`, or the text alone where nobody is named."""
    turns: list[tuple[str, list[str]]] = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\n").split("\n")
        at = next((index for index, line in enumerate(lines) if "-->" in line), None)
        if at is None:
            # The head, a note or a style.
            continue
        said = "\n".join(lines[at + 1 :])
        voice = _VOICE.search(said)
        speaker = voice.group(1).strip() if voice else ""
        words = html.unescape(_TAG.sub("", said)).strip()
        if turns and turns[-1][0] == speaker and speaker:
            turns[-1][1].append(words)
        else:
            turns.append((speaker, [words]))
    spoken = ((speaker, " ".join(filter(None, words))) for speaker, words in turns)
    return "\n".join(f'{speaker} "{words}"' if speaker else words for speaker, words in spoken)


_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL)
_SEPARATOR: Final = re.compile(r"(?<!\\)(?:\\\\)*[=:]")
_CONTROL: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def _properties(text: str) -> str:
    """`key: value` lines with their escapes resolved; comments and empty lines stay."""
    joined = re.sub(r"(?<!\\)((?:\\\\)*)\\\r?\n[ \t]*", r"\1", text)
    return "\n".join(_property(line.strip()) for line in joined.splitlines())


def _property(line: str) -> str:
    found = None if line.startswith(("#", "!")) else _SEPARATOR.search(line)
    if found is None:
        return line
    key, value = line[: found.end() - 1].strip(), line[found.end() :].strip()
    return f"{_unescaped(key)}: {_unescaped(value)}"


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _CONTROL.get(found[2], found[2])

    # A pair of escapes beyond the first 65,536 characters becomes one character.
    return _ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
