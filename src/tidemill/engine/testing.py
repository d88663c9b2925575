"""Run one node or one small graph in a test, with no server and no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from tidemill.engine.context import NodeContext
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import Event, NodeFinished, RunFinished, TextDelta
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.level import Level
from tidemill.engine.node import Node, RunInfo
from tidemill.engine.scheduler import Limits, Run
from tidemill.engine.values import Selector, Value, ValueType, VariablePool

O = TypeVar("O")  # noqa: E741 - the output's type


class Result(msgspec.Struct, kw_only=True):
    """What a test wants to know of a run."""

    events: list[Event]
    finished: RunFinished
    pool: VariablePool

    @property
    def text(self) -> str:
        """The streamed pieces, joined as a reader saw them."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def pieces(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, TextDelta)]

    def nodes(self, node_id: str) -> list[NodeFinished]:
        """How the executions of a node ended."""
        return [event for event in self.events if isinstance(event, NodeFinished) and event.node_id == node_id]


def pool_of(
    values: Mapping[Selector, Value] | None = None,
    *,
    types: Mapping[Selector, ValueType] | None = None,
    secrets: Sequence[str] = (),
) -> VariablePool:
    """A pool holding `values`; those in `types` are declared."""
    pool = VariablePool(secrets=secrets)
    for selector, value in (values or {}).items():
        kind = (types or {}).get(selector)
        if kind is None:
            pool.set(selector, value)
        else:
            pool.declare(selector, kind, value)
    return pool


async def run_node(
    kind: type[Node[Any, O]],
    config: Mapping[str, Any],
    *,
    values: Mapping[Selector, Value] | None = None,
    types: Mapping[Selector, ValueType] | None = None,
    ports: Mapping[type, object] | None = None,
    secrets: Sequence[str] = (),
    info: RunInfo | None = None,
) -> O:
    """Run one node on `values` and return its output as the node gave it. Raises what the node raises."""
    output, _ = await inspect_node(kind, config, values=values, types=types, ports=ports, secrets=secrets, info=info)
    return output


async def inspect_node(
    kind: type[Node[Any, O]],
    config: Mapping[str, Any],
    *,
    values: Mapping[Selector, Value] | None = None,
    types: Mapping[Selector, ValueType] | None = None,
    ports: Mapping[type, object] | None = None,
    secrets: Sequence[str] = (),
    info: RunInfo | None = None,
) -> tuple[O, NodeInspection]:
    """Like `run_node`, with what happened: handle, records, events, pool, usage."""
    node = kind.parse("node", config)
    journal = MemoryJournal()
    pool = pool_of(values, types=types, secrets=secrets)
    graph = Graph.build([NodeSpec(id="node", type=kind.type, version=kind.version, data=config)], [], any_root=True)
    run = Run(graph, pool, info=info or RunInfo(run_id="run"), ports=ports or {}, journal=journal, root_id="node")
    ctx = NodeContext(Level(run, graph, pool, "node", scope=None), 0, "node", "execution")
    try:
        output = await node.run(ctx)
    except NodeFailed as failure:
        failure.add_note(f"records: {ctx.inputs} {ctx.process}")
        raise
    return output, NodeInspection(ctx=ctx, events=journal.events, pool=pool)


class NodeInspection(msgspec.Struct, kw_only=True):
    """What a single execution left behind."""

    ctx: NodeContext
    events: list[Event]
    pool: VariablePool

    @property
    def handle(self) -> str | None:
        return self.ctx.handle

    @property
    def inputs(self) -> dict[str, Any]:
        return self.ctx.inputs or {}

    @property
    def process(self) -> dict[str, Any]:
        return self.ctx.process or {}


async def run_graph(
    nodes: Sequence[NodeSpec],
    edges: Sequence[EdgeSpec],
    values: Mapping[Selector, Value] | None = None,
    *,
    ports: Mapping[type, object] | None = None,
    types: Mapping[Selector, ValueType] | None = None,
    limits: Limits | None = None,
    root_id: str | None = None,
) -> Result:
    """Run a whole graph and return its events."""
    journal = MemoryJournal()
    pool = pool_of(values, types=types)
    run = Run(
        Graph.build(nodes, edges),
        pool,
        info=RunInfo(run_id="run"),
        ports=ports or {},
        journal=journal,
        limits=limits,
        root_id=root_id,
    )
    finished = await run.execute()
    return Result(events=journal.events, finished=finished, pool=pool)
