"""Pass on the first of several variables that exists: where branches meet again."""

from __future__ import annotations

from tidemill.engine.node import REGISTRY, Context, Node
from tidemill.engine.values import Missing, Selector, Value
from tidemill.nodes._shapes import SelectorField, Settings, Shape


class Group(Shape):
    """Variables of one kind that are offered under the group's name."""

    group_name: str = ""
    output_type: str = "any"
    variables: tuple[SelectorField, ...] = ()


class AdvancedSettings(Shape):
    group_enabled: bool = False
    groups: tuple[Group, ...] = ()


class Config(Settings):
    variables: tuple[SelectorField, ...] = ()
    output_type: str = "any"
    advanced_settings: AdvancedSettings | None = None


class VariableAggregator(Node[Config, dict[str, Value]]):
    type = "variable-aggregator"
    title = "Variable Aggregator"
    is_inline = True

    def __init__(self, node_id: str, config: Config, *, title: str = "") -> None:
        super().__init__(node_id, config, title=title)
        advanced = config.advanced_settings
        self._groups = advanced.groups if advanced is not None and advanced.group_enabled else None
        self._candidates = tuple((selector, ".".join(selector[1:])) for selector in config.variables)

    async def run(self, ctx: Context) -> dict[str, Value]:
        if self._groups is not None:
            return self._run_groups(ctx, self._groups)
        for selector, name in self._candidates:
            value = ctx.find(selector)
            if not isinstance(value, Missing):
                ctx.record(inputs={name: value})
                return {"output": value}
        return {}

    def _run_groups(self, ctx: Context, groups: tuple[Group, ...]) -> dict[str, Value]:
        inputs: dict[str, Value] = {}
        outputs: dict[str, Value] = {}
        for group in groups:
            for selector in group.variables:
                value = ctx.find(selector)
                if not isinstance(value, Missing):
                    inputs[".".join(selector[1:])] = value
                    outputs[group.group_name] = {"output": value}
                    break
        ctx.record(inputs=inputs)
        return outputs

    def reads(self) -> tuple[Selector, ...]:
        if self._groups is not None:
            return tuple(selector for group in self._groups for selector in group.variables)
        return self.config.variables


# The node's name in files of 2024.
REGISTRY["variable-assigner", "1"] = VariableAggregator
