"""List operator: filters, picks, sorts and cuts a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tidemill.engine.errors import NodeFailed, VariableNotFound
from tidemill.engine.node import Context, Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import File, Missing, Selector, Value, ValueType, as_file, kind_of
from tidemill.nodes._compare import Operator, OperatorField, as_boolean, compare
from tidemill.nodes._shapes import LooseText, SelectorField, Settings, Shape, present

_KINDS = (ValueType.ARRAY_STRING, ValueType.ARRAY_NUMBER, ValueType.ARRAY_BOOLEAN, ValueType.ARRAY_FILE)
_TEXT_OPERATORS = frozenset(
    {
        *(Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.START_WITH, Operator.END_WITH),
        *(Operator.IS, Operator.IS_NOT, Operator.IN, Operator.NOT_IN, Operator.EMPTY, Operator.NOT_EMPTY),
    }
)
_NUMBER_OPERATORS = frozenset(
    {Operator.EQUAL, Operator.NOT_EQUAL, Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST}
)
_BOOLEAN_OPERATORS = frozenset({Operator.IS, Operator.IS_NOT})
_CHOICE_OPERATORS = frozenset({Operator.IN, Operator.NOT_IN, Operator.IS, Operator.IS_NOT})
_TEXT_KEYS = ("name", "extension", "mime_type", "url", "related_id")
_CHOICE_KEYS = ("type", "transfer_method")


class FilterCondition(Shape):
    key: str = ""
    comparison_operator: OperatorField = Operator.CONTAINS
    value: Any = None


class Filter(Shape):
    enabled: bool = False
    conditions: tuple[FilterCondition, ...] = ()


class Extract(Shape):
    enabled: bool = False
    serial: LooseText = "1"


def _direction(value: Any) -> Any:
    return "asc" if value == "" else value


class Order(Shape):
    enabled: bool = False
    key: str = ""
    value: Annotated[Literal["asc", "desc"], BeforeValidator(_direction)] = "asc"


class Limit(Shape):
    enabled: bool = False
    size: int = -1


class Config(Settings):
    variable: SelectorField = Field(default=(), title="List")
    var_type: str = ""
    item_var_type: str = ""
    filter_by: Filter = Filter()
    extract_by: Extract = Extract()
    order_by: Order = Order()
    limit: Limit = Limit()


class ListOperator(Node[Config, dict[str, Value]]):
    type = "list-operator"
    title = "List operator"
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Value]:
        selector = self.config.variable
        value = ctx.find(selector)
        if isinstance(value, Missing):
            raise VariableNotFound(selector)
        ctx.record(inputs={"variable": value})
        if value is None or value == []:
            return _outputs([])
        kind = kind_of(value)
        if not isinstance(value, list) or kind not in _KINDS:
            raise _refused(
                f'The variable "{".".join(selector)}" is of type {kind.value}. '
                "Choose a list of texts, of numbers, of booleans or of files."
            )
        items = self._extracted(self._filtered(value, kind, ctx), ctx)
        items = self._limited(self._ordered(items, kind))
        ctx.record(process={"variable": items})
        return _outputs(items)

    def _filtered(self, items: list[Any], kind: ValueType, ctx: Context) -> list[Any]:
        if not self.config.filter_by.enabled:
            return items
        for condition in self.config.filter_by.conditions:
            fits = _test(condition, kind, ctx)
            items = [item for item in items if fits(item)]
        return items

    def _extracted(self, items: list[Any], ctx: Context) -> list[Any]:
        if not self.config.extract_by.enabled:
            return items
        text = ctx.render(self.config.extract_by.serial).strip()
        try:
            serial = int(text)
        except ValueError as error:
            raise _refused(f'The number of the item to take is "{text}". Give a whole number from 1.') from error
        if not 1 <= serial <= len(items):
            raise _refused(f"There is no item number {serial}: the list has {len(items)} items, counted from 1.")
        return [items[serial - 1]]

    def _ordered(self, items: list[Any], kind: ValueType) -> list[Any]:
        order = self.config.order_by
        if not order.enabled:
            return items
        if kind is not ValueType.ARRAY_FILE:
            return sorted(items, reverse=order.value == "desc")
        return sorted(items, key=lambda item: _attribute(item, order.key or "name"), reverse=order.value == "desc")

    def _limited(self, items: list[Any]) -> list[Any]:
        limit = self.config.limit
        return items[: limit.size] if limit.enabled and limit.size >= 0 else items

    def reads(self) -> tuple[Selector, ...]:
        texts = [item.value for item in self.config.filter_by.conditions if isinstance(item.value, str)]
        return present(
            self.config.variable,
            *selectors(self.config.extract_by.serial),
            *(selector for text in texts for selector in selectors(text)),
        )


def _outputs(items: list[Any]) -> dict[str, Value]:
    return {
        "result": items,
        "first_record": items[0] if items else None,
        "last_record": items[-1] if items else None,
    }


def _refused(sentence: str) -> NodeFailed:
    return NodeFailed(sentence, error_type="ListOperatorError", is_retryable=False)


def _test(condition: FilterCondition, kind: ValueType, ctx: Context) -> Callable[[Any], bool]:
    """The condition as a question to one item."""
    operator = condition.comparison_operator
    expected = ctx.render(condition.value) if isinstance(condition.value, str) else condition.value
    if kind is ValueType.ARRAY_FILE:
        return _file_test(condition.key, operator, expected)
    if kind is ValueType.ARRAY_STRING:
        return _text_test("texts", operator, expected)
    if kind is ValueType.ARRAY_NUMBER:
        return _number_test("numbers", operator, expected)
    _allow("booleans", operator, _BOOLEAN_OPERATORS)
    wanted = as_boolean(expected)
    return lambda item: compare(operator, item, wanted)


def _allow(what: str, operator: Operator, allowed: frozenset[Operator]) -> None:
    if operator not in allowed:
        names = ", ".join(sorted(f'"{item.value}"' for item in allowed))
        raise _refused(f'"{operator.value}" cannot filter {what}. Use one of {names}.')


def _text_test(what: str, operator: Operator, expected: Any) -> Callable[[Any], bool]:
    _allow(what, operator, _TEXT_OPERATORS)
    if operator is Operator.EMPTY or operator is Operator.NOT_EMPTY:
        return lambda item: compare(operator, item, None)
    if operator is Operator.IN or operator is Operator.NOT_IN:
        return _membership(what, operator, expected)
    if not isinstance(expected, str):
        raise _refused(f'"{operator.value}" compares {what} with a text, not with {kind_of(expected).value}.')
    return lambda item: compare(operator, item, expected)


def _membership(what: str, operator: Operator, expected: Any) -> Callable[[Any], bool]:
    """In a list: equal to one of its items; in a text: a part of it."""
    if not isinstance(expected, (str, list)):
        raise _refused(f'"{operator.value}" looks for {what} in a list or a text, not in {kind_of(expected).value}.')
    is_wanted = operator is Operator.IN
    return lambda item: (item in expected) is is_wanted


def _number_test(what: str, operator: Operator, expected: Any) -> Callable[[Any], bool]:
    _allow(what, operator, _NUMBER_OPERATORS)
    try:
        if isinstance(expected, bool):
            raise ValueError
        number = float(expected)
    except (TypeError, ValueError) as error:
        raise _refused(f'"{operator.value}" compares {what} with a number, not with "{expected}".') from error
    return lambda item: compare(operator, float(item), number)


def _file_test(key: str, operator: Operator, expected: Any) -> Callable[[Any], bool]:
    if key in _CHOICE_KEYS:
        _allow(f'files by "{key}"', operator, _CHOICE_OPERATORS)
        wanted = [expected] if isinstance(expected, str) and operator in (Operator.IN, Operator.NOT_IN) else expected
        fits = _text_test(f'files by "{key}"', operator, wanted)
    elif key == "size":
        fits = _number_test("files by size", operator, expected)
    elif key in _TEXT_KEYS:
        fits = _text_test(
            f'files by "{key}"', operator, _dotted(expected, operator) if key == "extension" else expected
        )
    else:
        names = ", ".join((*_TEXT_KEYS, *_CHOICE_KEYS, "size"))
        raise _refused(f'Files cannot be filtered by "{key}". Use one of {names}.')
    return lambda item: fits(_attribute(item, key))


def _dotted(expected: Any, operator: Operator) -> Any:
    """Extensions are compared with their leading dot where the whole extension is meant."""
    if isinstance(expected, list):
        return [_dotted(item, Operator.IS) for item in expected]
    if operator in (Operator.IS, Operator.IS_NOT) and isinstance(expected, str) and expected[:1] not in ("", "."):
        return f".{expected}"
    return expected


def _attribute(item: Any, key: str) -> Any:
    file: File | None = as_file(item)
    value = file.attribute(key) if file is not None else None
    if isinstance(value, Missing):
        names = ", ".join((*_TEXT_KEYS, *_CHOICE_KEYS, "size"))
        raise _refused(f'Files cannot be put in order by "{key}". Use one of {names}.')
    return "" if value is None else value
