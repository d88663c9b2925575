"""Graphs with one container, for the tests of iteration and loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.probes import Gates, edges
from tidemill import nodes as node_types
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import ContainerAdvanced, ContainerFinished, ContainerStarted
from tidemill.engine.graph import EdgeSpec, NodeSpec
from tidemill.engine.node import Context, Node, NodeConfig
from tidemill.engine.scheduler import Limits
from tidemill.engine.testing import Result, run_graph
from tidemill.engine.values import Selector, Value, ValueType

assert node_types  # importing them registers them


class ActConfig(NodeConfig):
    source: tuple[str, ...] = ("box", "item")


class Act(Node[ActConfig, dict[str, Any]]):
    """Does what the item says: {"give": value}, {"fail": message}, {"wait": gate}, {"nothing": true}."""

    type = "probe-act"
    title = "Act"

    async def run(self, ctx: Context) -> dict[str, Any]:
        item: Any = ctx.value(self.config.source)
        gates = ctx.port(Gates)
        gates.running += 1
        gates.most_running = max(gates.most_running, gates.running)
        gates.calls[ctx.place] = gates.calls.get(ctx.place, 0) + 1
        try:
            if not isinstance(item, dict):
                return {"output": item}
            if gate := item.get("wait"):
                await gates.gate(gate).wait()
            if message := item.get("fail"):
                raise NodeFailed(message, error_type="ActFailed")
            return {} if item.get("nothing") else {"output": item.get("give")}
        finally:
            gates.running -= 1


def spec(node_id: str, kind: str, /, parent: str | None = None, **data: Any) -> NodeSpec:
    """A node of a real type."""
    return NodeSpec(id=node_id, type=kind, data=data, title=node_id, parent_id=parent)


def iteration(items: Any, *children: NodeSpec, lines: Sequence[str] = (), **config: Any) -> tuple[Any, ...]:
    """start > box > end, where box goes over `items`; without children, one `act` for each item."""
    given: dict[str, Any] = {
        "iterator_selector": ["s", "items"],
        "output_selector": ["act", "output"],
        "start_node_id": "begin",
    }
    nodes = [
        spec("s", "probe-begin"),
        spec("box", "iteration", **{**given, **config}),
        spec("begin", "iteration-start", "box"),
        *(children or (spec("act", "probe-act", "box"),)),
        spec("end", "end", outputs=[{"variable": "out", "value_selector": ["box", "output"]}]),
    ]
    return nodes, edges("s > box > end", *(lines or ("begin > act",))), {("s", "items"): items}


def loop(*children: NodeSpec, lines: Sequence[str], outputs: Sequence[str] = (), **config: Any) -> tuple[Any, ...]:
    """start > box > end, where box is a loop; the end gives `outputs` of the loop."""
    nodes = [
        spec("s", "probe-begin"),
        spec("box", "loop", None, **{"start_node_id": "begin", "loop_count": 3, **config}),
        spec("begin", "loop-start", "box"),
        *children,
        spec("end", "end", outputs=[{"variable": name, "value_selector": ["box", name]} for name in outputs]),
    ]
    return nodes, edges("s > box > end", *lines), {}


async def run(
    graph: tuple[Sequence[NodeSpec], Sequence[EdgeSpec], Mapping[Selector, Value]],
    *,
    gates: Gates | None = None,
    values: Mapping[Selector, Value] | None = None,
    types: Mapping[Selector, ValueType] | None = None,
    limits: Limits | None = None,
) -> Result:
    nodes, lines, given = graph
    ports: dict[type, object] = {Gates: gates or Gates()}
    return await run_graph(nodes, lines, {**given, **(values or {})}, ports=ports, types=types, limits=limits)


def begun(result: Result) -> list[ContainerStarted]:
    return [event for event in result.events if isinstance(event, ContainerStarted)]


def rounds(result: Result) -> list[ContainerAdvanced]:
    return [event for event in result.events if isinstance(event, ContainerAdvanced)]


def completed(result: Result) -> list[ContainerFinished]:
    return [event for event in result.events if isinstance(event, ContainerFinished)]


async def until(holds: Callable[[], bool]) -> None:
    """Let the run go on until something holds; a run that never comes there fails the test."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)
