"""What an app needs and what is wrong with it, without running anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, get_args

import msgspec

from tidemill.dsl.app_file import AGENT_MODE, AppFile
from tidemill.dsl.compile import app_features, app_graph
from tidemill.dsl.model_apps import agent_package
from tidemill.dsl.models import model_uses
from tidemill.dsl.moderation import unsupported_type
from tidemill.dsl.problems import DslInvalid, Problem
from tidemill.dsl.providers import tool_provider_id
from tidemill.dsl.structure import graph_problems, is_drawn_only
from tidemill.dsl.variables import Variables, read_variables
from tidemill.engine.errors import GraphInvalid
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec
from tidemill.engine.node import REGISTRY, Node
from tidemill.engine.values import Selector
from tidemill.llm.types import ModelRef
from tidemill.nodes._unavailable import Unavailable
from tidemill.ports import ToolKind, ToolRef
from tidemill.tools import builtin

_PACKAGE_KEYS: Final = frozenset({"schema_version", "metadata", "soul", "omitted_assets"})
_MAX_NAME: Final = 255
_TOOL_KINDS: Final = frozenset(get_args(ToolKind))
# Added tools have ids of the installation that the file comes from; a person knows them by name.
_FOREIGN_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The findings on one file. Errors keep it from running; warnings say what a run will miss.

    `nodes` counts the nodes that can run, notes left out.
    """

    kind: str
    mode: str
    version: str
    nodes: int
    errors: list[Problem]
    warnings: list[Problem]
    missing_models: list[ModelRef]
    missing_tools: list[str]
    missing_knowledge: list[str]

    @property
    def is_ok(self) -> bool:
        return not self.errors


def check(
    app: AppFile,
    *,
    models: Callable[[ModelRef], bool] | None = None,
    tools: Callable[[ToolRef], str] | None = None,
) -> Report:
    """Examine an app.

    Args:
        app: The app as read, or as stored.
        models: Whether a model is at hand; without it no model counts as missing.
        tools: What a tool's provider lacks to be used, as the end of a sentence; empty when nothing. Without it every
            provider that does not come with Tidemill counts as missing.
    """
    errors = graph_problems(app)
    warnings = [*_kind_notes(app), *_feature_notes(app)]
    specs: list[NodeSpec] = []
    variables = Variables()
    try:
        variables = read_variables(app)
        specs, edges = app_graph(app)
        built = _build_nodes(specs, errors, warnings)
        if not errors:
            _build_graph(specs, edges, errors)
        warnings.extend(_references(built, variables))
    except DslInvalid as error:
        errors.extend(error.problems)
    errors.extend(_package_problems(app))
    missing_models = _missing_models(app, models, warnings)
    missing_tools, knowledge = _missing_tools(app, tools or _not_along), _knowledge(app)
    warnings.extend(
        Problem(f"The tool provider {name} {lack}; the nodes that call it will fail.", None, "missing_tool")
        for name, lack in missing_tools.items()
    )
    warnings.extend(
        _missing(knowledge, "The knowledge base {} is not here; choose another where it is used.", "knowledge")
    )
    return Report(
        kind=app.kind,
        mode=app.mode,
        version=app.version,
        nodes=len(specs),
        errors=errors,
        warnings=warnings,
        missing_models=missing_models,
        missing_tools=list(missing_tools),
        missing_knowledge=knowledge,
    )


def _kind_notes(app: AppFile) -> list[Problem]:
    if app.kind == "rag_pipeline":
        message = (
            "This is a knowledge pipeline: it fills a knowledge base and answers no one. "
            "It is kept and can be exported; this version does not run it yet."
        )
        return [Problem(message, None, "knowledge_pipeline")]
    if app.import_status == "pending":
        message = f"The file is of version {app.version}, which this version may not understand in full; look it over."
        return [Problem(message, None, "newer_version")]
    return []


