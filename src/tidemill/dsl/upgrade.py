"""From the graph of a file, of whatever version, to the nodes and edges that the engine builds.

The rules are those of the reference `workflow-dsl.md`, section 1.4. They are applied each time an app is
compiled; the stored document keeps its author's form, so that an export differs from the import only where
somebody changed something.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tidemill.dsl.app_file import AppFile
from tidemill.dsl.problems import DslInvalid
from tidemill.dsl.structure import handle_of, is_drawn_only, label, parent_of
from tidemill.dsl.upgrade_nodes import upgrade_data
from tidemill.engine.graph import EdgeSpec, ErrorStrategy, NodeSpec, RetryPolicy
from tidemill.engine.node import REGISTRY
from tidemill.engine.values import Value, ValueType, fits

_CONTAINERS: Final = {"iteration": "iteration-start", "loop": "loop-start"}
_START_FLAGS: Final = ("isIterationStart", "isLoopStart")
_RENAMED: Final = {"variable-assigner": "variable-aggregator"}
MAX_RETRIES: Final = 10


def upgrade(app: AppFile) -> tuple[list[NodeSpec], list[EdgeSpec]]:
    """The nodes and edges of a graph app in today's form, notes left out.

    Raises:
        DslInvalid: A default value that does not have its declared type; names the node.
    """
    kept = {node["id"]: node for node in app.nodes if not is_drawn_only(node)}
    edges = [
        EdgeSpec(edge["source"], edge["target"], handle_of(edge))
        for edge in app.edges
        if edge["source"] in kept and edge["target"] in kept
    ]
    parents = {node_id: parent_of(node, kept) for node_id, node in kept.items()}
    starts: list[NodeSpec] = []
    specs: list[NodeSpec] = []
    for node_id, node in kept.items():
        data: Mapping[str, Any] = node["data"]
        if data["type"] in _CONTAINERS:
            children = {child: kept[child]["data"] for child, parent in parents.items() if parent == node_id}
            data, start = _with_start(node_id, data, children, kept, edges)
            if start is not None:
                starts.append(start)
        specs.append(_spec(node, data, parents[node_id]))
    return specs + starts, list(dict.fromkeys(edges))


def _spec(node: Mapping[str, Any], data: Mapping[str, Any], parent_id: str | None) -> NodeSpec:
    kind = _RENAMED.get(str(data["type"]), str(data["type"]))
    upgraded = upgrade_data(kind, data)
    strategy = _strategy(data)
    return NodeSpec(
        id=node["id"],
        type=kind,
        version=_version(kind, data),
        data=upgraded,
        title=str(data.get("title") or ""),
        parent_id=parent_id,
        error_strategy=strategy,
        default_values=_default_values(node) if strategy == "default-value" else None,
        retry=_retry(upgraded.get("retry_config")),
    )


def _version(kind: str, data: Mapping[str, Any]) -> str:
    """The configuration's version. Files also write "2" where only the form of a field changed."""
    if kind == "agent":
        is_bound = "agent_binding" in data or "agent_node_kind" in data
        return "2" if is_bound else "1"
    if kind == "assigner":
        return "1" if data.get("items") is None and data.get("assigned_variable_selector") else "2"
    written = str(data.get("version") or "1")
    return written if (kind, written) in REGISTRY else "1"


def _strategy(data: Mapping[str, Any]) -> ErrorStrategy | None:
    match data.get("error_strategy"):
        case "fail-branch":
            return "fail-branch"
        case "default-value":
            return "default-value"
        case _:
            return None


def _retry(config: Any) -> RetryPolicy | None:
    if not isinstance(config, dict) or config.get("retry_enabled") is not True:
        return None
    count, interval = config.get("max_retries"), config.get("retry_interval")
    if not isinstance(count, int) or count <= 0:
        return None
    interval_ms = interval if isinstance(interval, (int, float)) and interval > 0 else 0
    return RetryPolicy(min(count, MAX_RETRIES), interval_ms / 1000)


def _default_values(node: Mapping[str, Any]) -> dict[str, Any]:
    entries = node["data"].get("default_value")
    found: dict[str, Any] = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            found[entry["key"]] = _default_value(node, entry)
    return found


def _default_value(node: Mapping[str, Any], entry: Mapping[str, Any]) -> Value:
    value, name = entry.get("value"), str(entry.get("type") or "string").lower()
    fault = f"Node {label(node)}: the default value of `{entry['key']}` is not of type {name}."
    try:
        kind = ValueType(name)
        if isinstance(value, str) and kind.is_number:
            return float(value)
        if isinstance(value, str) and (kind is ValueType.OBJECT or kind.is_array):
            value = json.loads(value)
    except ValueError:
        raise DslInvalid(fault, node_id=node["id"]) from None
    if value is not None and not fits(value, kind):
        raise DslInvalid(fault, node_id=node["id"])
    return value


def _with_start(
    container_id: str,
    data: Mapping[str, Any],
    children: Mapping[str, Mapping[str, Any]],
    taken: Mapping[str, Any],
    edges: list[EdgeSpec],
) -> tuple[Mapping[str, Any], NodeSpec | None]:
    """A container's data with its start node; makes one, and its edges, where an old file has none."""
    kind = _CONTAINERS[str(data["type"])]
    named = str(data.get("start_node_id") or "")
    own = named if children.get(named, {}).get("type") == kind else ""
    own = own or next((child for child, child_data in children.items() if child_data.get("type") == kind), "")
    if own or not children:
        return {**data, "start_node_id": own}, None
    start_id = f"{container_id}start"
    while start_id in taken:
        start_id += "0"
    for first in _first_children(named, children, edges):
        edges.append(EdgeSpec(start_id, first))
    start = NodeSpec(id=start_id, type=kind, data={"type": kind}, parent_id=container_id)
    return {**data, "start_node_id": start_id}, start


def _first_children(named: str, children: Mapping[str, Mapping[str, Any]], edges: Sequence[EdgeSpec]) -> list[str]:
    if named in children:
        return [named]
    flagged = [child for child, data in children.items() if any(data.get(flag) is True for flag in _START_FLAGS)]
    if flagged:
        return flagged[:1]
    reached = {edge.target for edge in edges if edge.source in children}
    return [child for child in children if child not in reached]
