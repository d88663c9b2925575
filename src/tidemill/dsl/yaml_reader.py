"""Safe YAML for untrusted files: built from the parser's events, without recursion and without tags.

The C composer overflows the stack on deeply nested input, so it is not used. Values are those of YAML 1.1
as PyYAML reads them, except that dates and special floats stay text and keys are always text: an app file
is JSON data.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any, Final, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tidemill.dsl.problems import DslInvalid

MAX_DEPTH: Final = 100
MAX_ALIAS_NODES: Final = 100_000

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INT = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)")
_SEXAGESIMAL = re.compile(r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?")
_TAG = "tag:yaml.org,2002:"
_MAX_DIGITS = 4000

Scalar: TypeAlias = str | int | float | bool | None
CLoader: Any = yaml.CSafeLoader


class _Frame:
    """A mapping or sequence that is being filled."""

    __slots__ = ("anchor", "has_alias", "items", "key", "line", "mapping", "merged", "size")

    def __init__(self, mapping: dict[str, Any] | None, line: int, anchor: str | None) -> None:
        self.mapping = mapping
        self.items: list[Any] = []
        self.key: str | None = None
        self.merged: list[Any] | None = None
        self.line = line
        self.anchor = anchor
        self.has_alias = False
        self.size = 1

    @property
    def wants_key(self) -> bool:
        return self.mapping is not None and self.key is None


class _Anchored:
    __slots__ = ("has_alias", "size", "value")

    def __init__(self, value: Any, size: int, has_alias: bool) -> None:
        self.value = value
        self.size = size
        self.has_alias = has_alias


def load(text: str) -> Any:
    """Read one YAML document as JSON data.

    Raises:
        DslInvalid: Not YAML, more than one document, a tag, nesting over 100 levels, or aliases inside
            aliases; the message names the line.
    """
    try:
        loader = CLoader(_without_surrogates(text))
        try:
            return _Builder(loader).build()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        where = f"Line {line}: this" if line else "This"
        raise DslInvalid(f"{where} is not valid YAML ({error.problem or error.context}).", line=line) from error
    except yaml.YAMLError as error:
        reason = str(getattr(error, "reason", "") or "it cannot be parsed")
        raise DslInvalid(f"The file is not valid YAML ({reason}).") from error


def _without_surrogates(text: str) -> str:
    """JSON text whose characters are escaped in halves, which YAML does not allow, with the characters themselves."""
    if not text.lstrip().startswith("{") or "\\ud" not in text.lower():
        return text
    try:
        whole = json.dumps(json.loads(text), ensure_ascii=False)
        whole.encode()
    except (ValueError, RecursionError):
        return text
    return whole


class _Builder:
    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._alias_nodes = 0
        self._root: Any = None
        self._documents = 0

    def build(self) -> Any:
        while True:
            event = self._loader.get_event()
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._open(event, is_mapping=kind is MappingStartEvent)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close()
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentStartEvent:
                self._documents += 1
                if self._documents > 1:
                    raise _at(event, "a second YAML document begins; an app file holds one")
            elif kind is StreamEndEvent:
                return self._root

    def _scalar(self, event: Any) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.wants_key:
            if event.value == "<<" and event.implicit[0]:
                frame.merged = frame.merged or []
                frame.key = "<<"
            else:
                frame.key = event.value
            return
        value = _resolve(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1, False)
        self._put(value, 1, False)

    def _open(self, event: Any, *, is_mapping: bool) -> None:
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            raise _at(event, f"the tag {_short(event.tag)} is not allowed in an app file")
        if len(self._stack) >= MAX_DEPTH:
            raise _at(event, f"the file is nested deeper than {MAX_DEPTH} levels")
        if self._stack and self._stack[-1].wants_key:
            raise _at(event, "a key must be text, not a list or a mapping")
        self._stack.append(_Frame({} if is_mapping else None, event.start_mark.line + 1, event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        value: Any = frame.items
        if frame.mapping is not None:
            value = frame.mapping
            if frame.merged:
                value = {key: item for source in reversed(frame.merged) for key, item in source.items()}
                value.update(frame.mapping)
        if frame.anchor:
            self._anchors[frame.anchor] = _Anchored(value, frame.size, frame.has_alias)
        self._put(value, frame.size, frame.has_alias)

    def _alias(self, event: Any) -> None:
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            raise _at(event, f"the alias *{event.anchor} refers to nothing before it")
        if anchored.has_alias:
            raise _at(event, f"the alias *{event.anchor} contains other aliases; write its content out")
        if self._stack and self._stack[-1].wants_key:
            raise _at(event, "a key must be text, not an alias")
        self._alias_nodes += anchored.size
        if self._alias_nodes > MAX_ALIAS_NODES:
            raise _at(event, f"the aliases of the file stand for more than {MAX_ALIAS_NODES} values")
        for frame in self._stack:
            frame.has_alias = True
        self._put(copy.deepcopy(anchored.value), anchored.size, True)

    def _put(self, value: Any, size: int, has_alias: bool) -> None:
        if not self._stack:
            self._root = value
            return
        frame = self._stack[-1]
        frame.size += size
        frame.has_alias = frame.has_alias or has_alias
        if frame.mapping is None:
            frame.items.append(value)
            return
        key = frame.key or ""
        frame.key = None
        if key == "<<" and frame.merged is not None:
            sources = value if isinstance(value, list) else [value]
            if not all(isinstance(source, dict) for source in sources):
                raise DslInvalid(f"Line {frame.line}: `<<` must be followed by mappings.", line=frame.line)
            frame.merged.extend(sources)
            return
        frame.mapping[key] = value


def _resolve(event: Any) -> Scalar:
    text: str = event.value
    tag: str | None = event.tag
    if tag is None or tag == "!":
        return _plain(text) if event.implicit[0] and tag is None else text
    if tag in (f"{_TAG}str", f"{_TAG}timestamp"):
        return text
    if tag in (f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}null"):
        return _plain(text)
    raise _at(event, f"the tag {_short(tag)} is not allowed in an app file")


def _plain(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-." or len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if number - number == 0 else text
    if _SEXAGESIMAL.fullmatch(text):
        total = 0
        for part in text.lstrip("+-").replace("_", "").split(":"):
            total = total * 60 + int(part)
        return -total if text.startswith("-") else total
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if digits.startswith("0b"):
        return sign * int(digits[2:], 2) if len(digits) > 2 else text
    if digits.startswith("0x"):
        return sign * int(digits[2:], 16) if len(digits) > 2 else text
    if digits.startswith("0") and len(digits) > 1:
        return sign * int(digits, 8)
    return sign * int(digits)


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag


def _at(event: Any, fault: str) -> DslInvalid:
    line = event.start_mark.line + 1
    return DslInvalid(f"Line {line}: {fault}.", line=line)
