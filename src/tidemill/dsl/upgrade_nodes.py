"""Old forms of single nodes, brought to today's (reference `workflow-dsl.md`, section 1.4).

Each function takes a node's `data` and returns the data to build the node from; the file keeps its own form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tidemill.dsl.providers import tool_provider_id

Data = dict[str, Any]

_OPERATORS: Final = {
    "is null": "null",
    "is not null": "not null",
    "is empty": "empty",
    "is not empty": "not empty",
    ">=": "≥",
    "<=": "≤",
    "!=": "≠",
    "==": "=",
}
_PARAMETER_TYPES: Final = {"bool": "boolean", "select": "string"}
_ITERATION_DEFAULTS: Final = {"is_parallel": False, "parallel_nums": 10, "error_handle_mode": "terminated"}
_HTTP_RETRY: Final = {"retry_enabled": True, "max_retries": 3, "retry_interval": 100}
# A knowledge base of another installation travels encrypted; only a plain UUID can name one of ours.
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def upgrade_data(kind: str, data: Mapping[str, Any]) -> Data:
    """The data of a node of type `kind` in today's form."""
    upgrade = _UPGRADES.get(kind)
    return upgrade(dict(data)) if upgrade is not None else dict(data)


def is_uuid(text: object) -> bool:
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def _if_else(data: Data) -> Data:
    cases = data.get("cases")
    if not cases:
        conditions = data.get("conditions") or []
        operator = data.get("logical_operator") or "and"
        cases = [{"id": "true", "case_id": "true", "logical_operator": operator, "conditions": conditions}]
    data["cases"] = [_with_conditions(case) if isinstance(case, dict) else case for case in cases]
    return data


def _with_conditions(case: Mapping[str, Any]) -> Data:
    return {**case, "conditions": _conditions(case.get("conditions"))}


def _conditions(conditions: Any) -> Any:
    if not isinstance(conditions, list):
        return conditions or []
    return [_condition(item) if isinstance(item, dict) else item for item in conditions]


def _condition(condition: Mapping[str, Any]) -> Data:
    changed = dict(condition)
    operator = changed.get("comparison_operator")
    if isinstance(operator, str):
        changed["comparison_operator"] = _OPERATORS.get(operator, operator)
    if isinstance(changed.get("sub_variable_condition"), dict):
        changed["sub_variable_condition"] = _with_conditions(changed["sub_variable_condition"])
    return changed


def _http_request(data: Data) -> Data:
    body = data.get("body")
    if isinstance(body, dict):
        data["body"] = {**body, "data": _http_body(str(body.get("type") or "none"), body.get("data"))}
    if not isinstance(data.get("retry_config"), dict):
        data["retry_config"] = dict(_HTTP_RETRY)
    return data


def _http_body(kind: str, content: Any) -> Any:
    if isinstance(content, list):
        return content
    if not isinstance(content, str) or not content or kind == "none":
        return []
    if kind not in ("form-data", "x-www-form-urlencoded"):
        return [{"type": "text", "key": "", "value": content}]
    pairs = [line.partition(":") for line in content.splitlines() if line.strip()]
    return [{"type": "text", "key": key.strip(), "value": value.strip()} for key, _, value in pairs]


def _tool(data: Data) -> Data:
    data["tool_node_version"] = str(data.get("tool_node_version") or data.get("version") or "2")
    data["provider_id"] = tool_provider_id(str(data.get("provider_id") or ""), str(data.get("provider_type") or ""))
    data["tool_parameters"] = _arguments(data.get("tool_parameters"))
    data["tool_configurations"] = _arguments(data.get("tool_configurations"), kind="constant")
    return data


def _arguments(values: Any, *, kind: str | None = None) -> Data:
    """Parameter values as `{type, value}`; a null means that the parameter is not given."""
    if not isinstance(values, dict):
        return {}
    return {name: _argument(value, kind) for name, value in values.items() if not _is_blank(value)}


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and "type" in value and value.get("value") is None)


def _argument(value: Any, kind: str | None) -> Any:
    if isinstance(value, dict) and "value" in value:
        return {"type": kind or "mixed", **value}
    return {"type": kind or ("mixed" if isinstance(value, str) else "constant"), "value": value}


def _agent(data: Data) -> Data:
    if "agent_parameters" in data:
        data["agent_parameters"] = _arguments(data["agent_parameters"], kind="constant")
    return data


def _iteration(data: Data) -> Data:
    given = {key: value for key, value in data.items() if value is not None}
    return {**_ITERATION_DEFAULTS, **given}


def _loop(data: Data) -> Data:
    data["break_conditions"] = _conditions(data.get("break_conditions"))
    return data


def _list_operator(data: Data) -> Data:
    if isinstance(data.get("filter_by"), dict):
        data["filter_by"] = _with_conditions(data["filter_by"])
    return data


def _llm(data: Data) -> Data:
    if "structured_output_enabled" not in data and "structured_output_switch_on" in data:
        data["structured_output_enabled"] = bool(data["structured_output_switch_on"])
    return data


def _parameter_extractor(data: Data) -> Data:
    parameters = data.get("parameters")
    if isinstance(parameters, list):
        data["parameters"] = [
            {**item, "type": _PARAMETER_TYPES.get(str(item.get("type")), item.get("type"))}
            if isinstance(item, dict)
            else item
            for item in parameters
        ]
    return data


def _end(data: Data) -> Data:
    outputs = data.get("outputs")
    if isinstance(outputs, list):
        data["outputs"] = [
            {**item, "value_type": str(item.get("value_type") or "any").lower()} if isinstance(item, dict) else item
            for item in outputs
        ]
    return data


def _knowledge_retrieval(data: Data) -> Data:
    ids = data.get("dataset_ids")
    data["dataset_ids"] = [item for item in ids if is_uuid(item)] if isinstance(ids, list) else []
    return data


_UPGRADES: Final[Mapping[str, Callable[[Data], Data]]] = {
    "if-else": _if_else,
    "http-request": _http_request,
    "tool": _tool,
    "agent": _agent,
    "iteration": _iteration,
    "loop": _loop,
    "list-operator": _list_operator,
    "llm": _llm,
    "parameter-extractor": _parameter_extractor,
    "end": _end,
    "knowledge-retrieval": _knowledge_retrieval,
}
