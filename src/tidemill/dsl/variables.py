"""Environment and conversation variables of a file."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from tidemill.dsl.app_file import AppFile
from tidemill.dsl.problems import DslInvalid
from tidemill.engine.errors import ValueMismatch
from tidemill.engine.values import Value, ValueType, coerce

MAX_BYTES: Final = 204_800
_ENVIRONMENT_TYPES: Final = frozenset({ValueType.STRING, ValueType.NUMBER, ValueType.SECRET})
# Nobody writes ids into these files by hand, so a missing one is made from the name: stable across reads.
_NAMESPACE: Final = uuid.UUID("6f0d4c8e-4f2a-5b0e-9a53-2f6f2d1f7c11")


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable with its declared type and its value in the file; a secret's value may be blank."""

    id: str
    name: str
    type: ValueType
    value: Value
    description: str = ""


class Variables(msgspec.Struct, frozen=True):
    environment: tuple[Variable, ...] = ()
    conversation: tuple[Variable, ...] = ()


def read_variables(app: AppFile) -> Variables:
    """Read both lists.

    Raises:
        DslInvalid: An entry without name or value, with a type it cannot have, a value that is not of its
            type, or one of more than 204 800 bytes.
    """
    return Variables(_read(app, "environment"), _read(app, "conversation"))


def _read(app: AppFile, kind: Literal["environment", "conversation"]) -> tuple[Variable, ...]:
    section = f"{kind}_variables"
    entries = app.workflow.get(section) or []
    if not isinstance(entries, list):
        raise DslInvalid(f"`workflow.{section}` must be a list.")
    found = [_variable(entry, index, kind) for index, entry in enumerate(entries, 1)]
    return tuple({variable.name: variable for variable in found}.values())


def _variable(entry: Any, index: int, kind: Literal["environment", "conversation"]) -> Variable:
    where = f"`workflow.{kind}_variables`, entry {index}"
    if not isinstance(entry, Mapping):
        raise DslInvalid(f"{where}: it must be a mapping.")
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise DslInvalid(f"{where}: it has no `name`.")
    if entry.get("value") is None:
        raise DslInvalid(f'{where}: the variable "{name}" has no `value`; write one, an empty text for example.')
    declared = _type(entry, f'{where} ("{name}")', kind)
    value = _value(entry["value"], declared, f'{where} ("{name}")')
    if len(json.dumps(value, ensure_ascii=False).encode(errors="replace")) > MAX_BYTES:
        raise DslInvalid(f'{where}: the value of "{name}" has more than {MAX_BYTES} bytes.')
    return Variable(
        id=str(entry.get("id") or uuid.uuid5(_NAMESPACE, f"{kind}/{name}")),
        name=name,
        type=declared,
        value=value,
        description=str(entry.get("description") or ""),
    )


def _type(entry: Mapping[str, Any], where: str, kind: Literal["environment", "conversation"]) -> ValueType:
    written = entry.get("value_type") or "string"
    try:
        declared = ValueType(str(written).lower())
    except ValueError:
        raise DslInvalid(f'{where}: `value_type` is "{written}", which is no type of a variable.') from None
    is_allowed = declared in _ENVIRONMENT_TYPES or declared.is_number
    if kind == "conversation":
        is_allowed = declared not in (ValueType.SECRET, ValueType.NONE, ValueType.GROUP)
    if not is_allowed:
        raise DslInvalid(f"{where}: a variable of the {kind} cannot be of type {declared.value}.")
    return declared


def _value(value: Any, declared: ValueType, where: str) -> Value:
    if declared.is_number and isinstance(value, str):
        return _number(value, where)
    if declared in (ValueType.STRING, ValueType.SECRET) and isinstance(value, (int, float)):
        return str(value)  # An unquoted number in a text variable.
    try:
        return coerce(value, declared)
    except ValueMismatch as error:
        raise DslInvalid(f"{where}: {error}") from error


def _number(text: str, where: str) -> int | float:
    stripped = text.strip()
    if not stripped:
        return 0
    try:
        return float(stripped) if any(sign in stripped for sign in ".eE") else int(stripped)
    except ValueError:
        raise DslInvalid(f'{where}: "{text}" is not a number.') from None
