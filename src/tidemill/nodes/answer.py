"""Say something to the user: a text with variables, in the middle of a chatflow or at its end."""

from __future__ import annotations

from tidemill.engine import templates
from tidemill.engine.node import Context, Node
from tidemill.engine.templates import Segment
from tidemill.engine.values import File, Missing, Selector, Value, as_file
from tidemill.nodes._shapes import Settings


class Config(Settings):
    answer: str = ""


class Answer(Node[Config, dict[str, Value]]):
    type = "answer"
    title = "Answer"
    is_inline = True

    def __init__(self, node_id: str, config: Config, *, title: str = "") -> None:
        super().__init__(node_id, config, title=title)
        self._segments = templates.parse(config.answer)
        self._selectors = templates.selectors(config.answer)

    async def run(self, ctx: Context) -> dict[str, Value]:
        files: list[File] = []
        for selector in self._selectors:
            value = ctx.find(selector)
            if not isinstance(value, Missing):
                _gather(value, files)
        return {"answer": ctx.render(self.config.answer, "markdown"), "files": files}

    def response(self) -> tuple[Segment, ...]:
        return self._segments

    def reads(self) -> tuple[Selector, ...]:
        return self._selectors


def _gather(value: Value, files: list[File]) -> None:
    file = as_file(value)
    if file is not None:
        files.append(file)
    elif isinstance(value, list):
        files.extend(found for found in map(as_file, value) if found is not None)
