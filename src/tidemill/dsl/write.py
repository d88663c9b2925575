"""Write an app file: the canonical text of its document, with nothing in it that must not travel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tidemill.dsl.app_file import AppFile
from tidemill.dsl.yaml_writer import dump

_ORDER: Final = (
    "version",
    "kind",
    "app",
    "rag_pipeline",
    "agent",
    "agent_packages",
    "model_config",
    "workflow",
    "dependencies",
)
_DEFAULT_SCHEDULE: Final[Mapping[str, Any]] = {
    "mode": "visual",
    "frequency": "daily",
    "visual_config": {"time": "12:00 AM", "on_minute": 0, "weekdays": ["sun"], "monthly_days": [1]},
    "timezone": "UTC",
}


def write(app: AppFile, *, include_secrets: bool = False) -> str:
    """The canonical YAML of an app.

    The top-level keys come in a fixed order, everything inside in the document's. Credentials, addresses
    of this installation and (unless `include_secrets`) secret values are left out.
    """
    document = travelling(app.document, include_secrets=include_secrets)
    ordered = {key: document[key] for key in _ORDER if key in document}
    return dump({**ordered, **{key: value for key, value in document.items() if key not in ordered}})


def travelling(document: Mapping[str, Any], *, include_secrets: bool = False) -> dict[str, Any]:
    """The document as it may leave this installation. Parts that need no change are not copied."""
    found = dict(document)
    for section in ("app", "rag_pipeline"):
        _change(found, section, _without_image)
    _change(found, "model_config", _model_config)
    _change(found, "workflow", lambda workflow: _workflow(workflow, include_secrets))
    return found


def _change(mapping: dict[str, Any], key: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    if isinstance(mapping.get(key), dict):
        mapping[key] = change(mapping[key])


def _each(items: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    return [change(item) if isinstance(item, dict) else item for item in items] if isinstance(items, list) else items


def _without(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def _without_image(head: dict[str, Any]) -> dict[str, Any]:
    # A picture lives in this installation's storage; a character goes in its place.
    if head.get("icon_type") != "image":
        return head
    kept = {"icon_url": ""} if "icon_url" in head else {}
    return {**head, "icon_type": "emoji", "icon": "🤖", "icon_background": "#FFEAD5", **kept}


def _model_config(settings: dict[str, Any]) -> dict[str, Any]:
    mode = settings.get("agent_mode")
    if not isinstance(mode, dict) or "tools" not in mode:
        return settings
    tools = _each(mode["tools"], lambda tool: _without(tool, "credential_id"))
    return {**settings, "agent_mode": {**mode, "tools": tools}}


def _workflow(workflow: dict[str, Any], include_secrets: bool) -> dict[str, Any]:
    found = dict(workflow)
    if not include_secrets and "environment_variables" in found:
        found["environment_variables"] = _each(found["environment_variables"], _without_secret)
    graph = found.get("graph")
    if isinstance(graph, dict) and "nodes" in graph:
        found["graph"] = {**graph, "nodes": _each(graph["nodes"], _node)}
    return found


def _without_secret(variable: dict[str, Any]) -> dict[str, Any]:
    return {**variable, "value": ""} if variable.get("value_type") == "secret" else variable


def _node(node: dict[str, Any]) -> dict[str, Any]:
    data = node.get("data")
    change = _DATA_CHANGES.get(str(data.get("type"))) if isinstance(data, dict) else None
    return {**node, "data": change(data)} if change is not None and isinstance(data, dict) else node


def _tool(data: dict[str, Any]) -> dict[str, Any]:
    return _without(data, "credential_id")


def _agent(data: dict[str, Any]) -> dict[str, Any]:
    parameters = data.get("agent_parameters")
    tools = parameters.get("tools") if isinstance(parameters, dict) else None
    found = _without(data, "credential_id")
    if isinstance(parameters, dict) and isinstance(tools, dict) and "value" in tools:
        value = _each(tools["value"], lambda tool: _without(tool, "credential_id"))
        found["agent_parameters"] = {**parameters, "tools": {**tools, "value": value}}
    return found


def _schedule(data: dict[str, Any]) -> dict[str, Any]:
    # Only the nested form is a setting of the installation that runs it; keys of the node are the flow's own.
    return {**data, "config": dict(_DEFAULT_SCHEDULE)} if isinstance(data.get("config"), dict) else data


def _blanked(*keys: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda data: {key: "" if key in keys else value for key, value in data.items()}


_DATA_CHANGES: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "tool": _tool,
    "agent": _agent,
    "trigger-schedule": _schedule,
    "trigger-webhook": _blanked("webhook_url", "webhook_debug_url"),
    "trigger-plugin": _blanked("subscription_id"),
}
