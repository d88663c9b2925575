"""Conditions over variables: what if-else, loop and list-operator compare, and how.

Rules: reference `workflow-dsl.md`, section 5.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from pydantic import AliasChoices, Field, JsonValue

from tidemill.engine.errors import NodeFailed, VariableNotFound
from tidemill.engine.values import File, Missing, Selector, Value, ValueType, as_file, kind_of
from tidemill.nodes._compare import Operator, OperatorField, as_boolean, compare
from tidemill.nodes._shapes import SelectorField, Shape

Logic = Literal["and", "or"]


class SubCondition(Shape):
    """A condition on one attribute of a file."""

    key: str = ""
    comparison_operator: OperatorField
    value: JsonValue = None


class SubConditions(Shape):
    logical_operator: Logic = "and"
    conditions: tuple[SubCondition, ...] = ()


class Condition(Shape):
    """One comparison of a variable with an expected value, which may be a template."""

    variable_selector: SelectorField = ()
    comparison_operator: OperatorField
    value: JsonValue = None
    sub_variable_condition: SubConditions | None = Field(
        default=None, validation_alias=AliasChoices("sub_variable_condition", "subVariableCondition")
    )


class Lookup(Protocol):
    """What a condition needs of a running node; `engine.node.Context` has it."""

    def find(self, selector: Sequence[str]) -> Value | Missing: ...

    def render(self, template: str) -> str: ...


class Finding:
    """The outcome of one condition, for the trace."""

    __slots__ = ("actual", "expected", "holds", "operator")

    def __init__(self, operator: Operator, actual: Value, expected: Value, holds: bool) -> None:
        self.operator = operator
        self.actual = actual
        self.expected = expected
        self.holds = holds

    def to_wire(self) -> dict[str, Any]:
        return {
            "actual_value": self.actual,
            "expected_value": self.expected,
            "comparison_operator": self.operator.value,
        }


def evaluate(conditions: Sequence[Condition], logic: Logic, lookup: Lookup) -> tuple[bool, list[Finding]]:
    """Whether the conditions hold together; stops at the first that decides.

    Without conditions `and` holds and `or` does not.

    Raises:
        VariableNotFound: A condition's variable does not exist.
        NodeFailed: The values cannot be compared this way.
    """
    is_any = logic == "or"
    findings: list[Finding] = []
    for condition in conditions:
        finding = _judge(condition, lookup)
        findings.append(finding)
        if finding.holds is is_any:
            return is_any, findings
    return not is_any, findings


_OF_FILES = frozenset({Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.ALL_OF})


def _judge(condition: Condition, lookup: Lookup) -> Finding:
    operator = condition.comparison_operator
    actual = lookup.find(condition.variable_selector)
    if isinstance(actual, Missing):
        raise VariableNotFound(condition.variable_selector)
    if operator in _OF_FILES and isinstance(actual, list) and _holds_files(actual, condition):
        holds = _judge_files([as_file(item) for item in actual], condition, lookup)
        return Finding(operator, actual, None, holds)
    if operator is Operator.EXISTS or operator is Operator.NOT_EXISTS:
        return Finding(operator, actual, None, (actual is not None) is (operator is Operator.EXISTS))
    expected = _expected(condition.value, operator, actual, lookup)
    return Finding(operator, actual, expected, compare(operator, actual, expected))


def _holds_files(items: list[Any], condition: Condition) -> bool:
    return kind_of(items) is ValueType.ARRAY_FILE or (not items and condition.sub_variable_condition is not None)


def _judge_files(files: Sequence[File | None], condition: Condition, lookup: Lookup) -> bool:
    subs = condition.sub_variable_condition
    if subs is None:
        raise NodeFailed(
            f'"{condition.comparison_operator.value}" on a list of files needs a condition on their attributes.',
            error_type="ValueError",
            is_retryable=False,
        )
    results = (matches_files(sub, [file for file in files if file], lookup) for sub in subs.conditions)
    return all(results) if subs.logical_operator == "and" else any(results)


def matches_files(sub: SubCondition, files: Sequence[File], lookup: Lookup) -> bool:
    """Whether files satisfy a condition on an attribute: all of them for a "not" operator, else any."""
    expected: Value = lookup.render(sub.value) if isinstance(sub.value, str) else sub.value
    results = (compare_attribute(file, sub.key, sub.comparison_operator, expected) for file in files)
    return all(results) if "not" in sub.comparison_operator.value else any(results)


def compare_attribute(file: File, key: str, operator: Operator, expected: Value) -> bool:
    """Compare one attribute of a file; extensions are compared with their leading dot."""
    actual = file.attribute(key)
    if isinstance(actual, Missing):
        raise NodeFailed(f'Files have no attribute "{key}".', error_type="ValueError", is_retryable=False)
    if operator is Operator.EXISTS or operator is Operator.NOT_EXISTS:
        return (actual is not None) is (operator is Operator.EXISTS)
    if key == "extension":
        actual = _dotted(actual)
        expected = [_dotted(item) for item in expected] if isinstance(expected, list) else _dotted(expected)
    return compare(operator, actual, expected)


def _dotted(value: Value) -> Value:
    return f".{value}" if isinstance(value, str) and value and not value.startswith(".") else value


_NO_EXPECTATION = frozenset({Operator.EMPTY, Operator.NOT_EMPTY, Operator.NULL, Operator.NOT_NULL})


def _expected(value: Value, operator: Operator, actual: Value, lookup: Lookup) -> Value:
    if operator in _NO_EXPECTATION:
        return None
    if isinstance(value, str):
        value = lookup.render(value)
    if value is not None and kind_of(actual) in (ValueType.BOOLEAN, ValueType.ARRAY_BOOLEAN):
        return [as_boolean(item) for item in value] if isinstance(value, list) else as_boolean(value)
    return value


def selectors(conditions: Sequence[Condition]) -> tuple[Selector, ...]:
    """The variables that conditions look at."""
    return tuple(condition.variable_selector for condition in conditions if condition.variable_selector)
