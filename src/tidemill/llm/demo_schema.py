"""Values that are valid against a JSON schema, made from the words at hand; for the demo model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Text = Callable[[str, str], str]
"""(name of the field, its description) -> the text to put there."""
Choice = Callable[[Sequence[str]], str]
"""Picks the one of several words that fits the conversation best."""

MAX_DEPTH: Final = 12
_FORMATS: Final = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "demo@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
}


class Filler:
    """Builds one value. `number` is a number of the conversation, used where the schema lets it."""

    def __init__(self, root: Mapping[str, Any], *, text: Text, choice: Choice, number: float | None = None) -> None:
        self._definitions: dict[str, Any] = {**root.get("definitions", {}), **root.get("$defs", {})}
        self._text = text
        self._choice = choice
        self._number = number

    def value(self, schema: Any, *, name: str = "", depth: int = 0) -> Any:
        """A value for `schema`; `name` is the field it stands in."""
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return self._text(name, "")
        if "$ref" in schema:
            target = self._definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
            return self.value(target, name=name, depth=depth + 1)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._one_of(schema["enum"])
        for keyword in ("anyOf", "oneOf", "allOf"):
            if schema.get(keyword):
                return self.value(schema[keyword][0], name=name, depth=depth + 1)
        return self._typed(_kind(schema), schema, name, depth)

    def _typed(self, kind: str, schema: dict[str, Any], name: str, depth: int) -> Any:
        match kind:
            case "object":
                properties: dict[str, Any] = schema.get("properties") or {}
                return {key: self.value(child, name=key, depth=depth + 1) for key, child in properties.items()}
            case "array":
                count = max(1, schema.get("minItems", 1))
                return [self.value(schema.get("items", {}), name=name, depth=depth + 1) for _ in range(count)]
            case "integer" | "number":
                return _number(schema, self._number, is_whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._string(schema, name)

    def _one_of(self, options: list[Any]) -> Any:
        words = [option for option in options if isinstance(option, str)]
        return self._choice(words) if words else options[0]

    def _string(self, schema: dict[str, Any], name: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = self._text(name, str(schema.get("description", "")))
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and not re.search(pattern, text):
            return next((guess for guess in ("a", "A", "1", "2026-01-31", "demo") if re.search(pattern, guess)), text)
        text = text[: schema.get("maxLength", len(text))]
        return text.ljust(schema.get("minLength", 0), ".")


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _number(schema: dict[str, Any], wish: float | None, *, is_whole: bool) -> float | int:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value = wish if wish is not None else (low if low is not None else 1)
    if low is not None and value <= low:
        value = low + (0 if "minimum" in schema else 1 if is_whole else 0.5)
    if high is not None and value >= high:
        value = high - (0 if "maximum" in schema else 1 if is_whole else 0.5)
    step = schema.get("multipleOf")
    if step:
        value = -(-value // step) * step
    return round(value) if is_whole else float(value)
