"""Apps without a graph of their own (chat, completion, agent-chat, agent) as graphs: start → llm or agent → answer.

Rules: reference `workflow-dsl.md`, section 7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tidemill.dsl.app_file import AGENT_MODE, AppFile
from tidemill.dsl.features import read_features
from tidemill.engine.graph import EdgeSpec, NodeSpec

START, LLM, AGENT, ANSWER = "start", "llm", "agent", "answer"
# The version of the node that an agent of a package is, when it owes no declared outputs.
SPEAKING: Final = "2-speaking"
_QUERY: Final = "{{#sys.query#}}"
_NAME: Final = re.compile(r"\{\{([a-zA-Z_][a-zA-Z0-9_]{0,29})\}\}")
_HISTORIES: Final = "Here is the chat history between human and assistant, inside <histories></histories> tags.\n\n"
_PACKAGE_KINDS: Final = {"number": "number", "boolean": "checkbox", "object": "json_object", "file": "file"}


def model_app_graph(app: AppFile) -> tuple[list[NodeSpec], list[EdgeSpec]]:
    """The nodes and edges of an app that is described by a model and a prompt."""
    form = input_form(app)
    worker = _bound_agent(app) if app.mode == AGENT_MODE else _worker(app, {str(item["variable"]) for item in form})
    nodes = [
        _node(START, "start", "Start", {"variables": form}),
        worker,
        _node(ANSWER, "answer", "Answer", {"answer": f"{{{{#{worker.id}.text#}}}}"}),
    ]
    return nodes, [EdgeSpec(START, worker.id), EdgeSpec(worker.id, ANSWER)]


def input_form(app: AppFile) -> list[dict[str, Any]]:
    """The fields of the form, each with its kind as `type`."""
    if app.mode == AGENT_MODE:
        return _package_form(agent_package(app))
    fields: list[dict[str, Any]] = []
    for entry in app.model_settings.get("user_input_form") or []:
        if not isinstance(entry, dict):
            continue
        kind, field = entry.get("type"), entry
        if "variable" not in entry:
            kind, field = next(iter(entry.items()), (None, None))
        if isinstance(field, dict) and field.get("variable"):
            fields.append({**field, "type": kind or "text-input"})
    return fields


def agent_package(app: AppFile) -> Mapping[str, Any]:
    """The package that an app of mode `agent` is made of; empty when the file does not hold it."""
    packages, agent = app.document.get("agent_packages"), app.document.get("agent")
    reference = agent.get("package_ref") if isinstance(agent, dict) else None
    package = packages.get(str(reference)) if isinstance(packages, dict) else None
    return package if isinstance(package, dict) else {}


def _node(node_id: str, kind: str, title: str, data: dict[str, Any], version: str = "1") -> NodeSpec:
    return NodeSpec(id=node_id, type=kind, title=title, version=version, data={"type": kind, "title": title, **data})


def _worker(app: AppFile, names: set[str]) -> NodeSpec:
    settings = app.model_settings
    if app.mode == "agent-chat":
        return _node(AGENT, AGENT, "Agent", _agent(settings, names))
    model = settings.get("model")
    is_chat = app.mode == "chat"
    data: dict[str, Any] = {
        "model": model if isinstance(model, dict) else {},
        "context": {"enabled": False, "variable_selector": []},
        "vision": _vision(settings),
        **_prompt(settings, names, is_chat=is_chat),
    }
    return _node(LLM, LLM, "LLM", data)


def _prompt(settings: Mapping[str, Any], names: set[str], *, is_chat: bool) -> dict[str, Any]:
    model = settings.get("model")
    is_text_model = isinstance(model, dict) and model.get("mode") == "completion"
    if settings.get("prompt_type") == "advanced":
        if is_text_model:
            return _advanced_text(settings, names, is_chat=is_chat)
        return _advanced_chat(settings, names, is_chat=is_chat)
    text = _with_selectors(str(settings.get("pre_prompt") or ""), names)
    if is_text_model:
        if not is_chat:
            return {"prompt_template": {"text": text}, "memory": None}
        histories = f"{_HISTORIES}<histories>\n{{{{#histories#}}}}\n</histories>\n\n"
        return {
            "prompt_template": {"text": f"{text}\n\n{histories}Human: {_QUERY}\n\nAssistant: "},
            "memory": _memory(_QUERY, {"user": "Human", "assistant": "Assistant"}),
        }
    # Without a question the system's text is what the model is asked.
    role = "system" if is_chat else "user"
    messages = [{"role": role, "text": text}] if text.strip() else []
    return {"prompt_template": messages, "memory": _memory(_QUERY) if is_chat else None}


def _advanced_chat(settings: Mapping[str, Any], names: set[str], *, is_chat: bool) -> dict[str, Any]:
    config = settings.get("chat_prompt_config")
    written = config.get("prompt") if isinstance(config, dict) else None
    messages = [
        {"role": str(item.get("role") or "user"), "text": _with_selectors(str(item.get("text") or ""), names)}
        for item in written or []
        if isinstance(item, dict)
    ]
    if not is_chat:
        return {"prompt_template": messages, "memory": None}
    question = _QUERY
    asks = any(_QUERY in message["text"] for message in messages)
    # The history stands before the last question, which is the author's own when it asks the user's.
    if asks and messages[-1]["role"] == "user":
        question = messages.pop()["text"]
    return {"prompt_template": messages, "memory": _memory(question)}


def _advanced_text(settings: Mapping[str, Any], names: set[str], *, is_chat: bool) -> dict[str, Any]:
    config = settings.get("completion_prompt_config")
    config = config if isinstance(config, dict) else {}
    prompt, roles = config.get("prompt"), config.get("conversation_histories_role")
    text = _with_selectors(str(prompt.get("text") or "") if isinstance(prompt, dict) else "", names)
    prefixes = roles if isinstance(roles, dict) else {}
    role_prefix = {
        "user": str(prefixes.get("user_prefix") or "Human"),
        "assistant": str(prefixes.get("assistant_prefix") or "Assistant"),
    }
    return {"prompt_template": {"text": text}, "memory": _memory(_QUERY, role_prefix) if is_chat else None}


def _memory(question: str, role_prefix: dict[str, str] | None = None) -> dict[str, Any]:
    memory: dict[str, Any] = {"window": {"enabled": False, "size": None}, "query_prompt_template": question}
    return {**memory, "role_prefix": role_prefix} if role_prefix else memory


def _with_selectors(text: str, names: set[str]) -> str:
    """`{{name}}` of a declared variable as a selector; other names stay as they are written."""
    text = text.replace("{{#query#}}", _QUERY).replace("{{#context#}}", "")
    return _NAME.sub(
        lambda match: f"{{{{#{START}.{match.group(1)}#}}}}" if match.group(1) in names else match.group(0), text
    )


def _vision(settings: Mapping[str, Any]) -> dict[str, Any]:
    upload = read_features(settings).file_upload
    image = upload.get("image")
    detail = image.get("detail") if isinstance(image, dict) else None
    return {
        "enabled": upload.get("enabled") is True,
        "configs": {"variable_selector": ["sys", "files"], "detail": detail or "high"},
    }


def _agent(settings: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    mode = _mapping(settings.get("agent_mode"))
    prompt = _mapping(mode.get("prompt"))
    return {
        "agent_parameters": _agent_parameters(settings, mode, names),
        "is_app": True,
        "memory": {"window": {"enabled": False, "size": None}},
        "vision": _vision(settings),
        "dataset_ids": _dataset_ids(settings, mode),
        "retrieval": {
            name: value for name, value in _mapping(settings.get("dataset_configs")).items() if name != "datasets"
        },
        "react_template": _with_selectors(str(prompt.get("first_prompt") or ""), names),
    }


def _agent_parameters(settings: Mapping[str, Any], mode: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    model = _mapping(settings.get("model"))
    # An entry of fewer than four keys is a knowledge base or a tool of 2023, which no longer exists.
    tools = [tool for tool in mode.get("tools") or [] if isinstance(tool, dict) and len(tool) >= 4]
    strategy = str(mode.get("strategy") or "")
    is_calling = strategy == "function_call" or (
        strategy not in ("cot", "react") and str(model.get("provider") or "").split("/")[-1] == "openai"
    )
    values = {
        "model": {**model, "model": model.get("name")},
        "tools": [tool for tool in tools if tool.get("enabled") is not False],
        "instruction": _with_selectors(str(settings.get("pre_prompt") or ""), names),
        "query": _QUERY,
        "maximum_iterations": mode.get("max_iteration") or 10,
        "strategy": "function_calling" if is_calling else "ReAct",
    }
    return {name: {"type": "constant", "value": value} for name, value in values.items()}


def _dataset_ids(settings: Mapping[str, Any], mode: Mapping[str, Any]) -> list[str]:
    """The knowledge bases that are on, from both places that files name them at."""
    datasets = _mapping(_mapping(settings.get("dataset_configs")).get("datasets"))
    entries = [*(mode.get("tools") or []), *(datasets.get("datasets") or [])]
    found = [_mapping(_mapping(entry).get("dataset")) for entry in entries]
    return list(dict.fromkeys(str(item["id"]) for item in found if item.get("id") and item.get("enabled") is not False))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def with_packages(app: AppFile, nodes: Sequence[NodeSpec]) -> list[NodeSpec]:
    """The nodes of a graph, agents of packages together with the package that each one names."""
    packages = _mapping(app.document.get("agent_packages"))
    return [_packed(node, packages) if node.type == AGENT and node.version == "2" else node for node in nodes]


def _packed(node: NodeSpec, packages: Mapping[str, Any]) -> NodeSpec:
    reference = str(_mapping(node.data.get("agent_binding")).get("package_ref") or "")
    is_bound_to_outputs = bool(_mapping(node.data.get("agent_job")).get("declared_outputs"))
    return msgspec.structs.replace(
        node,
        version="2" if is_bound_to_outputs else SPEAKING,
        data={**node.data, "package": packages.get(reference)},
    )


def _bound_agent(app: AppFile) -> NodeSpec:
    agent = _mapping(app.document.get("agent"))
    names = {str(item["variable"]) for item in input_form(app)}
    package = agent_package(app)
    soul = _mapping(package.get("soul"))
    prompt = _mapping(soul.get("prompt"))
    text = _with_selectors(str(prompt.get("system_prompt") or ""), names)
    data = {
        "agent_node_kind": "dify_agent",
        "agent_binding": {"binding_type": "inline_agent", "package_ref": str(agent.get("package_ref") or "")},
        "agent_job": {"workflow_prompt": _QUERY},
        "package": {**package, "soul": {**soul, "prompt": {**prompt, "system_prompt": text}}},
        "is_app": True,
    }
    return _node(AGENT, AGENT, "Agent", data, version=SPEAKING)


def _package_form(package: Mapping[str, Any]) -> list[dict[str, Any]]:
    soul = package.get("soul")
    variables = soul.get("app_variables") if isinstance(soul, dict) else None
    return [
        {
            "variable": item["name"],
            "label": item["name"],
            "type": _PACKAGE_KINDS.get(str(item.get("type")), "text-input"),
            "required": item.get("required") is True,
            "default": item.get("default"),
        }
        for item in variables or []
        if isinstance(item, dict) and item.get("name")
    ]
