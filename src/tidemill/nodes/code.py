"""Code: a Python or JavaScript function `main` between the inputs and outputs of the flow.

Rules: reference `workflow-dsl.md`, section 5.8.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context, Node
from tidemill.engine.values import Missing, Selector, plain
from tidemill.nodes._code_outputs import checked
from tidemill.nodes._shapes import Binding, LooseText, Settings, Shape, present
from tidemill.ports import CodeFailed, CodeRequest, Sandbox

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


class Code(Node[Config, dict[str, Any]]):
    type = "code"
    title = "Code"
    is_effectful = True
    honours_retry: ClassVar[bool] = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        config = self.config
        inputs = {binding.variable: _input(ctx, binding) for binding in config.variables if binding.variable}
        ctx.record(inputs=inputs)
        sandbox = ctx.port(Sandbox)
        request = CodeRequest(language=config.code_language, code=config.code, inputs=inputs)
        try:
            result = await sandbox.run(request)
        except CodeFailed as error:
            raise NodeFailed(str(error), error_type="CodeExecutionError") from error
        if not isinstance(result, dict):
            raise NodeFailed(
                f"The function main must return {_OBJECTS[config.code_language]}, but it returned "
                f"{'nothing' if result is None else _shown(result)}.",
                error_type="CodeExecutionError",
            )
        return checked(result, config.outputs, sandbox.limits)

    def reads(self) -> tuple[Selector, ...]:
        return present(*(binding.value_selector for binding in self.config.variables))


_OBJECTS = {"python3": "a dict with text keys", "javascript": "an object"}


def _input(ctx: Context, binding: Binding) -> Any:
    """The value as JSON data; a list of files that is empty is none."""
    value = ctx.find(binding.value_selector)
    if isinstance(value, Missing):
        return None
    if value == [] and "array[file]" in (binding.value_type, ctx.pool.type_of(binding.value_selector).value):
        return None
    return plain(value)


def _shown(result: Any) -> str:
    text = repr(result)
    return text if len(text) <= 100 else f"{text[:100]}…"
