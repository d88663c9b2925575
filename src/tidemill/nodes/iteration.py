"""Iteration: runs its children once for every item of a list."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tidemill.engine.node import Context, Node
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import SelectorField, Settings, present
from tidemill.nodes._unavailable import Unavailable


class Config(Settings):
    iterator_selector: SelectorField = Field(default=(), title="List")
    output_selector: SelectorField = Field(default=(), title="Result of a round")
    output_type: str = ""
    start_node_id: str = ""
    is_parallel: bool = Field(default=False, title="Rounds in parallel")
    parallel_nums: int = Field(default=10, ge=1, le=100, title="Rounds at a time")
    error_handle_mode: Literal["terminated", "continue-on-error", "remove-abnormal-output"] = Field(
        default="terminated", title="When a round fails"
    )
    flatten_output: bool = Field(default=True, title="Join lists of lists")


class Iteration(Unavailable, Node[Config, dict[str, Any]]):
    type = "iteration"
    title = "Iteration"
    is_container = True

    def reads(self) -> tuple[Selector, ...]:
        return present(self.config.iterator_selector, self.config.output_selector)

    def child_start(self) -> str | None:
        return self.config.start_node_id or None


class IterationStart(Node[Settings, dict[str, Any]]):
    """Where a round begins. It does nothing itself."""

    type = "iteration-start"
    title = "Iteration start"
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        del ctx
        return {}
