"""What a fork does anew and what it takes: the cone of nodes behind a change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tidemill.domains.runs.errors import ForkRefused, NodeUnknown
from tidemill.engine.events import Event, NodeFinished
from tidemill.engine.graph import Graph
from tidemill.engine.values import Selector


def cone(graph: Graph, node_id: str, changed: Iterable[Selector]) -> frozenset[str]:
    """The nodes of the top level that are run again: from a node on, and from whatever reads a changed variable on.

    Raises:
        NodeUnknown: The graph has no node of this id.
    """
    begin = {_top(graph, node_id)}
    changed = [tuple(selector) for selector in changed]
    for top_id in graph.nodes:
        read = {tuple(selector[:2]) for member in _with_children(graph, top_id) for selector in member}
        if any(selector[:2] in read for selector in changed):
            begin.add(top_id)
    after: dict[str, list[str]] = {}
    for edge in graph.edges:
        after.setdefault(edge.source, []).append(edge.target)
    found, todo = set(begin), list(begin)
    while todo:
        for target in after.get(todo.pop(), ()):
            if target not in found:
                found.add(target)
                todo.append(target)
    return frozenset(found)


def top_of(place: str) -> str:
    """The node of the top level that a place belongs to: "loop" for "loop[3]/llm"."""
    return place.partition("/")[0].partition("[")[0]


def edited(graph: Graph, events: Sequence[Event], outputs: Mapping[str, Mapping[str, Any]]) -> list[Event]:
    """A journal in which some nodes gave other outputs.

    Raises:
        NodeUnknown: A node is not there, or gave nothing in this run.
        ForkRefused: A node whose outputs are computed anew in every run, or an output that it does not have.
    """
    for node_id in outputs:
        planned = graph.nodes.get(node_id)
        if planned is None:
            raise NodeUnknown(f"The app has no node {node_id} outside of containers.")
        if not planned.node.is_effectful:
            raise ForkRefused(
                f'The outputs of "{planned.title}" ({node_id}) are computed from what it reads. Edit that instead.',
                params="outputs",
            )
    changed = [_edited(event, outputs) for event in events]
    for node_id in outputs:
        if not any(_is_result(event, node_id) for event in events):
            raise NodeUnknown(f"The node {node_id} gave no result in this run.")
    return changed


def _edited(event: Event, outputs: Mapping[str, Mapping[str, Any]]) -> Event:
    if not isinstance(event, NodeFinished) or event.node_id not in outputs or not _is_result(event, event.node_id):
        return event
    changes = outputs[event.node_id]
    for name in changes:
        if name not in (event.outputs or {}):
            known = ", ".join(event.outputs or {}) or "none"
            raise ForkRefused(f"The node {event.node_id} has no output `{name}`. It has: {known}.", params="outputs")
    sealed = None if event.sealed is None else {**event.sealed, **changes}
    return msgspec.structs.replace(event, outputs={**(event.outputs or {}), **changes}, sealed=sealed)


def _is_result(event: Event, node_id: str) -> bool:
    return (
        isinstance(event, NodeFinished)
        and event.node_id == node_id
        and event.scope is None
        and event.status == "succeeded"
    )


def _top(graph: Graph, node_id: str) -> str:
    for top_id in graph.nodes:
        child = graph.children.get(top_id)
        if top_id == node_id or (child is not None and node_id in child.all_ids):
            return top_id
    raise NodeUnknown(f"The app has no node {node_id}, in the state in which this run ran it.")


def _with_children(graph: Graph, top_id: str) -> Iterable[Iterable[Selector]]:
    yield graph.nodes[top_id].node.reads()
    if (child := graph.children.get(top_id)) is not None:
        for planned in child.walk():
            yield planned.node.reads()
