"""Turn variables into a text with a Jinja template."""

from __future__ import annotations

from pydantic import Field

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context, Node, NodeOutput
from tidemill.engine.values import Missing, Selector, Value
from tidemill.nodes._shapes import Binding, Settings
from tidemill.ports import TemplateFailed, Templates

MAX_CHARS = 400_000


class Config(Settings):
    template: str = Field(default="", title="Template", json_schema_extra={"widget": "code"})
    variables: tuple[Binding, ...] = ()


class Output(NodeOutput, frozen=True):
    output: str


class TemplateTransform(Node[Config, Output]):
    type = "template-transform"
    title = "Template"

    async def run(self, ctx: Context) -> Output:
        values: dict[str, Value] = {}
        for named in self.config.variables:
            value = ctx.find(named.value_selector)
            values[named.variable] = None if isinstance(value, Missing) else value
        ctx.record(inputs=values)
        try:
            text = await ctx.port(Templates).render(self.config.template, values, max_chars=MAX_CHARS)
        except TemplateFailed as error:
            raise NodeFailed(str(error), error_type="TemplateRenderError", is_retryable=False) from error
        return Output(output=text)

    def reads(self) -> tuple[Selector, ...]:
        return tuple(named.value_selector for named in self.config.variables if named.value_selector)
