"""Faults of a graph that no reading can mend: repeated ids, edges into nothing, cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tidemill.dsl.app_file import AppFile
from tidemill.dsl.problems import Problem

_IGNORED_TYPES: Final = frozenset({"custom-note", "start-placeholder", "datasource-empty", "custom-datasource-empty"})


def is_drawn_only(node: Mapping[str, Any]) -> bool:
    """Whether a node is decoration: a note, a placeholder, or a node without type."""
    data = node.get("data")
    return node.get("type") in _IGNORED_TYPES or not isinstance(data, dict) or not data.get("type")


def is_note(node: Mapping[str, Any]) -> bool:
    return node.get("type") == "custom-note"


def label(node: Mapping[str, Any]) -> str:
    """How a sentence names a node: its title and its id."""
    data = node.get("data")
    title = data.get("title") or data.get("type") if isinstance(data, dict) else None
    return f'"{title}" ({node["id"]})' if title else f'"{node["id"]}"'


def handle_of(edge: Mapping[str, Any]) -> str:
    """The source handle of an edge in today's spelling."""
    handle = str(edge.get("sourceHandle") or "")
    return "source" if handle in ("", "success-branch") else handle


def parent_of(node: Mapping[str, Any], ids: Mapping[str, Any]) -> str | None:
    """The container a node lies in; some files say it in `data`, some only in `parentId`."""
    data = node.get("data") or {}
    named = [data.get("iteration_id"), data.get("loop_id")]
    outer = node.get("parentId")
    found = [name for name in named if name and name in ids and name != node["id"]]
    if outer in ids and (outer in found or not found):
        return outer
    return found[0] if found else None


def graph_problems(app: AppFile) -> list[Problem]:
    """Every structural fault of the file's graph, in the order of the file."""
    nodes = app.nodes
    by_id: dict[str, Mapping[str, Any]] = {}
    problems: list[Problem] = []
    for node in nodes:
        if node["id"] in by_id:
            message = f"Two nodes have the id {node['id']}: {label(by_id[node['id']])} and {label(node)}."
            problems.append(Problem(message, node["id"], "repeated_id"))
        by_id[node["id"]] = node
    edges: list[tuple[str, str]] = []
    for edge in app.edges:
        missing = next((end for end in (edge["source"], edge["target"]) if end not in by_id), None)
        if missing is None:
            edges.append((edge["source"], edge["target"]))
            continue
        name = f' "{edge["id"]}"' if edge.get("id") else ""
        ends = f"from {edge['source']} to {edge['target']}"
        message = f"The edge{name} leads {ends}, but there is no node with the id {missing}."
        problems.append(Problem(message, None, "dangling_edge"))
    return problems + _roots(nodes) + _cycles(by_id, edges)


def _roots(nodes: Sequence[Mapping[str, Any]]) -> list[Problem]:
    kinds = [(node, str((node.get("data") or {}).get("type") or "")) for node in nodes]
    start = next((node for node, kind in kinds if kind == "start"), None)
    trigger = next((node for node, kind in kinds if kind.startswith("trigger-")), None)
    if start is None or trigger is None:
        return []
    message = f"The start node {label(start)} and the trigger {label(trigger)} exclude each other; remove one of them."
    return [Problem(message, trigger["id"], "start_and_trigger")]


def _cycles(by_id: Mapping[str, Mapping[str, Any]], edges: Sequence[tuple[str, str]]) -> list[Problem]:
    """One problem for the first cycle found."""
    after: dict[str, list[str]] = {}
    for source, target in edges:
        after.setdefault(source, []).append(target)
    done: set[str] = set()
    for root in by_id:
        path = _cycle_from(root, after, done)
        if path:
            names = " → ".join(label(by_id[node_id]) for node_id in (*path, path[0]))
            message = f"The edges form a cycle: {names}. Remove one of them, or use a loop node."
            return [Problem(message, path[0], "cycle")]
    return []


def _cycle_from(root: str, after: Mapping[str, list[str]], done: set[str]) -> list[str]:
    """The nodes of a cycle that can be reached from `root`, in order; adds what it has seen to `done`."""
    if root in done:
        return []
    path: dict[str, None] = {root: None}
    waiting = [iter(after.get(root, ()))]
    while waiting:
        target = next(waiting[-1], None)
        if target is None:
            waiting.pop()
            done.add(path.popitem()[0])
        elif target in path:
            order = list(path)
            return order[order.index(target) :]
        elif target not in done:
            path[target] = None
            waiting.append(iter(after.get(target, ())))
    return []
