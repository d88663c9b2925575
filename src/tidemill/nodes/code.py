"""Code: a Python or JavaScript function `main` between the inputs and outputs of the flow."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from tidemill.engine.node import Node
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import Binding, LooseText, Settings, Shape, present
from tidemill.nodes._unavailable import Unavailable

OutputKind = Literal[
    "string",
    "number",
    "integer",
    "float",
    "boolean",
    "object",
    "any",
    "array",
    "array[any]",
    "array[string]",
    "array[number]",
    "array[object]",
    "array[boolean]",
    "array[file]",
    "file",
]


def _kind(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class CodeOutput(Shape):
    """The declared type of one output; `children` are an object's fields."""

    type: Annotated[OutputKind, BeforeValidator(_kind)] = "string"
    children: dict[str, CodeOutput] | None = None


def _bindings(value: Any) -> Any:
    if isinstance(value, dict):  # Some generators write a mapping of name to selector.
        return [{"variable": name, "value_selector": selector} for name, selector in value.items()]
    return value


class Config(Settings):
    code_language: Literal["python3", "javascript"] = Field(default="python3", title="Language")
    code: LooseText = Field(default="", title="Code", json_schema_extra={"widget": "code"})
    variables: Annotated[tuple[Binding, ...], BeforeValidator(_bindings)] = Field(default=(), title="Inputs")
    outputs: dict[str, CodeOutput] = Field(default_factory=dict, title="Outputs")


class Code(Unavailable, Node[Config, dict[str, Any]]):
    type = "code"
    title = "Code"
    is_effectful = True
    honours_retry: ClassVar[bool] = True

    def reads(self) -> tuple[Selector, ...]:
        return present(*(binding.value_selector for binding in self.config.variables))
