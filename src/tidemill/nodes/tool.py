"""Tool: calls one tool of a provider with parameters from the flow.

Rules: reference `workflow-dsl.md`, section 5.11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, get_args

from pydantic import Field

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context, Node
from tidemill.engine.values import Missing, Selector, Value
from tidemill.nodes._shapes import Argument, Arguments, LooseMapping, Settings, present, selectors_of
from tidemill.ports import Tool as ReadyTool
from tidemill.ports import ToolFailed, ToolKind, ToolMissing, ToolRef, Tools, ToolSpec
from tidemill.tools.call import Collected, ToolParameterError, call_from, cast_arguments

_KINDS = frozenset(get_args(ToolKind))


class Config(Settings):
    provider_id: str = ""
    provider_type: str = "builtin"
    provider_name: str = ""
    tool_name: str = ""
    tool_label: str = ""
    tool_configurations: Arguments = Field(default_factory=dict, title="Settings")
    tool_parameters: Arguments = Field(default_factory=dict, title="Parameters")
    plugin_id: str = ""
    credential_id: str = ""
    output_schema: LooseMapping = Field(default_factory=dict)

    @property
    def ref(self) -> ToolRef:
        kind: Any = self.provider_type if self.provider_type in _KINDS else "builtin"
        return ToolRef(
            kind=kind,
            provider=self.provider_id or self.provider_name,
            name=self.tool_name,
            credential_id=self.credential_id,
            provider_name=self.provider_name,
        )


class Tool(Node[Config, dict[str, Any]]):
    type = "tool"
    title = "Tool"
    is_effectful = True
    honours_retry: ClassVar[bool] = True
    streams = frozenset({"text"})

    async def run(self, ctx: Context) -> dict[str, Any]:
        try:
            tool = await ctx.port(Tools).find(self.config.ref)
            return await self._call(tool, ctx)
        except ToolFailed as error:
            can_help = not isinstance(error, (ToolMissing, ToolParameterError))
            raise NodeFailed(str(error), error_type=error.error_type, is_retryable=can_help) from error

    async def _call(self, tool: ReadyTool, ctx: Context) -> dict[str, Any]:
        given, unresolved = self._given(ctx)
        _check_resolved(tool.spec, unresolved)
        arguments = cast_arguments(tool.spec, given)
        ctx.record(inputs=_shown(tool.spec, arguments))
        collected = Collected()
        async for message in tool.call(arguments, call_from(ctx)):
            if (piece := collected.add(message)) is not None:
                await ctx.stream(*piece)
            if message.usage is not None:
                ctx.spend(message.usage)
        if collected.logs:
            ctx.record(process={"logs": [{"name": entry.name, "data": entry.data} for entry in collected.logs]})
        return collected.outputs()

    def _given(self, ctx: Context) -> tuple[dict[str, Value], dict[str, Selector]]:
        """The values of both forms, nulls left out; and the selectors that name nothing, by parameter."""
        given: dict[str, Value] = {}
        unresolved: dict[str, Selector] = {}
        for name, argument in {**self.config.tool_configurations, **self.config.tool_parameters}.items():
            if argument.type == "variable":
                selector = _selector(argument)
                value = ctx.find(selector)
                if isinstance(value, Missing):
                    unresolved[name] = selector
                    continue
            else:
                # A literal text is a template too: app files rely on it.
                value = ctx.render(argument.value) if isinstance(argument.value, str) else argument.value
            if value is not None:
                given[name] = value
        return given, unresolved

    def reads(self) -> tuple[Selector, ...]:
        return present(*selectors_of(self.config.tool_parameters), *selectors_of(self.config.tool_configurations))


def _selector(argument: Argument) -> Selector:
    if isinstance(argument.value, str):
        return tuple(argument.value.split("."))
    return tuple(str(part) for part in argument.value) if isinstance(argument.value, list) else ()


def _check_resolved(spec: ToolSpec, unresolved: Mapping[str, Selector]) -> None:
    for parameter in spec.parameters:
        if parameter.is_required and parameter.default is None and parameter.name in unresolved:
            name = ".".join(unresolved[parameter.name])
            raise ToolParameterError(
                f"Variable #{name}# not found, which the parameter {parameter.name} of the tool {spec.name} needs. "
                "Choose another variable for it."
            )


def _shown(spec: ToolSpec, arguments: Mapping[str, Value]) -> dict[str, Value]:
    """The arguments as a trace shows them, secrets masked."""
    secret = {parameter.name for parameter in spec.parameters if parameter.type == "secret-input"}
    return {name: "*" * 8 if name in secret else value for name, value in arguments.items()}
