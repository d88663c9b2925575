"""Shapes that many node configurations share, as forgiving as the files in the wild need them to be.

A null is read as "not given". Numbers where text belongs become text: YAML reads an unquoted id as a number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tidemill.engine.node import NodeConfig
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector


def _without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: value for key, value in data.items() if value is not None}
    return data


class Shape(BaseModel):
    """A part of a configuration. Unknown keys are ignored; a null means that the key is absent."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, coerce_numbers_to_str=True, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        return _without_nulls(data)


class Settings(NodeConfig):
    """A node's whole configuration, read with the same leniency as its parts."""

    model_config = ConfigDict(coerce_numbers_to_str=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        return _without_nulls(data)


def _selector(value: Any) -> Any:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return tuple(value.split("."))
    return tuple(str(part) for part in value if part is not None) if isinstance(value, (list, tuple)) else value


def _text(value: Any) -> Any:
    """Text for whatever a form field holds: null is empty, structures are their JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


SelectorField: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_selector)]
LooseText: TypeAlias = Annotated[str, BeforeValidator(_text)]


def _or_empty_list(value: Any) -> Any:
    return [] if value is None or value == "" or value == {} else value


def _or_empty_mapping(value: Any) -> Any:
    return {} if value is None or value == "" or value == [] else value


LooseMapping: TypeAlias = Annotated[dict[str, Any], BeforeValidator(_or_empty_mapping)]
LooseList: TypeAlias = Annotated[list[Any], BeforeValidator(_or_empty_list)]


class ModelChoice(Shape):
    """The model a node asks, with the parameters of the call."""

    provider: str = ""
    name: str = ""
    mode: str = "chat"
    completion_params: LooseMapping = Field(default_factory=dict)


class Binding(Shape):
    """A name inside the node for a value from elsewhere."""

    variable: str = ""
    value_selector: SelectorField = ()
    value_type: str = ""


class Window(Shape):
    enabled: bool = False
    size: int | None = None


class Memory(Shape):
    """How much of the conversation the model sees."""

    window: Window = Window()
    query_prompt_template: str = ""
    role_prefix: LooseMapping = Field(default_factory=dict)


class Vision(Shape):
    """Which files the model sees."""

    enabled: bool = False
    configs: LooseMapping = Field(default_factory=dict)


class Argument(Shape):
    """A parameter's value: literal (`constant`), a template (`mixed`) or a selector (`variable`)."""

    type: str = "constant"
    value: Any = None

    @model_validator(mode="before")
    @classmethod
    def _wrap_scalar(cls, data: Any) -> Any:
        if isinstance(data, dict) and ("value" in data or "type" in data):
            return data
        return {"type": "mixed" if isinstance(data, str) else "constant", "value": data}


Arguments: TypeAlias = Annotated[dict[str, Argument], BeforeValidator(_or_empty_mapping)]


def present(*found: Selector) -> tuple[Selector, ...]:
    """The selectors that name something, each once, in order."""
    return tuple(dict.fromkeys(selector for selector in found if len(selector) > 1))


def selectors_of(arguments: Mapping[str, Argument]) -> tuple[Selector, ...]:
    """What a set of parameter values refers to: selectors, and references inside templates."""
    found: list[Selector] = []
    for argument in arguments.values():
        if argument.type == "variable" and isinstance(argument.value, list):
            found.append(tuple(str(part) for part in argument.value))
        elif isinstance(argument.value, str):
            found.extend(selectors(argument.value))
    return tuple(found)


def first_repeated(names: Iterable[str]) -> str | None:
    """The first name that occurs twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
