"""The canonical text of a document: block style, keys in their order, unicode kept, long texts readable.

The same data always gives the same text, and reading the text gives the same data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

# Letters (of any script), digits and a few signs may begin a plain scalar; inside, ": " and " #" end it.
_PLAIN = re.compile(r"[\w/$(.+~^\u4e00-\u9fff-][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]*")
_NOT_PLAIN = re.compile(r": |:$| #|\t|\s$|^(?:[-?:] |-$|---|\.\.\.)")
# What a YAML 1.1 or 1.2 reader could take for something other than text.
_AMBIGUOUS = re.compile(
    r"(?i:true|false|yes|no|on|off|y|n|null|~|none|nan|inf)"
    r"|[-+.]*(?i:inf|nan)"
    r"|[-+.]?[0-9][0-9a-fA-FxXoObB_.:eE+\-tTzZ ]*"
    r"|=|<<"
)
_UNPRINTABLE = re.compile(r"[^\n\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\x00": "\\0"}
_STEP: Final = 2
_MAX_SIMPLE_KEY: Final = 250  # Readers give up on a key without "?" after 1024 bytes.


def dump(document: Mapping[str, Any]) -> str:
    """Write JSON data as canonical YAML, ending in one newline."""
    if not document:
        return "{}\n"
    lines: list[str] = []
    _mapping(document, 0, lines, "")
    return "\n".join(lines) + "\n"


def _mapping(data: Mapping[str, Any], column: int, lines: list[str], first: str) -> None:
    """Append a non-empty mapping whose keys stand at `column`; `first` replaces the first line's indent."""
    indent = " " * column
    start = first or indent
    for key, value in data.items():
        name = _text(key)
        if len(name) > _MAX_SIMPLE_KEY:
            lines.append(f"{start}? {name}")
            _entry(f"{indent}:", value, column, lines)
        else:
            _entry(f"{start}{name}:", value, column, lines)
        start = indent


def _sequence(data: Sequence[Any], column: int, lines: list[str], first: str) -> None:
    indent = " " * column
    start = first or indent
    for value in data:
        if isinstance(value, Mapping) and value:
            _mapping(value, column + _STEP, lines, f"{start}- ")
        elif isinstance(value, (list, tuple)) and value:
            _sequence(value, column + _STEP, lines, f"{start}- ")
        else:
            _entry(f"{start}-", value, column, lines)
        start = indent


def _entry(head: str, value: Any, column: int, lines: list[str]) -> None:
    if isinstance(value, Mapping):
        if not value:
            lines.append(f"{head} {{}}")
            return
        lines.append(head)
        _mapping(value, column + _STEP, lines, "")
    elif isinstance(value, (list, tuple)):
        if not value:
            lines.append(f"{head} []")
            return
        lines.append(head)
        _sequence(value, column, lines, "")  # Dashes stand under their key, as in the files people share.
    elif isinstance(value, str) and "\n" in value and _is_literal(value):
        _literal(head, value, column + _STEP, lines)
    else:
        lines.append(f"{head} {_scalar(value)}")


def _is_literal(text: str) -> bool:
    """Whether a block shows `text` exactly: printable, and more than blank lines."""
    return bool(text.strip("\n \t")) and _UNPRINTABLE.search(text) is None


def _literal(head: str, text: str, column: int, lines: list[str]) -> None:
    body = text.rstrip("\n")
    trailing = len(text) - len(body)
    chomp = "-" if trailing == 0 else "" if trailing == 1 else "+"
    # The reader finds the indent from the first line; when that begins with a space or is empty it is told.
    hint = str(_STEP) if text[0] in " \n\t" else ""
    lines.append(f"{head} |{hint}{chomp}")
    indent = " " * column
    lines.extend(indent + line if line else "" for line in body.split("\n"))
    lines.extend("" for _ in range(trailing - 1))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return _float(value)
    return str(value)


def _float(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 knows no exponent without a dot: 1e+20 would be read as text.
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text


def _text(text: str) -> str:
    if not text:
        return "''"
    if _UNPRINTABLE.search(text) or "\n" in text or "\t" in text:
        return '"' + "".join(_escaped(char) for char in text) + '"'
    if _PLAIN.fullmatch(text) and not _NOT_PLAIN.search(text) and not _AMBIGUOUS.fullmatch(text):
        return text
    return "'" + text.replace("'", "''") + "'"


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        return "\\uFFFD"  # Half of a pair: no text at all.
    if not _UNPRINTABLE.match(char):
        return char
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
