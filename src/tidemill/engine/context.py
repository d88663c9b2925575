"""The `Context` a running node is handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tidemill.engine.errors import NodeFailed, VariableNotFound
from tidemill.engine.events import CallRecorded, ContainerAdvanced, Event, Usage, VariableAssigned, add_usage
from tidemill.engine.node import NodePaused, RoundResult, RunInfo
from tidemill.engine.templates import render
from tidemill.engine.turns import Turns
from tidemill.engine.values import Missing, Selector, TextForm, Value, VariablePool, plain

if TYPE_CHECKING:
    from tidemill.engine.level import Level

P = TypeVar("P")


class NodeContext:
    """One execution of one node in one level of a run. Implements `engine.node.Context`."""

    __slots__ = (
        "_level",
        "_turns",
        "execution_id",
        "handle",
        "has_ended",
        "index",
        "inputs",
        "is_streaming",
        "metadata",
        "node_id",
        "pauses",
        "pool",
        "process",
        "started_at",
        "usage",
    )

    def __init__(self, level: Level, index: int, node_id: str, execution_id: str) -> None:
        self._level = level
        self._turns: Turns | None = None
        self.pauses: list[NodePaused] = []  # of the rounds of a container
        self.index = index
        self.node_id = node_id
        self.execution_id = execution_id
        self.pool: VariablePool = level.pool
        self.started_at = 0.0
        self.handle: str | None = None
        self.has_ended = False
        self.is_streaming = False
        self.inputs: dict[str, Any] | None = None
        self.process: dict[str, Any] | None = None
        self.metadata: dict[str, Any] | None = None
        self.usage: Usage | None = None

    @property
    def info(self) -> RunInfo:
        return self._level.run.info

    @property
    def place(self) -> str:
        return self._level.place + self.node_id

    def find(self, selector: Sequence[str]) -> Value | Missing:
        return self.pool.find(selector)

    def value(self, selector: Sequence[str]) -> Value:
        value = self.pool.find(selector)
        if isinstance(value, Missing):
            raise VariableNotFound(tuple(selector))
        return value

    def render(self, template: str, form: TextForm = "text") -> str:
        return render(template, self.pool, form)

    def port(self, kind: type[P]) -> P:
        found = self._level.run.ports.get(kind)
        if found is None:
            raise NodeFailed(
                f"This run has no {kind.__name__.lower()} to offer, which the node needs.",
                error_type="PortUnavailable",
                is_retryable=False,
            )
        at = getattr(found, "at", None)
        return cast(P, found if at is None else at(self))

    def record(
        self, *, inputs: Mapping[str, Value] | None = None, process: Mapping[str, Value] | None = None, **metadata: Any
    ) -> None:
        if inputs:
            self.inputs = {**(self.inputs or {}), **inputs}
        if process:
            self.process = {**(self.process or {}), **process}
        if metadata:
            self.metadata = {**(self.metadata or {}), **metadata}

    def spend(self, usage: Usage) -> None:
        self.usage = usage if self.usage is None else add_usage(self.usage, usage)
        self._level.spend(usage)

    async def stream(self, name: str, text: str) -> None:
        if text:
            self.is_streaming = True
            self._level.responses.on_piece(self.index, name, text)
            await self._level.run.journal.drain()

    def emit(self, kind: type[Event], /, **fields: Any) -> None:
        names = kind.__struct_fields__
        if "node_id" in names:
            fields.setdefault("node_id", self.node_id)
        if "execution_id" in names:
            fields.setdefault("execution_id", self.execution_id)
        run = self._level.run
        # A record is told when a call was made; one that was taken from the record is not made again.
        has_past = run.past.is_same_run and kind is not CallRecorded
        if has_past and run.past.was_told(kind, self.place, _round_of(kind, fields)):
            return
        run.emit(kind, **fields)

    async def settle(self) -> None:
        await self._level.run.journal.settle()

    def recorded_calls(self) -> Sequence[CallRecorded]:
        return self._level.run.past.calls.get(self.place, ())

    def take(self, handle: str) -> None:
        self.handle = handle

    def assign(self, selector: Selector, value: Value) -> None:
        self.pool.set(selector, value)
        if selector[0] == "conversation":
            self._level.assigned[selector] = value
            self.emit(VariableAssigned, selector=selector, value=plain(value))

    def end_container(self) -> None:
        self.has_ended = True

    async def run_round(self, index: int, pool: VariablePool) -> RoundResult:
        if self._turns is None:
            self._turns = Turns(self._level.voice)
        return await self._level.run_round(self.node_id, index, pool, self._turns.of(index), self.pauses)


def _round_of(kind: type[Event], fields: Mapping[str, Any]) -> int:
    return fields["index"] if kind is ContainerAdvanced else -1
