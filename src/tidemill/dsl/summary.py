"""The one or two lines under a node's title on the canvas."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

_MAX_CHARS: Final = 80
_MAX_LINES: Final = 2


def summary_of(kind: str, data: Mapping[str, Any]) -> list[str]:
    """At most two short lines that tell what the node does."""
    tell = _TELLERS.get(kind)
    lines = [_shortened(line) for line in tell(data)] if tell is not None else []
    return [line for line in lines if line][:_MAX_LINES]


def _agent(data: Mapping[str, Any]) -> list[str]:
    parameters = data.get("agent_parameters")
    model = parameters.get("model") if isinstance(parameters, dict) else None
    value = model.get("value") if isinstance(model, dict) else None
    return [_model(value, "model"), str(data.get("agent_strategy_label") or "")]


def _model(model: Any, key: str) -> str:
    return str(model.get(key) or "") if isinstance(model, dict) else ""


def _names(entries: Any, key: str) -> list[str]:
    if not isinstance(entries, list):
        return []
    return [str(entry[key]) for entry in entries if isinstance(entry, dict) and entry.get(key)]


def _note_text(text: Any) -> str:
    """The words of a note, which is kept as an editor's JSON tree."""
    if not isinstance(text, str):
        return ""
    try:
        tree = json.loads(text)
    except ValueError:
        return text
    words: list[str] = []
    waiting: list[Any] = [tree]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, list):
            waiting = [*item, *waiting]
        elif isinstance(item, dict):
            if isinstance(item.get("text"), str):
                words.append(item["text"])
            waiting = [item.get("root"), item.get("children"), *waiting]
    return " ".join(words)


def _shortened(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _MAX_CHARS else f"{line[: _MAX_CHARS - 1]}…"


def _text(data: Mapping[str, Any], *keys: str, default: str = "") -> str:
    return next((str(data[key]) for key in keys if data.get(key)), default)


def _model_name(data: Mapping[str, Any]) -> list[str]:
    return [_model(data.get("model"), "name")]


_TELLERS: Final[Mapping[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "note": lambda data: [_note_text(data.get("text"))],
    "llm": _model_name,
    "question-classifier": _model_name,
    "parameter-extractor": _model_name,
    "agent": _agent,
    "start": lambda data: [", ".join(_names(data.get("variables"), "variable"))],
    "end": lambda data: [", ".join(_names(data.get("outputs"), "variable"))],
    "answer": lambda data: [_text(data, "answer")],
    "http-request": lambda data: [f"{_text(data, 'method', default='get').upper()} {_text(data, 'url')}"],
    "tool": lambda data: [_text(data, "tool_label", "tool_name"), _text(data, "provider_name")],
    "code": lambda data: [_text(data, "code_language", default="python3")],
    "iteration": lambda data: ["parallel" if data.get("is_parallel") is True else ""],
    "loop": lambda data: [f"≤ {data.get('loop_count') or 10}"],
    "trigger-schedule": lambda data: [_text(data, "cron_expression", "frequency")],
    "trigger-webhook": lambda data: [_text(data, "method", default="get").upper()],
}
