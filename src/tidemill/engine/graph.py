"""The immutable, validated graph of one app, indexed for running.

Rules: reference `workflow-dsl.md`, sections 1.10, 2 and 4.1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from tidemill.engine.errors import GraphInvalid, NodeFailed
from tidemill.engine.node import REGISTRY, Context, Node, NodeConfig
from tidemill.engine.plan import Plan, PlanNode

ErrorStrategy: TypeAlias = Literal["fail-branch", "default-value"]
MAX_DEPTH = 50


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often a failed attempt is repeated, and the pause in seconds before each."""

    max_retries: int
    interval_s: float


class NodeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A node as a file describes it. `data` is its configuration, untouched; `parent_id` its container."""

    id: str
    type: str
    data: Mapping[str, Any]
    title: str = ""
    version: str = "1"
    parent_id: str | None = None
    error_strategy: ErrorStrategy | None = None
    default_values: Mapping[str, Any] | None = None
    retry: RetryPolicy | None = None


class EdgeSpec(msgspec.Struct, frozen=True):
    source: str
    target: str
    handle: str = "source"


class UnknownNode(Node[NodeConfig, dict[str, Any]]):
    """Stands for a node whose type nobody registered: the file loads, a run that reaches it fails."""

    def __init__(self, node_id: str, config: NodeConfig, *, title: str = "", type_name: str = "") -> None:
        super().__init__(node_id, config, title=title)
        self.type_name = type_name

    async def run(self, ctx: Context) -> dict[str, Any]:
        del ctx
        raise NodeFailed(
            f'The node "{self.label}" has the type "{self.type_name}", which this version does not know.',
            is_retryable=False,
        )


class Graph:
    """Nodes and edges of one level, with the sub-graphs of its containers.

    Build once, run many times, share freely: nothing in it changes after `build`.
    """

    def __init__(
        self,
        nodes: Mapping[str, PlanNode],
        edges: Sequence[EdgeSpec],
        children: Mapping[str, Graph],
        roots: Sequence[str],
    ) -> None:
        self.nodes = nodes
        self.edges = tuple(edges)
        self.children = children
        self.roots = tuple(roots)
        self.all_ids = tuple(node.id for node in self.walk())
        self._plans: dict[str, Plan] = {}

    @classmethod
    def build(cls, nodes: Sequence[NodeSpec], edges: Sequence[EdgeSpec], *, any_root: bool = False) -> Graph:
        """Check and index a graph. Node types come from `engine.node.REGISTRY`.

        `any_root` accepts a graph without start node (one node run alone); the run then names its root.

        Raises:
            GraphInvalid: Duplicate ids, an edge to a missing node or across a container's border, a
                cycle, no root, a container without start, nesting over 50 levels, or a node whose
                configuration is wrong. All faults are told at once.
        """
        problems = _check_ids(nodes, edges)
        if problems:
            raise GraphInvalid(problems)
        built: dict[str, PlanNode] = {}
        for spec in nodes:
            try:
                built[spec.id] = _plan_node(spec)
            except GraphInvalid as error:
                problems.extend(error.problems)
        if problems:
            raise GraphInvalid(problems)
        graph = _level(None, nodes, _distinct(edges), built, problems, depth=1)
        if not graph.roots and not any_root:
            problems.insert(0, "The app has no start: add a start node or a trigger.")
        if problems:
            raise GraphInvalid(problems)
        return graph

    def plan(self, root_id: str) -> Plan:
        """The part of this level that a run from `root_id` can reach. Kept for the next run."""
        plan = self._plans.get(root_id)
        if plan is None:
            plan = self._plans[root_id] = Plan.build(
                root_id, self.nodes, [(edge.source, edge.target, edge.handle) for edge in self.edges]
            )
        return plan

    def walk(self) -> Iterable[PlanNode]:
        """Every node of this level and of the levels below."""
        yield from self.nodes.values()
        for child in self.children.values():
            yield from child.walk()


def _name(spec: NodeSpec) -> str:
    return f'"{spec.title or spec.type}" ({spec.id})'


def _check_ids(nodes: Sequence[NodeSpec], edges: Sequence[EdgeSpec]) -> list[str]:
    problems: list[str] = []
    by_id: dict[str, NodeSpec] = {}
    for spec in nodes:
        if spec.id in by_id:
            problems.append(f"Two nodes have the id {spec.id}. Give one of them another.")
        by_id[spec.id] = spec
    for edge in edges:
        for end in (edge.source, edge.target):
            if end not in by_id:
                problems.append(
                    f"The edge from {edge.source} to {edge.target} ends at the node {end}, which does not exist."
                )
        source, target = by_id.get(edge.source), by_id.get(edge.target)
        if source and target and _parent(source, by_id) != _parent(target, by_id):
            problems.append(f"The edge from {_name(source)} to {_name(target)} crosses the border of a container.")
    return problems


def _parent(spec: NodeSpec, by_id: Mapping[str, NodeSpec]) -> str | None:
    """The container of a node; a parent that does not exist counts as none."""
    return spec.parent_id if spec.parent_id in by_id else None


def _distinct(edges: Iterable[EdgeSpec]) -> list[EdgeSpec]:
    return list(dict.fromkeys(edges))


def _plan_node(spec: NodeSpec) -> PlanNode:
    cls = REGISTRY.get((spec.type, spec.version)) or REGISTRY.get((spec.type, "1"))
    if cls is None:
        node: Node[Any, Any] = UnknownNode(spec.id, NodeConfig(), title=spec.title, type_name=spec.type)
    else:
        node = cls.parse(spec.id, spec.data, title=spec.title)
    retry = spec.retry if spec.retry and node.honours_retry else None
    return PlanNode(
        id=spec.id,
        type=spec.type,
        node=node,
        title=node.label,
        error_strategy=spec.error_strategy,
        default_values=dict(spec.default_values or {}),
        max_retries=retry.max_retries if retry else 0,
        retry_interval_s=retry.interval_s if retry else 0.0,
        is_branching=node.is_branch or spec.error_strategy == "fail-branch",
    )


def _level(
    parent_id: str | None,
    specs: Sequence[NodeSpec],
    edges: Sequence[EdgeSpec],
    built: Mapping[str, PlanNode],
    problems: list[str],
    depth: int,
) -> Graph:
    by_id = {spec.id: spec for spec in specs}
    own = [spec for spec in specs if _parent(spec, by_id) == parent_id]
    own_ids = {spec.id for spec in own}
    own_edges = [edge for edge in edges if edge.source in own_ids and edge.target in own_ids]
    problems.extend(_cycle(own, own_edges))
    children: dict[str, Graph] = {}
    for spec in own:
        if not built[spec.id].node.is_container:
            continue
        if depth >= MAX_DEPTH:
            problems.append(f"The container {_name(spec)} is nested deeper than {MAX_DEPTH} levels.")
            continue
        children[spec.id] = _level(spec.id, specs, edges, built, problems, depth + 1)
        start = built[spec.id].node.child_start()
        if start is None or start not in children[spec.id].nodes:
            problems.append(f"The container {_name(spec)} has no start node inside.")
    has_incoming = {edge.target for edge in own_edges}
    roots = [spec.id for spec in own if built[spec.id].node.is_root and spec.id not in has_incoming]
    return Graph({spec.id: built[spec.id] for spec in own}, own_edges, children, roots)


def _cycle(specs: Sequence[NodeSpec], edges: Sequence[EdgeSpec]) -> list[str]:
    """One sentence naming the nodes that are on or behind a cycle, or nothing."""
    missing = {spec.id: 0 for spec in specs}
    after: dict[str, list[str]] = {}
    for edge in edges:
        missing[edge.target] += 1
        after.setdefault(edge.source, []).append(edge.target)
    ready = deque(node_id for node_id, count in missing.items() if not count)
    while ready:
        for target in after.get(ready.popleft(), ()):
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    stuck = _on_cycle({node_id for node_id, count in missing.items() if count > 0}, after)
    if not stuck:
        return []
    names = ", ".join(_name(spec) for spec in specs if spec.id in stuck)
    return [f"The nodes {names} form a cycle. Remove one of the edges between them, or use a loop node."]


def _on_cycle(stuck: set[str], after: Mapping[str, list[str]]) -> set[str]:
    """Take away the nodes that are only behind the cycle: those from which nothing stuck can be reached."""
    while True:
        ends = {node_id for node_id in stuck if not any(target in stuck for target in after.get(node_id, ()))}
        if not ends:
            return stuck
        stuck = stuck - ends
