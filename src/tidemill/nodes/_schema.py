"""JSON schemas and JSON written by models and people: validated without a network, repaired within bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import json_repair
import jsonschema_rs

# The repair is quadratic on hostile input; a longer text must be JSON as it is.
MAX_REPAIR_CHARS = 60_000
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
_MARKS = re.compile(r'\\.|[{}"]', re.DOTALL)


class SchemaInvalid(Exception):
    """The schema itself cannot be used. One sentence."""


class SchemaViolated(Exception):
    """A value does not have the schema's shape. One sentence naming the place."""


class JsonUnreadable(Exception):
    """A text is not JSON, even after repair."""


def _deny(uri: str) -> Any:
    raise ValueError(f"the schema refers to {uri}, and remote schemas are not fetched")


def check(schema: Any, value: Any) -> None:
    """Check a value against a JSON schema (Draft 7); remote references are never fetched.

    Raises:
        SchemaInvalid: The schema is wrong or refers to another document.
        SchemaViolated: The value does not match.
    """
    try:
        validator = jsonschema_rs.Draft7Validator(schema, retriever=_deny)
    except (ValueError, TypeError) as error:
        raise SchemaInvalid(f"The JSON schema cannot be used: {first_line(error)}.") from error
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        place = ".".join(str(part) for part in error.instance_path)
        where = f" at {place}" if place else ""
        raise SchemaViolated(f"The value does not match the JSON schema{where}: {error.message}.") from error


def first_line(error: Exception) -> str:
    """The first line of an error's text, without its full stop."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__


def read_json(text: str) -> Any:
    """Read JSON, repairing what models and hand-written bodies usually get wrong.

    Raises:
        JsonUnreadable: It holds no JSON, or is too long or too deep to repair.
    """
    try:
        return json.loads(text, strict=False)
    except RecursionError as error:
        raise JsonUnreadable("The JSON is nested too deeply.") from error
    except ValueError as error:
        if len(text) > MAX_REPAIR_CHARS:
            raise JsonUnreadable(f"The text is not JSON: {error}.") from error
        return _repair(text, error)


def _repair(text: str, fault: ValueError) -> Any:
    try:
        repaired = json_repair.loads(text, skip_json_loads=True)
    except (RecursionError, ValueError) as error:
        raise JsonUnreadable(f"The text is not JSON and could not be repaired: {first_line(error)}.") from error
    # The repair answers an empty string for text that holds nothing like JSON.
    if repaired == "":
        raise JsonUnreadable(f"The text is not JSON: {fault}.")
    return repaired


def find_object(text: str) -> dict[str, Any] | None:
    """The JSON object in a model's answer: in a fence, bare, or amid prose; repaired where it is malformed.

    None when there is none. Of a list, its first object.
    """
    for candidate in _candidates(text):
        try:
            value = read_json(candidate)
        except JsonUnreadable:
            continue
        if isinstance(value, list):
            value = next((item for item in value if isinstance(item, dict)), None)
        if isinstance(value, dict):
            return value
    return None


def _candidates(text: str) -> Iterator[str]:
    """Where an object may be, the likeliest place first."""
    yield from (found.strip() for found in _FENCE.findall(text))
    start = text.find("{")
    if start < 0:
        return
    if end := _end_of_object(text, start):
        yield text[start:end]
    yield text[start:]


def _end_of_object(text: str, start: int) -> int | None:
    """Where the object that opens at `start` closes; None when it never does."""
    depth = 0
    is_string = False
    for found in _MARKS.finditer(text, start):
        mark = found.group()
        if mark == '"':
            is_string = not is_string
        elif is_string or mark[0] == "\\":
            continue
        elif mark == "{":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return found.end()
    return None