def _feature_notes(app: AppFile) -> Iterator[Problem]:
    kind = None if app.mode == "workflow" else unsupported_type(app_features(app).sensitive_word_avoidance)
    if kind is not None:
        message = (
            f"Content moderation of the type {kind} is switched on and not applied by this version: messages and "
            "answers pass unchecked. Moderation by keywords is applied."
        )
        yield Problem(message, None, "moderation_not_applied")


def _build_nodes(
    specs: Sequence[NodeSpec], errors: list[Problem], warnings: list[Problem]
) -> list[tuple[NodeSpec, Node[Any, Any]]]:
    """Read the configuration of every node; adds faults to `errors`, what cannot run to `warnings`."""
    built: list[tuple[NodeSpec, Node[Any, Any]]] = []
    for spec in specs:
        name = f'"{spec.title or spec.type}" ({spec.id})'
        node_type = REGISTRY.get((spec.type, spec.version)) or REGISTRY.get((spec.type, "1"))
        if node_type is None:
            message = f'Node {name} is of the type "{spec.type}", which is not known; a run that reaches it fails.'
            warnings.append(Problem(message, spec.id, "unknown_type"))
            continue
        try:
            built.append((spec, node_type.parse(spec.id, spec.data, title=spec.title)))
        except GraphInvalid as error:
            errors.extend(Problem(sentence, spec.id, "bad_node") for sentence in error.problems)
            continue
        if issubclass(node_type, Unavailable):
            message = f"Node {name} is of the type {spec.type}, which this version cannot run yet."
            warnings.append(Problem(message, spec.id, "not_runnable"))
    return built


def _build_graph(specs: Sequence[NodeSpec], edges: Sequence[EdgeSpec], errors: list[Problem]) -> None:
    try:
        Graph.build(specs, edges)
    except GraphInvalid as error:
        errors.extend(Problem(sentence, None, "bad_graph") for sentence in error.problems)


def _references(built: Sequence[tuple[NodeSpec, Node[Any, Any]]], variables: Variables) -> Iterator[Problem]:
    known = {spec.id for spec, _ in built} | {"sys", "rag"}
    declared = {
        "env": {variable.name for variable in variables.environment},
        "conversation": {variable.name for variable in variables.conversation},
    }
    for spec, node in built:
        for selector in dict.fromkeys((*node.reads(), *node.writes())):
            if _is_known(selector, known, declared):
                continue
            message = (
                f'Node "{node.label}" ({spec.id}) refers to {".".join(selector)}, and nothing in the app has that name.'
            )
            yield Problem(message, spec.id, "unknown_reference")


def _is_known(selector: Selector, known: set[str], declared: Mapping[str, set[str]]) -> bool:
    if len(selector) < 2:
        return True
    names = declared.get(selector[0])
    return selector[1] in names if names is not None else selector[0] in known


def _missing_models(app: AppFile, models: Callable[[ModelRef], bool] | None, warnings: list[Problem]) -> list[ModelRef]:
    missing: dict[ModelRef, None] = {}
    for use in model_uses(app):
        if not use.provider or not use.name:
            where = f'Node "{use.node_title}" ({use.node_id})' if use.node_id else use.node_title
            warnings.append(Problem(f"{where} names no model; choose one.", use.node_id or None, "no_model"))
        elif models is not None and not models(use.ref):
            missing[use.ref] = None
    warnings.extend(
        Problem(f"The model {ref.provider}/{ref.name} is not configured; add it or map it to another.", None, "model")
        for ref in missing
    )
    return list(missing)


def _missing(names: Sequence[str], sentence: str, code: str) -> list[Problem]:
    return [Problem(sentence.format(name), None, f"missing_{code}") for name in names]


def _missing_tools(app: AppFile, lack_of: Callable[[ToolRef], str]) -> dict[str, str]:
    """The tool providers the app calls and cannot use, by their full ids or names, with what each lacks."""
    missing: dict[str, str] = {}
    for ref in _tools(app):
        if lack := lack_of(ref):
            missing.setdefault(_shown_provider(ref), lack)
    return missing


