"""What the scheduler reads of a graph: integers, counters and edges by handle, worked out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidemill.engine.node import Node
from tidemill.engine.templates import Segment, VariableSegment
from tidemill.engine.values import Selector


class PlanNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node with everything about it that is the engine's business."""

    id: str
    type: str
    node: Node[Any, Any]
    title: str
    error_strategy: str | None
    default_values: dict[str, Any]
    max_retries: int
    retry_interval_s: float
    is_branching: bool


class Exit(msgspec.Struct, frozen=True):
    """The edges of one outgoing handle: targets by index, and which of them block a response."""

    handle: str
    targets: tuple[int, ...]


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A node that shows text to the user, and when its stream may begin.

    `free` are the edges that block nothing, by source; `blocking` the sources whose outgoing edges
    must be taken first; `reached` what can be reached from the root over free edges alone.
    """

    index: int
    node_id: str
    is_markdown: bool
    segments: tuple[Segment, ...]
    free: Mapping[int, tuple[int, ...]]
    blocking: frozenset[int]
    reached: frozenset[int]


class Plan:
    """One level of a graph from one root.

    Attributes:
        nodes: The reachable nodes; everything below speaks of them by index. The root is 0.
        in_degree: Edges from reachable nodes, by target.
        exits: Outgoing edges by source, grouped by handle.
        responses: The response nodes, in ascending order of their ids.
        watched: Selectors that some response shows, so that their pieces must be kept.
        blocking: Sources of edges that hold back at least one response.
    """

    __slots__ = ("blocking", "exits", "in_degree", "index_of", "nodes", "responses", "watched")

    def __init__(self, nodes: list[PlanNode], exits: list[tuple[Exit, ...]], in_degree: list[int]) -> None:
        self.nodes = nodes
        self.exits = exits
        self.in_degree = in_degree
        self.index_of = {node.id: index for index, node in enumerate(nodes)}
        self.responses = _responses(self)
        self.watched = frozenset(
            segment.selector
            for response in self.responses
            for segment in response.segments
            if isinstance(segment, VariableSegment)
        )
        self.blocking = frozenset(source for response in self.responses for source in response.blocking)

    @classmethod
    def build(cls, root_id: str, nodes: Mapping[str, PlanNode], edges: Sequence[tuple[str, str, str]]) -> Plan:
        """Keep what `root_id` reaches. `edges` are (source, target, handle)."""
        after: dict[str, list[tuple[str, str]]] = {}
        for source, target, handle in edges:
            after.setdefault(source, []).append((target, handle))
        order: dict[str, int] = {root_id: 0}
        todo = [root_id]
        for node_id in todo:
            for target, _ in after.get(node_id, ()):
                if target not in order:
                    order[target] = len(order)
                    todo.append(target)
        in_degree = [0] * len(order)
        exits: list[tuple[Exit, ...]] = []
        for node_id in order:
            by_handle: dict[str, list[int]] = {}
            for target, handle in after.get(node_id, ()):
                by_handle.setdefault(handle, []).append(order[target])
                in_degree[order[target]] += 1
            exits.append(tuple(Exit(handle, tuple(targets)) for handle, targets in by_handle.items()))
        return cls([nodes[node_id] for node_id in order], exits, in_degree)


def _responses(plan: Plan) -> tuple[Response, ...]:
    texts = {index: node.node.response() for index, node in enumerate(plan.nodes)}
    found: list[Response] = []
    for index, segments in texts.items():
        if segments is None:
            continue
        shown = {segment.selector[:2] for segment in segments if isinstance(segment, VariableSegment)}
        blocking = {
            source
            for source, node in enumerate(plan.nodes)
            if source != index
            and (
                node.is_branching
                or node.node.is_container
                or texts[source] is not None
                or _writes(node.node.writes(), shown)
            )
        }
        on_the_way = _ancestors(plan, index)
        free = {
            source: tuple(target for exit_ in plan.exits[source] for target in exit_.targets if target in on_the_way)
            for source in on_the_way - blocking
            if source != index
        }
        found.append(
            Response(
                index=index,
                node_id=plan.nodes[index].id,
                is_markdown=plan.nodes[index].type == "answer",
                segments=segments,
                free=free,
                blocking=frozenset(blocking & on_the_way),
                reached=frozenset(flood(free, {0})),
            )
        )
    return tuple(sorted(found, key=lambda response: response.node_id))


def _writes(written: Sequence[Selector], shown: set[Selector]) -> bool:
    return any(selector[:2] in shown for selector in written)


def _ancestors(plan: Plan, index: int) -> set[int]:
    """`index` and everything that leads to it."""
    before: dict[int, list[int]] = {}
    for source, exits in enumerate(plan.exits):
        for exit_ in exits:
            for target in exit_.targets:
                before.setdefault(target, []).append(source)
    found, todo = {index}, [index]
    while todo:
        for source in before.get(todo.pop(), ()):
            if source not in found:
                found.add(source)
                todo.append(source)
    return found


def flood(free: Mapping[int, tuple[int, ...]], begin: set[int]) -> set[int]:
    """Everything reachable from `begin` over free edges, `begin` included."""
    found, todo = set(begin), list(begin)
    while todo:
        for target in free.get(todo.pop(), ()):
            if target not in found:
                found.add(target)
                todo.append(target)
    return found
