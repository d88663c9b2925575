"""What a code node's result must be: declared types, limits, and the messages when it is not.

Rules: reference `workflow-dsl.md`, sections 3.7 and 5.8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Protocol

from tidemill.engine.errors import NodeFailed
from tidemill.ports import CodeLimits

# JavaScript has no way to say 1e+20 as an integer, and programs pass such numbers on as text.
_EXPONENT: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class DeclaredOutput(Protocol):
    """The declaration of one output; `children` are an object's fields."""

    @property
    def type(self) -> str: ...

    @property
    def children(self) -> Mapping[str, DeclaredOutput] | None: ...


class OutputInvalid(NodeFailed):
    """The result is not what the node declares."""

    def __init__(self, message: str) -> None:
        super().__init__(message, error_type="OutputValidationError")


class TooDeep(NodeFailed):
    """The result is nested deeper than it may be."""

    def __init__(self, depth: int) -> None:
        super().__init__(f"Depth limit {depth} reached, object too deep.", error_type="DepthLimitError")


def checked(
    result: Mapping[str, Any], declared: Mapping[str, DeclaredOutput] | None, limits: CodeLimits
) -> dict[str, Any]:
    """The outputs of a node, cleaned and converted to their declared types.

    Raises:
        NodeFailed: `OutputValidationError`, `DepthLimitError`, or `CodeNodeError` for outputs nobody declared.
    """
    if not declared:
        return _structure(result, "", 1, limits)
    found = _fields(result, declared, "", 1, limits)
    if extra := [name for name in result if name not in declared]:
        raise NodeFailed(
            f"Not all output parameters are validated. The code returns {', '.join(map(repr, extra))}, "
            "which the node does not declare.",
            error_type="CodeNodeError",
        )
    return found


def _fields(
    result: Mapping[str, Any], declared: Mapping[str, DeclaredOutput], prefix: str, depth: int, limits: CodeLimits
) -> dict[str, Any]:
    if depth > limits.depth:
        raise TooDeep(limits.depth)
    found: dict[str, Any] = {}
    for name, output in declared.items():
        place = f"{prefix}{name}"
        if name not in result:
            raise OutputInvalid(f"Output {place} is missing.")
        found[name] = _value(result[name], output, place, depth, limits)
    return found


def _value(value: Any, output: DeclaredOutput, place: str, depth: int, limits: CodeLimits) -> Any:
    if value is None:
        return None
    if output.type in ("object", "file"):
        return _object(value, output, place, depth, limits)
    if output.type in _SCALARS:
        return _SCALARS[output.type](value, place, limits)
    if output.type in _ARRAYS:
        return _array(value, output.type, place, depth, limits)
    return _loose(value, place, depth, limits)


def _object(value: Any, output: DeclaredOutput, place: str, depth: int, limits: CodeLimits) -> Any:
    if not isinstance(value, dict):
        raise OutputInvalid(f"Output {place} is not an object, got {_kind(value)} instead.")
    if not output.children:
        return _structure(value, f"{place}.", depth + 1, limits)
    # What a nested object holds beside its declared fields stays, checked by its structure.
    extra = {name: item for name, item in value.items() if name not in output.children}
    fields = _fields(value, output.children, f"{place}.", depth + 1, limits)
    fields.update(_structure(extra, f"{place}.", depth + 1, limits))
    return {name: fields[name] for name in value if name in fields}


def _text(value: Any, place: str, limits: CodeLimits) -> str:
    if not isinstance(value, str):
        raise OutputInvalid(f"Output {place} must be a string, got {_kind(value)} instead.")
    if len(value) > limits.string_chars:
        raise OutputInvalid(
            f"The length of output variable `{place}` must be less than {limits.string_chars} characters; "
            f"it has {len(value)}."
        )
    # Neither has a place in UTF-8 or in a database's text.
    return _SURROGATE.sub("\ufffd", value.replace("\0", ""))


