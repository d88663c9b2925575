"""The operators of conditions: how two values are compared.

Rules: the operator table of reference `workflow-dsl.md`, section 5.7.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from typing import Annotated

from pydantic import BeforeValidator

from tidemill.engine.errors import NodeFailed
from tidemill.engine.values import Value, is_number, kind_of


class Operator(str, Enum):
    """How two values are compared, in the spelling of today's files."""

    CONTAINS = "contains"
    NOT_CONTAINS = "not contains"
    START_WITH = "start with"
    END_WITH = "end with"
    IS = "is"
    IS_NOT = "is not"
    EMPTY = "empty"
    NOT_EMPTY = "not empty"
    IN = "in"
    NOT_IN = "not in"
    ALL_OF = "all of"
    EQUAL = "="
    NOT_EQUAL = "≠"
    GREATER = ">"
    LESS = "<"
    AT_LEAST = "≥"
    AT_MOST = "≤"
    NULL = "null"
    NOT_NULL = "not null"
    EXISTS = "exists"
    NOT_EXISTS = "not exists"


_SPELLINGS = {
    "is null": "null",
    "is not null": "not null",
    "is empty": "empty",
    "is not empty": "not empty",
    ">=": "≥",
    "<=": "≤",
    "!=": "≠",
    "==": "=",
}


def _operator(value: object) -> object:
    return _SPELLINGS.get(value, value) if isinstance(value, str) else value


OperatorField = Annotated[Operator, BeforeValidator(_operator)]


def compare(operator: Operator, actual: Value, expected: Value) -> bool:
    """Apply an operator to two values.

    Raises:
        NodeFailed: The operator does not take values of these types.
    """
    return _COMPARE[operator](actual, expected)


def _mismatch(sentence: str) -> NodeFailed:
    return NodeFailed(f"The condition cannot be evaluated: {sentence}.", error_type="ValueError", is_retryable=False)


def _unfit(operator: str, value: Value, wanted: str) -> NodeFailed:
    return _mismatch(f'"{operator}" takes {wanted}, not a value of type {kind_of(value).value}')


def _same(left: Value, right: Value) -> bool:
    return isinstance(left, bool) is isinstance(right, bool) and left == right


def _is_member(value: Value, items: Sequence[Value]) -> bool:
    return any(_same(value, item) for item in items)


def _contains(actual: Value, expected: Value) -> bool:
    if not actual:
        return False
    if isinstance(actual, str):
        return str(expected) in actual
    if isinstance(actual, list):
        return _is_member(expected, actual)
    raise _unfit("contains", actual, "a string or a list")


def _not_contains(actual: Value, expected: Value) -> bool:
    return not _contains(actual, expected)


def _texts(operator: str, actual: Value, expected: Value) -> tuple[str, str]:
    if not isinstance(actual, str):
        raise _unfit(operator, actual, "a string")
    if not isinstance(expected, str):
        raise _unfit(operator, expected, "a string to compare with")
    return actual, expected


def _starts(actual: Value, expected: Value) -> bool:
    if not actual:
        return False
    text, start = _texts("start with", actual, expected)
    return text.startswith(start)


def _ends(actual: Value, expected: Value) -> bool:
    if not actual:
        return False
    text, end = _texts("end with", actual, expected)
    return text.endswith(end)


def _is(actual: Value, expected: Value) -> bool:
    if actual is None:
        return False
    if not isinstance(actual, (str, bool)):
        raise _unfit("is", actual, "a string or a boolean")
    return _same(actual, expected)


def _is_not(actual: Value, expected: Value) -> bool:
    if actual is None:
        return False
    if not isinstance(actual, (str, bool)):
        raise _unfit("is not", actual, "a string or a boolean")
    return not _same(actual, expected)


def _equals(actual: Value, expected: Value) -> bool:
    if isinstance(actual, bool):
        return actual == bool(expected)
    if not is_number(actual):
        raise _unfit("=", actual, "a number or a boolean")
    return actual == (_integer(expected) if isinstance(actual, int) else _float(expected))


def _integer(value: Value) -> int:
    if isinstance(value, (str, int, float)):
        with suppress(ValueError, OverflowError):
            return int(value)
    raise _mismatch(f'"{value}" is not a whole number')


def _float(value: Value) -> float:
    if isinstance(value, (str, int, float)):
        with suppress(ValueError, OverflowError):
            return float(value)
    raise _mismatch(f'"{value}" is not a number')


def _ordered(symbol: str, holds: Callable[[float, float], bool]) -> Callable[[Value, Value], bool]:
    def test(actual: Value, expected: Value) -> bool:
        if actual is None:
            return False
        if not is_number(actual):
            raise _unfit(symbol, actual, "a number")
        return holds(actual, _float(expected))

    return test


def _in(actual: Value, expected: Value) -> bool:
    if not actual:
        return False
    if not isinstance(expected, list):
        raise _unfit("in", expected, "a list to look in")
    return _is_member(actual, expected)


def _not_in(actual: Value, expected: Value) -> bool:
    return not _in(actual, expected)


def _all_of(actual: Value, expected: Value) -> bool:
    if not actual:
        return False
    if not isinstance(expected, list) or len({type(item) for item in expected}) > 1:
        raise _unfit("all of", expected, "a list of values of one type to look for")
    if isinstance(actual, str):
        return all(str(item) in actual for item in expected)
    if isinstance(actual, list):
        return all(_is_member(item, actual) for item in expected)
    raise _unfit("all of", actual, "a string or a list")


_COMPARE: dict[Operator, Callable[[Value, Value], bool]] = {
    Operator.CONTAINS: _contains,
    Operator.NOT_CONTAINS: _not_contains,
    Operator.START_WITH: _starts,
    Operator.END_WITH: _ends,
    Operator.IS: _is,
    Operator.IS_NOT: _is_not,
    Operator.EMPTY: lambda actual, _: not actual,
    Operator.NOT_EMPTY: lambda actual, _: bool(actual),
    Operator.IN: _in,
    Operator.NOT_IN: _not_in,
    Operator.ALL_OF: _all_of,
    Operator.EQUAL: lambda actual, expected: actual is not None and _equals(actual, expected),
    Operator.NOT_EQUAL: lambda actual, expected: actual is not None and not _equals(actual, expected),
    Operator.GREATER: _ordered(">", lambda left, right: left > right),
    Operator.LESS: _ordered("<", lambda left, right: left < right),
    Operator.AT_LEAST: _ordered("≥", lambda left, right: left >= right),
    Operator.AT_MOST: _ordered("≤", lambda left, right: left <= right),
    Operator.NULL: lambda actual, _: actual is None,
    Operator.NOT_NULL: lambda actual, _: actual is not None,
    Operator.EXISTS: lambda actual, _: actual is not None,
    Operator.NOT_EXISTS: lambda actual, _: actual is None,
}


def as_boolean(value: Value) -> bool:
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, int):
        return bool(value)
    raise _mismatch(f'"{value}" is not a boolean; write true or false')
