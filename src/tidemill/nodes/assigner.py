"""Write conversation and loop variables: all of the node's changes, or none."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Sequence
from typing import Any, Literal

from tidemill.engine.errors import NodeFailed, ValueMismatch, VariableNotFound
from tidemill.engine.node import REGISTRY, Context, Node
from tidemill.engine.values import (
    Missing,
    Selector,
    Value,
    ValueType,
    VariablePool,
    coerce,
    fits,
    is_number,
    zero_of,
)
from tidemill.nodes._shapes import SelectorField, Settings, Shape

Operation = Literal[
    "over-write", "set", "clear", "append", "extend", "+=", "-=", "*=", "/=", "remove-first", "remove-last"
]

_READ_ONLY = frozenset({"sys", "env", "rag"})
_NEEDS_NO_VALUE = frozenset({"clear", "remove-first", "remove-last"})
_ARITHMETIC = {"+=": operator.add, "-=": operator.sub, "*=": operator.mul, "/=": operator.truediv}
_ON_ARRAYS = frozenset({"append", "extend", "remove-first", "remove-last"})
_SCALARS = frozenset({ValueType.STRING, ValueType.SECRET, ValueType.BOOLEAN, ValueType.OBJECT})


class Item(Shape):
    """One change. `value` is a selector when `input_type` is "variable"."""

    variable_selector: SelectorField = ()
    input_type: Literal["variable", "constant"] = "variable"
    operation: Operation
    value: Any = None


class Config(Settings):
    items: tuple[Item, ...] | None = None
    # The form of 2024, used when there are no items.
    assigned_variable_selector: SelectorField = ()
    write_mode: Literal["over-write", "append", "clear"] = "over-write"
    input_variable_selector: SelectorField = ()

    def changes(self) -> tuple[Item, ...]:
        """The changes in today's form."""
        if self.items is not None:
            return self.items
        if not self.assigned_variable_selector:
            return ()
        return (
            Item(
                variable_selector=self.assigned_variable_selector,
                operation=self.write_mode,
                value=list(self.input_variable_selector),
            ),
        )


class Assigner(Node[Config, dict[str, Value]]):
    type = "assigner"
    title = "Variable Assigner"
    is_inline = True

    def __init__(self, node_id: str, config: Config, *, title: str = "") -> None:
        super().__init__(node_id, config, title=title)
        self._changes = config.changes()
        # Version 1 writes nulls; version 2 skips them.
        self._skips_none = config.items is not None

    async def run(self, ctx: Context) -> dict[str, Value]:
        draft = _Draft(ctx)
        for item in self._changes:
            self._apply(item, draft)
        for selector, value in draft.written.items():
            ctx.assign(selector, value)
        updated = [
            {"name": selector[-1], "selector": list(selector), "new_value": value}
            for selector, value in draft.written.items()
        ]
        ctx.record(inputs=draft.read, process={"updated_variables": updated})
        return {}

    def _apply(self, item: Item, draft: _Draft) -> None:
        target = item.variable_selector
        if target[:1] and target[0] in _READ_ONLY:
            raise _refused(f"The variable {'.'.join(target)} is read-only; choose a conversation or loop variable.")
        current = draft.value(target)
        kind = draft.type_of(target)
        _check_operation(item, kind)
        if item.operation == "clear":
            draft.write(target, zero_of(kind))
            return
        if item.operation in _NEEDS_NO_VALUE:
            items: list[Any] = list(current) if isinstance(current, list) else []
            draft.write(target, items[1:] if item.operation == "remove-first" else items[:-1])
            return
        given = self._given(item, draft)
        if given is None and item.input_type == "variable" and self._skips_none:
            return
        draft.write(target, _combine(item, kind, current, given))

    def _given(self, item: Item, draft: _Draft) -> Value:
        if item.input_type == "constant":
            return item.value
        if not isinstance(item.value, (list, tuple)):
            raise _refused(f'Invalid input value "{item.value}": choose the variable to take the value from.')
        selector = tuple(str(part) for part in item.value)
        value = draft.value(selector)
        draft.read[".".join(selector)] = value
        return value

    def reads(self) -> tuple[Selector, ...]:
        return tuple(
            tuple(str(part) for part in item.value)
            for item in self._changes
            if item.input_type == "variable" and item.operation not in _NEEDS_NO_VALUE and isinstance(item.value, list)
        )

    def writes(self) -> tuple[Selector, ...]:
        return tuple(item.variable_selector for item in self._changes if item.variable_selector)


