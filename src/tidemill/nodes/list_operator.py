"""List operator: filters, picks, sorts and cuts a list."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tidemill.engine.node import Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import LooseText, SelectorField, Settings, Shape, present
from tidemill.nodes._unavailable import Unavailable

Operator = Literal[
    "contains",
    "not contains",
    "start with",
    "end with",
    "is",
    "is not",
    "in",
    "not in",
    "empty",
    "not empty",
    "=",
    "≠",
    "<",
    "≤",
    ">",
    "≥",
    "exists",
    "not exists",
    "null",
    "not null",
    "all of",
]


class FilterCondition(Shape):
    key: str = ""
    comparison_operator: Operator = "contains"
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


class ListOperator(Unavailable, Node[Config, dict[str, Any]]):
    type = "list-operator"
    title = "List operator"
    is_inline = True

    def reads(self) -> tuple[Selector, ...]:
        texts = [item.value for item in self.config.filter_by.conditions if isinstance(item.value, str)]
        return present(
            self.config.variable,
            *selectors(self.config.extract_by.serial),
            *(selector for text in texts for selector in selectors(text)),
        )
