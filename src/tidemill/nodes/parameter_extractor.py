"""Parameter extractor: a model reads named, typed values out of a text."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, field_validator

from tidemill.engine.node import Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import (
    LooseList,
    LooseText,
    Memory,
    ModelChoice,
    SelectorField,
    Settings,
    Shape,
    Vision,
    first_repeated,
    present,
)
from tidemill.nodes._unavailable import Unavailable

RESERVED = frozenset({"__is_success", "__reason", "__usage"})
_OLD_KINDS = {"bool": "boolean", "select": "string"}


def _kind(value: Any) -> Any:
    return _OLD_KINDS.get(value.lower(), value.lower()) if isinstance(value, str) else value


class Parameter(Shape):
    name: str = Field(min_length=1)
    type: Annotated[
        Literal["string", "number", "boolean", "array[string]", "array[number]", "array[object]", "array[boolean]"],
        BeforeValidator(_kind),
    ] = "string"
    options: LooseList = Field(default_factory=list)
    description: LooseText = ""
    required: bool = False


class Config(Settings):
    model: ModelChoice = Field(default_factory=ModelChoice, title="Model")
    query: SelectorField = Field(default=(), title="Text to read")
    parameters: tuple[Parameter, ...] = Field(default=(), title="Parameters")
    instruction: LooseText = Field(
        default="", title="Instructions", validation_alias=AliasChoices("instruction", "instructions")
    )
    reasoning_mode: Literal["function_call", "prompt"] = "function_call"
    memory: Memory | None = None
    vision: Vision = Vision()

    @field_validator("parameters")
    @classmethod
    def _names_are_free(cls, parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
        for parameter in parameters:
            if parameter.name in RESERVED:
                raise ValueError(f'the parameter name "{parameter.name}" is reserved; choose another')
        repeated = first_repeated(parameter.name for parameter in parameters)
        if repeated is not None:
            raise ValueError(f'two parameters are named "{repeated}"; give each a name of its own')
        return parameters


class ParameterExtractor(Unavailable, Node[Config, dict[str, Any]]):
    type = "parameter-extractor"
    title = "Parameter extractor"
    is_effectful = True

    def reads(self) -> tuple[Selector, ...]:
        return present(self.config.query, *selectors(self.config.instruction))