def _number(value: Any, place: str, limits: CodeLimits) -> int | float:
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        value = float(value)
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, (int, float)):
        raise OutputInvalid(f"Output {place} must be a number, got {_kind(value)} instead.")
    if not math.isfinite(value) or not limits.least_number <= value <= limits.largest_number:
        raise OutputInvalid(
            f"Output variable `{place}` is out of range, it must be between {limits.least_number} "
            f"and {limits.largest_number}."
        )
    if isinstance(value, float) and _decimals(value) > limits.precision_digits:
        raise OutputInvalid(
            f"Output variable `{place}` has too high precision, it must be less than {limits.precision_digits} digits."
        )
    return value


def _decimals(value: float) -> int:
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _flag(value: Any, place: str, limits: CodeLimits) -> bool:
    del limits
    if not isinstance(value, bool):
        raise OutputInvalid(f"Output {place} must be a boolean, got {_kind(value)} instead.")
    return value


def _record(value: Any, place: str, depth: int, limits: CodeLimits) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OutputInvalid(f"Output {place} is not an object, got {_kind(value)} instead.")
    return _structure(value, f"{place}.", depth + 1, limits)


_Check = Callable[[Any, str, CodeLimits], Any]
_SCALARS: Final[Mapping[str, _Check]] = {
    "string": _text,
    "number": _number,
    "integer": _number,
    "float": _number,
    "boolean": _flag,
}
# The check of one item, None for objects; and the limit of the length.
_ARRAYS: Final[Mapping[str, tuple[_Check | None, Callable[[CodeLimits], int]]]] = {
    "array[string]": (_text, lambda limits: limits.string_items),
    "array[number]": (_number, lambda limits: limits.number_items),
    "array[boolean]": (_flag, lambda limits: limits.number_items),
    "array[object]": (None, lambda limits: limits.object_items),
    "array[file]": (None, lambda limits: limits.object_items),
}


def _array(value: Any, kind: str, place: str, depth: int, limits: CodeLimits) -> list[Any]:
    if not isinstance(value, list):
        raise OutputInvalid(f"Output {place} is not an array, got {_kind(value)} instead.")
    check, most = _ARRAYS[kind]
    if len(value) > most(limits):
        raise OutputInvalid(
            f"The length of output variable `{place}` must be less than {most(limits)} elements; it has {len(value)}."
        )
    items: list[Any] = []
    for index, item in enumerate(value):
        name = f"{place}[{index}]"
        if item is None:
            items.append(None)
        else:
            items.append(_record(item, name, depth, limits) if check is None else check(item, name, limits))
    return items


# ---------------------------------------------------------------- what nobody declared


def _structure(result: Mapping[str, Any], prefix: str, depth: int, limits: CodeLimits) -> dict[str, Any]:
    """An object of undeclared fields: depth, texts, numbers, and lists of one kind."""
    if depth > limits.depth:
        raise TooDeep(limits.depth)
    return {str(name): _loose(value, f"{prefix}{name}", depth, limits) for name, value in result.items()}


def _loose(value: Any, place: str, depth: int, limits: CodeLimits) -> Any:
    if isinstance(value, dict):
        return _structure(value, f"{place}.", depth + 1, limits)
    if isinstance(value, list):
        return _loose_list(value, place, depth, limits)
    if isinstance(value, str):
        return _text(value, place, limits)
    if value is None or isinstance(value, bool):
        return value
    return _number(value, place, limits)


def _loose_list(value: list[Any], place: str, depth: int, limits: CodeLimits) -> list[Any]:
    if depth > limits.depth:
        raise TooDeep(limits.depth)
    kinds = {_family(item) for item in value if item is not None}
    if len(kinds) > 1:
        raise OutputInvalid(
            f"Output {place} is not a valid array. Make sure all elements are of the same type: it has "
            f"{' and '.join(sorted(kinds))}."
        )
    return [_loose(item, f"{place}[{index}]", depth + 1, limits) for index, item in enumerate(value)]


def _family(value: Any) -> str:
    return "numbers" if isinstance(value, (bool, int, float)) else f"{_kind(value)}s"


def _kind(value: Any) -> str:
    """The type as people and reports name it."""
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null" if value is None else type(value).__name__)
