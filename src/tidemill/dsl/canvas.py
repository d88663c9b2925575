"""A picture of an app's graph for the read-only canvas: boxes, handles and lines, in the file's places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tidemill.dsl.app_file import AGENT_MODE, MODEL_MODES, AppFile
from tidemill.dsl.layout import Box, arrange
from tidemill.dsl.model_apps import model_app_graph
from tidemill.dsl.structure import handle_of, is_drawn_only, is_note, parent_of
from tidemill.dsl.summary import summary_of
from tidemill.dsl.upgrade_nodes import upgrade_data
from tidemill.engine.node import REGISTRY

_CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "io": ("start", "end", "answer", "trigger-webhook", "trigger-schedule", "trigger-plugin"),
    "model": ("llm", "question-classifier", "parameter-extractor", "agent"),
    "knowledge": ("knowledge-retrieval", "knowledge-index", "document-extractor", "datasource"),
    "logic": ("if-else", "iteration", "loop", "iteration-start", "loop-start", "loop-end"),
    "data": (
        "code",
        "template-transform",
        "variable-aggregator",
        "variable-assigner",
        "assigner",
        "list-operator",
    ),
    "integration": ("http-request", "tool"),
    "human": ("human-input",),
}
_CATEGORY: Final = {kind: category for category, kinds in _CATEGORIES.items() for kind in kinds}
_CONTAINERS: Final = frozenset({"iteration", "loop"})
_STARTS: Final = frozenset({"iteration-start", "loop-start"})
WIDTH: Final = 244
_START_SIZE: Final = (44, 48)
_CONTAINER_SIZE: Final = (508, 206)
_NOTE_SIZE: Final = (240, 88)
_TITLE_HEIGHT: Final = 54
_LINE_HEIGHT: Final = 36


class Handle(msgspec.Struct, frozen=True):
    id: str
    label: str


class Point(msgspec.Struct, frozen=True):
    x: float
    y: float


class CanvasNode(msgspec.Struct, frozen=True, kw_only=True):
    """A box. `position` is its corner, inside its parent for a child; sizes are pixels."""

    id: str
    type: str
    title: str
    parent_id: str | None
    position: Point
    width: float
    height: float
    category: str
    summary: list[str]
    handles: list[Handle]


class CanvasEdge(msgspec.Struct, frozen=True):
    id: str
    source: str
    target: str
    handle: str


class Canvas(msgspec.Struct, frozen=True):
    """Parents come before their children."""

    nodes: list[CanvasNode]
    edges: list[CanvasEdge]


def canvas(app: AppFile) -> Canvas:
    """The boxes and lines of an app of any mode. Boxes of one level never lie on each other."""
    nodes, edges = _raw_graph(app)
    by_id = {node["id"]: node for node in nodes if is_note(node) or not is_drawn_only(node)}
    parents = {node_id: parent_of(node, by_id) for node_id, node in by_id.items()}
    lines = _lines(edges, by_id)
    boxes = {
        node_id: _box(node, parents[node_id], is_container=_kind(node) in _CONTAINERS)
        for node_id, node in by_id.items()
    }
    placed = arrange(boxes, [(line.source, line.target) for line in lines])
    ordered = sorted(by_id, key=lambda node_id: _depth(node_id, parents))
    used: dict[str, list[str]] = {}
    for line in lines:
        used.setdefault(line.source, []).append(line.handle)
    return Canvas([_drawn(by_id[node_id], placed[node_id], used.get(node_id, ())) for node_id in ordered], lines)


def _raw_graph(app: AppFile) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    if app.mode not in MODEL_MODES and app.mode != AGENT_MODE:
        return app.nodes, app.edges
    specs, edges = model_app_graph(app)
    nodes = [{"id": spec.id, "type": "custom", "data": dict(spec.data)} for spec in specs]
    return nodes, [{"source": edge.source, "target": edge.target, "sourceHandle": edge.handle} for edge in edges]


def _lines(edges: Sequence[Mapping[str, Any]], by_id: Mapping[str, Any]) -> list[CanvasEdge]:
    found: dict[tuple[str, str, str], CanvasEdge] = {}
    taken: set[str] = set()
    for edge in edges:
        source, target = edge["source"], edge["target"]
        handle = handle_of(edge)
        is_drawn = all(end in by_id and not is_note(by_id[end]) for end in (source, target))
        if not is_drawn or (source, handle, target) in found:
            continue
        name = str(edge.get("id") or f"{source}-{handle}-{target}")
        while name in taken:
            name += "-2"
        taken.add(name)
        found[source, handle, target] = CanvasEdge(name, source, target, handle)
    return list(found.values())


def _kind(node: Mapping[str, Any]) -> str:
    return str((node.get("data") or {}).get("type") or "")


def _depth(node_id: str, parents: Mapping[str, str | None]) -> int:
    depth, parent = 0, parents[node_id]
    while parent is not None and depth < len(parents):
        depth, parent = depth + 1, parents[parent]
    return depth


def _box(node: Mapping[str, Any], parent_id: str | None, *, is_container: bool) -> Box:
    data: Mapping[str, Any] = node.get("data") or {}
    position = node.get("position")
    x, y = (_number(position.get(axis)) for axis in ("x", "y")) if isinstance(position, dict) else (None, None)
    width, height = _default_size(node)
    given = (node, data) if is_container or is_note(node) else (node,)
    return Box(
        parent_id=parent_id,
        x=x,
        y=y,
        width=max((_number(source.get("width")) or 0 for source in given), default=0) or width,
        height=max((_number(source.get("height")) or 0 for source in given), default=0) or height,
        is_note=is_note(node),
        is_container=is_container,
    )


def _default_size(node: Mapping[str, Any]) -> tuple[int, int]:
    kind = _kind(node)
    if is_note(node):
        return _NOTE_SIZE
    if kind in _STARTS:
        return _START_SIZE
    if kind in _CONTAINERS:
        return _CONTAINER_SIZE
    lines = max(len(_summary(node)), len(_handles(node)) - 1)
    return WIDTH, _TITLE_HEIGHT + _LINE_HEIGHT * lines


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _drawn(node: Mapping[str, Any], box: Box, used: Sequence[str]) -> CanvasNode:
    kind = "note" if is_note(node) else _kind(node)
    node_type = REGISTRY.get((kind, "1"))
    title = (node.get("data") or {}).get("title") or (node_type.title if node_type else kind)
    return CanvasNode(
        id=node["id"],
        type=kind,
        title=str(title),
        parent_id=box.parent_id,
        position=Point(round(box.x or 0, 2), round(box.y or 0, 2)),
        width=box.width,
        height=box.height,
        category="note" if kind == "note" else _CATEGORY.get(kind, "integration"),
        summary=_summary(node),
        handles=_with_used(_handles(node), used),
    )


def _with_used(handles: list[Handle], used: Sequence[str]) -> list[Handle]:
    """The handles, and those that only an edge knows: a line must begin somewhere."""
    known = {handle.id for handle in handles}
    return [*handles, *(Handle(name, name) for name in dict.fromkeys(used) if name not in known)]


def _summary(node: Mapping[str, Any]) -> list[str]:
    data: Mapping[str, Any] = node.get("data") or {}
    return summary_of("note" if is_note(node) else _kind(node), data)


def _handles(node: Mapping[str, Any]) -> list[Handle]:
    """The outgoing handles of a box, with what they stand for."""
    kind = _kind(node)
    if is_note(node) or kind in ("end", "loop-end", "knowledge-index"):
        return []
    data = upgrade_data(kind, node["data"])
    match kind:
        case "if-else":
            cases = [case for case in data["cases"] if isinstance(case, dict)]
            handles = [
                Handle(str(case.get("case_id") or case.get("id") or ""), "IF" if index == 0 else f"ELIF {index}")
                for index, case in enumerate(cases)
            ]
            handles.append(Handle("false", "ELSE"))
        case "question-classifier":
            handles = [Handle(str(item.get("id")), str(item.get("name") or "")) for item in _entries(data, "classes")]
        case "human-input":
            actions = _entries(data, "user_actions")
            handles = [Handle(str(item.get("id")), str(item.get("title") or item.get("id"))) for item in actions]
            handles.append(Handle("__timeout", "timeout"))
        case _:
            handles = [Handle("source", "")]
    if data.get("error_strategy") == "fail-branch" or "agent_binding" in data:
        handles.append(Handle("fail-branch", "on failure"))
    return handles


def _entries(data: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = data.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
