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
    is_brief = True

    def __init__(self, node_id: str, config: Config, *, title: str = "") -> None:
        super().__init__(node_id, config, title=title)
        self._variables = tuple((named.variable, named.value_selector) for named in config.variables)

    async def run(self, ctx: Context) -> Output:
        try:
            text = await ctx.port(Templates).render(self.config.template, self._values(ctx), max_chars=MAX_CHARS)
        except TemplateFailed as error:
            raise _failed(error) from error
        return Output(output=text)

    def run_now(self, ctx: Context) -> Output | None:
        try:
            text = ctx.port(Templates).render_now(self.config.template, self._values(ctx), max_chars=MAX_CHARS)
        except TemplateFailed as error:
            raise _failed(error) from error
        return None if text is None else Output(output=text)

    def _values(self, ctx: Context) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, selector in self._variables:
            value = ctx.find(selector)
            values[name] = None if isinstance(value, Missing) else value
        ctx.record(inputs=values)
        return values

    def reads(self) -> tuple[Selector, ...]:
        return tuple(named.value_selector for named in self.config.variables if named.value_selector)


def _failed(error: TemplateFailed) -> NodeFailed:
    return NodeFailed(str(error), error_type="TemplateRenderError", is_retryable=False)
