"""Iteration: runs its children once for every item of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context, Node, NodePaused
from tidemill.engine.values import Missing, Selector, Value, kind_of
from tidemill.nodes._rounds import Account, failure_of
from tidemill.nodes._shapes import SelectorField, Settings, present


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


class Iteration(Node[Config, dict[str, Value]]):
    type = "iteration"
    title = "Iteration"
    is_container = True

    async def run(self, ctx: Context) -> dict[str, Value]:
        items = self._items(ctx)
        account = Account(ctx, "iteration", self.label, {"iterator_selector": items}, len(items))
        rounds = _Rounds(self.config, self.id, ctx, account, items)
        try:
            await rounds.run()
        except NodeFailed as failure:
            account.finish("failed", {"output": rounds.results()}, error=str(failure))
            raise
        except asyncio.CancelledError:
            account.finish("stopped", {"output": rounds.results()}, error="Stopped.")
            raise
        outputs: dict[str, Value] = {"output": self._joined(rounds.results())}
        account.finish("succeeded", outputs)
        return outputs

    def _items(self, ctx: Context) -> list[Value]:
        value = ctx.find(self.config.iterator_selector)
        name = ".".join(self.config.iterator_selector)
        if isinstance(value, Missing):
            raise NodeFailed(
                f'The list "{name}" to iterate over does not exist. Choose a list that is made before this node.',
                error_type="IteratorVariableNotFoundError",
                is_retryable=False,
            )
        if value is None:
            return []
        if not isinstance(value, list):
            raise NodeFailed(
                f'"{name}" is not a list but a value of type {kind_of(value).value}. Choose a list to iterate over.',
                error_type="InvalidIteratorValueError",
                is_retryable=False,
            )
        return list(value)

    def _joined(self, results: list[Value]) -> list[Value]:
        """The results with lists of lists made one list, if every result that is there is a list."""
        lists = [result for result in results if result is not None]
        if not self.config.flatten_output or not lists or not all(isinstance(result, list) for result in lists):
            return results
        return [item for result in lists if isinstance(result, list) for item in result]

    def reads(self) -> tuple[Selector, ...]:
        return present(self.config.iterator_selector, self.config.output_selector)

    def child_start(self) -> str | None:
        return self.config.start_node_id or None


class _Rounds:
    """The rounds of one execution: each on its own copy of the variables, so many at a time."""

    def __init__(self, config: Config, node_id: str, ctx: Context, account: Account, items: list[Value]) -> None:
        self._config = config
        self._node_id = node_id
        self._ctx = ctx
        self._account = account
        self._items = items
        self._done: dict[int, Value] = {}
        self._fault: NodeFailed | None = None
        self._pause: NodePaused | None = None

    def results(self) -> list[Value]:
        """What the rounds gave so far, in the order of the items."""
        return [self._done[index] for index in range(len(self._items)) if index in self._done]

    async def run(self) -> None:
        """Run them all. Raises the first failure if the mode does not forgive it, when no round is running."""
        waiting = iter(range(len(self._items)))
        if self._config.is_parallel:
            workers = [self._work(waiting) for _ in range(min(self._config.parallel_nums, len(self._items)))]
            for ending in await asyncio.gather(*workers, return_exceptions=True):
                if ending is not None:
                    raise ending
        else:
            await self._work(waiting)
        if self._fault is not None:
            raise self._fault
        if self._pause is not None:
            raise self._pause

    async def _work(self, waiting: Iterator[int]) -> None:
        for index in waiting:
            await self._round(index)
            # Parallel rounds go on while one of them waits for a person.
            if self._fault is not None or (self._pause is not None and not self._config.is_parallel):
                return

    async def _round(self, index: int) -> None:
        pool = self._ctx.pool.fork()
        pool.put(self._node_id, {"item": self._items[index], "index": index})
        self._account.advance(index)
        try:
            result = await self._account.round(index, pool)
        except NodeFailed as failure:  # the run has no steps left
            self._fault = self._fault or failure
            return
        except NodePaused as pause:
            self._pause = self._pause or pause
            return
        if result.error is None:
            value = result.pool.find(self._config.output_selector)
            self._done[index] = None if isinstance(value, Missing) else value
        elif self._config.error_handle_mode == "terminated":
            self._fault = self._fault or failure_of(result)
        elif self._config.error_handle_mode == "continue-on-error":
            self._done[index] = None


class IterationStart(Node[Settings, dict[str, Any]]):
    """Where a round begins. It does nothing itself."""

    type = "iteration-start"
    title = "Iteration start"
    is_inline = True
    is_silent = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        del ctx
        return {}