def _not_along(ref: ToolRef) -> str:
    is_known = ref.kind in ("builtin", "plugin") and builtin.find_provider(ref.provider) is not None
    return "" if is_known else "is not installed"


def _shown_provider(ref: ToolRef) -> str:
    name = ref.provider_name if ref.provider_name and _FOREIGN_ID.fullmatch(ref.provider) else ref.provider
    return tool_provider_id(name, ref.kind)


def _tools(app: AppFile) -> Iterator[ToolRef]:
    """The tools the app calls."""
    for data in _node_data(app):
        if data["type"] == "tool":
            yield from _tool_ref(data)
        elif data["type"] == "agent":
            yield from _agent_tools(data)
    mode = app.model_settings.get("agent_mode")
    if app.mode == "agent-chat" and isinstance(mode, dict):
        for tool in mode.get("tools") or []:
            if isinstance(tool, dict) and len(tool) >= 4 and tool.get("enabled") is not False:
                yield from _tool_ref(tool)


def _tool_ref(tool: Mapping[str, Any]) -> Iterator[ToolRef]:
    kind: Any = str(tool.get("provider_type") or tool.get("type") or "")
    provider = str(tool.get("provider_id") or tool.get("provider_name") or "")
    if provider:
        yield ToolRef(
            kind=kind if kind in _TOOL_KINDS else "builtin",
            provider=provider,
            name=str(tool.get("tool_name") or ""),
            provider_name=str(tool.get("provider_name") or ""),
        )


def _agent_tools(data: Mapping[str, Any]) -> Iterator[ToolRef]:
    parameters = data.get("agent_parameters")
    tools = parameters.get("tools") if isinstance(parameters, dict) else None
    value = tools.get("value") if isinstance(tools, dict) else None
    for tool in value if isinstance(value, list) else []:
        if isinstance(tool, dict) and tool.get("enabled") is not False:
            yield from _tool_ref({**tool, "provider_id": tool.get("provider_name") or tool.get("provider_id")})


def _knowledge(app: AppFile) -> list[str]:
    """The knowledge bases the app searches, each once, as the file names them."""
    found: dict[str, None] = {}
    for data in _node_data(app):
        if data["type"] == "knowledge-retrieval" and isinstance(data.get("dataset_ids"), list):
            found.update(dict.fromkeys(str(item) for item in data["dataset_ids"]))
    configs = app.model_settings.get("dataset_configs")
    datasets = configs.get("datasets") if isinstance(configs, dict) else None
    for entry in (datasets.get("datasets") or []) if isinstance(datasets, dict) else []:
        dataset = entry.get("dataset") if isinstance(entry, dict) else None
        if isinstance(dataset, dict) and dataset.get("id") and dataset.get("enabled") is not False:
            found[str(dataset["id"])] = None
    return list(found)


def _node_data(app: AppFile) -> Iterator[Mapping[str, Any]]:
    return (node["data"] for node in app.nodes if not is_drawn_only(node))


def _package_problems(app: AppFile) -> list[Problem]:
    """Faults of an agent app's package; its form allows no other keys."""
    if app.mode != AGENT_MODE:
        return []
    package = agent_package(app)
    if not package:
        message = "`agent.package_ref` names a package that `agent_packages` does not hold."
        return [Problem(message, None, "bad_package")]
    problems = [f"it has an unknown key `{key}`" for key in package if key not in _PACKAGE_KEYS]
    if package.get("schema_version") != 1:
        problems.append("its `schema_version` is not 1")
    metadata = package.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not 1 <= len(name) <= _MAX_NAME:
        problems.append(f"its `metadata.name` must be a text of 1 to {_MAX_NAME} characters")
    return [Problem(f"The agent package cannot be used: {fault}.", None, "bad_package") for fault in problems]
