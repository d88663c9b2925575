"""Return named variables as the result of a workflow."""

from __future__ import annotations

from tidemill.engine.node import Context, Node
from tidemill.engine.templates import Segment, TextSegment, VariableSegment
from tidemill.engine.values import Missing, Selector, Value
from tidemill.nodes._shapes import SelectorField, Settings, Shape


class OutputField(Shape):
    """A named result. `value_type` is for display only."""

    variable: str = ""
    value_selector: SelectorField = ()
    value_type: str = "any"


class Config(Settings):
    outputs: tuple[OutputField, ...] = ()


class End(Node[Config, dict[str, Value]]):
    type = "end"
    title = "Output"
    is_inline = True

    def __init__(self, node_id: str, config: Config, *, title: str = "") -> None:
        super().__init__(node_id, config, title=title)
        self._fields = tuple((field.variable, field.value_selector) for field in config.outputs if field.variable)

    async def run(self, ctx: Context) -> dict[str, Value]:
        outputs: dict[str, Value] = {}
        for name, selector in self._fields:
            value = ctx.find(selector)
            outputs[name] = None if isinstance(value, Missing) else value
        ctx.record(inputs=outputs)
        return outputs

    def response(self) -> tuple[Segment, ...]:
        segments: list[Segment] = []
        for selector in self.reads():
            if segments:
                segments.append(TextSegment("\n"))
            segments.append(VariableSegment(selector))
        return tuple(segments)

    def reads(self) -> tuple[Selector, ...]:
        return tuple(selector for _, selector in self._fields if selector)