# The version in a file does not matter: the presence of `items` decides.
REGISTRY["assigner", "2"] = Assigner


class _Draft:
    """The variables as they will be when every change succeeds."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._pool = VariablePool()
        self.written: dict[Selector, Value] = {}
        self.read: dict[str, Value] = {}

    def value(self, selector: Sequence[str]) -> Value:
        is_written = tuple(selector[:2]) in self.written
        value = self._pool.find(selector) if is_written else self._ctx.find(selector)
        if isinstance(value, Missing):
            raise VariableNotFound(tuple(selector))
        return value

    def type_of(self, selector: Selector) -> ValueType:
        kind = self._ctx.pool.type_of(selector)
        return ValueType.ANY if kind is ValueType.NONE else kind

    def write(self, selector: Selector, value: Value) -> None:
        self.written[selector] = value
        self._pool.set(selector, value)


def _refused(sentence: str) -> NodeFailed:
    return NodeFailed(sentence, error_type="VariableOperatorNodeError", is_retryable=False)


def _check_operation(item: Item, kind: ValueType) -> None:
    operation = item.operation
    is_supported = True
    if operation in _ARITHMETIC:
        is_supported = kind.is_number
    elif operation in _ON_ARRAYS:
        is_supported = kind.is_array
    elif operation == "set":
        is_supported = kind.is_number or kind in _SCALARS
    if kind is ValueType.ANY:
        is_supported = True
    if not is_supported:
        raise _refused(f"Operation {operation} is not supported for type {kind.value}.")
    if operation in _NEEDS_NO_VALUE:
        return
    takes_constant = operation in ("set", *_ARITHMETIC) or (
        operation == "over-write" and (kind.is_number or kind in _SCALARS or kind is ValueType.ANY)
    )
    takes_variable = operation != "set"
    if not (takes_constant if item.input_type == "constant" else takes_variable):
        raise _refused(f"Input type {item.input_type} is not supported for operation {operation} on type {kind.value}.")


def _combine(item: Item, kind: ValueType, current: Value, given: Value) -> Value:
    match item.operation:
        case "append":
            return [*_list(current), _element(given, kind)]
        case "extend":
            if not isinstance(given, list):
                raise _invalid(given, kind)
            return _checked([*_list(current), *given], kind)
        case "+=" | "-=" | "*=" | "/=":
            return _calculate(item.operation, current, given)
        case _:
            return _replacement(item, kind, given)


def _list(value: Value) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _invalid(value: Value, kind: ValueType) -> NodeFailed:
    shown = value if isinstance(value, (str, int, float, bool)) else type(value).__name__
    return _refused(f'Invalid input value "{shown}" for a variable of type {kind.value}.')


def _element(value: Value, kind: ValueType) -> Value:
    element = kind.element
    if element is ValueType.NUMBER and isinstance(value, bool):
        return int(value)
    if element is ValueType.ANY:
        is_fit = isinstance(value, (str, int, float, dict)) or kind is ValueType.ANY
    else:
        is_fit = fits(value, element)
    if not is_fit:
        raise _invalid(value, kind)
    return value


def _checked(value: Value, kind: ValueType) -> Value:
    try:
        return coerce(value, kind)
    except ValueMismatch as error:
        raise _invalid(value, kind) from error


def _replacement(item: Item, kind: ValueType, given: Value) -> Value:
    if kind.is_number and isinstance(given, bool):
        return int(given)
    if kind.is_number:
        # A number variable may become a whole number or a fraction, whichever it was before.
        kind = ValueType.NUMBER
    if kind is ValueType.OBJECT and item.input_type == "constant" and isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise _invalid(given, kind) from error
    if given is None and item.input_type == "constant":
        raise _invalid(given, kind)
    return _checked(given, kind)


def _calculate(operation: str, current: Value, given: Value) -> int | float:
    operand = int(given) if isinstance(given, bool) else given
    if not is_number(operand):
        raise _invalid(given, ValueType.NUMBER)
    number = current if is_number(current) else 0
    if operation == "/=" and operand == 0:
        raise _refused(f"Invalid input value: {number} cannot be divided by 0.")
    try:
        result = _ARITHMETIC[operation](number, operand)
    except OverflowError as error:
        raise _refused(f"The result of {operation} is too large.") from error
    if isinstance(result, float) and not math.isfinite(result):
        raise _refused(f"The result of {operation} is too large.")
    return result
