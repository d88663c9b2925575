"""What the containers share: the account of their rounds, and the events that tell of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import ContainerAdvanced, ContainerFinished, ContainerKind, ContainerStarted, NodeStatus
from tidemill.engine.node import Context, RoundResult
from tidemill.engine.values import Value, VariablePool, plain


class Account:
    """Tells what happens in one execution of a container, and adds up what its rounds took."""

    def __init__(self, ctx: Context, kind: ContainerKind, title: str, inputs: dict[str, Value], length: int) -> None:
        self._ctx = ctx
        self._kind: ContainerKind = kind
        self._title = title
        self._inputs: dict[str, Any] = plain(inputs)
        self._began_at = time.time()
        self._tick = time.monotonic()
        self._durations: dict[str, float] = {}
        self._steps = 0
        self._tokens = 0
        self._price = Decimal(0)
        self._currency = ""
        ctx.record(inputs=inputs)
        self._emit(ContainerStarted, inputs=self._inputs, length=length)

    async def round(self, index: int, pool: VariablePool) -> RoundResult:
        """Run a round. Raises what `Context.run_round` raises."""
        tick = time.monotonic()
        result = await self._ctx.run_round(index, pool)
        self._durations[str(index)] = time.monotonic() - tick
        self._steps += result.steps
        if result.usage.total_tokens:
            self._tokens += result.usage.total_tokens
            self._price += Decimal(result.usage.total_price)
            self._currency = result.usage.currency
        return result

    def advance(self, index: int, previous_output: Any = None) -> None:
        """Tell that a round begins."""
        self._emit(ContainerAdvanced, index=index, previous_output=plain(previous_output))

    def finish(
        self, status: NodeStatus, outputs: Mapping[str, Value], *, error: str | None = None, **metadata: Any
    ) -> None:
        """Tell the end, and keep the sums for the node's own end."""
        known: dict[str, Any] = {"total_tokens": self._tokens, f"{self._kind}_duration_map": self._durations}
        if self._tokens:
            known |= {"total_price": format(self._price, "f"), "currency": self._currency}
        known |= metadata
        self._ctx.record(**known)
        self._emit(
            ContainerFinished,
            status=status,
            inputs=self._inputs,
            outputs=plain(dict(outputs)),
            started_at=self._began_at,
            elapsed_s=time.monotonic() - self._tick,
            steps=self._steps,
            error=error,
            total_tokens=self._tokens,
            metadata=known,
        )

    def _emit(self, event: type[ContainerStarted | ContainerAdvanced | ContainerFinished], **fields: Any) -> None:
        self._ctx.emit(event, kind=self._kind, node_type=self._kind, title=self._title, **fields)


def failure_of(result: RoundResult) -> NodeFailed:
    """The error of a round's child as the container's own."""
    return NodeFailed(result.error or "A round failed.", error_type=result.error_type, is_retryable=False)
