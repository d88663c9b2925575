"""Ids as text. YAML reads an unquoted id as a number; everything here compares ids as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

_NODE_KEYS: Final = ("id", "parentId")
_EDGE_KEYS: Final = ("id", "source", "target", "sourceHandle", "targetHandle")
_DATA_KEYS: Final = ("iteration_id", "loop_id", "start_node_id")
_NAMED_LISTS: Final = {"cases": ("id", "case_id"), "classes": ("id",), "user_actions": ("id",)}
_KIND_KEYS: Final = ("type", "input_type", "value_type")


def with_text_ids(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with every id and selector as text. Parts that need no change are not copied."""
    workflow = document.get("workflow")
    if not isinstance(workflow, dict):
        return document
    return _replace(document, "workflow", _workflow(workflow))


def _workflow(workflow: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("environment_variables", "conversation_variables"):
        workflow = _each(workflow, name, _variable)
    graph = workflow.get("graph")
    if not isinstance(graph, dict):
        return workflow
    graph = _each(_each(graph, "nodes", _node), "edges", lambda edge: _texts(edge, _EDGE_KEYS))
    return _replace(workflow, "graph", graph)


def _variable(variable: Mapping[str, Any]) -> Mapping[str, Any]:
    return _selectors(_texts(variable, ("id",)))


def _node(node: Mapping[str, Any]) -> Mapping[str, Any]:
    node = _texts(node, _NODE_KEYS)
    data = node.get("data")
    if not isinstance(data, dict):
        return node
    changed = _selectors(_texts(data, _DATA_KEYS))
    for name, keys in _NAMED_LISTS.items():
        changed = _each(changed, name, lambda item, keys=keys: _texts(item, keys))
    return _replace(node, "data", changed)


def _selectors(value: Any) -> Any:
    """Turn the parts of every selector below `value` into text."""
    if isinstance(value, list):
        items = [_selectors(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    holds_selector = any(value.get(key) == "variable" for key in _KIND_KEYS)
    changed: dict[str, Any] | None = None
    for key, item in value.items():
        if not isinstance(item, (list, dict)):
            continue
        is_selector = key.endswith("selector") or key in ("variable", "query") or (key == "value" and holds_selector)
        new = _selector(item) if is_selector and isinstance(item, list) else _selectors(item)
        if key == "variables" and isinstance(new, list):
            new = _unchanged([_selector(entry) if isinstance(entry, list) else entry for entry in new], new)
        if new is not item:
            changed = dict(value) if changed is None else changed
            changed[key] = new
    return value if changed is None else changed


def _selector(parts: list[Any]) -> list[Any]:
    return _unchanged([_text(part) for part in parts], parts)


def _unchanged(new: list[Any], old: list[Any]) -> list[Any]:
    return old if all(left is right for left, right in zip(new, old, strict=True)) else new


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _texts(mapping: Mapping[str, Any], keys: tuple[str, ...]) -> Mapping[str, Any]:
    for key in keys:
        if key in mapping:
            mapping = _replace(mapping, key, _text(mapping[key]))
    return mapping


def _each(
    mapping: Mapping[str, Any], key: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> Mapping[str, Any]:
    items = mapping.get(key)
    if not isinstance(items, list):
        return mapping
    return _replace(
        mapping, key, _unchanged([change(item) if isinstance(item, dict) else item for item in items], items)
    )


def _replace(mapping: Mapping[str, Any], key: str, value: Any) -> Mapping[str, Any]:
    return mapping if mapping.get(key) is value else {**mapping, key: value}
