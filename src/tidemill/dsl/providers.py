"""Provider ids: files before 0.2.0 name them barely (`openai`), later ones as `org/plugin/provider`."""

from __future__ import annotations

import re
from typing import Final

_PART = r"[a-z0-9_-]+"
_FULL: Final = re.compile(rf"{_PART}/{_PART}/{_PART}")
_BARE: Final = re.compile(_PART)
_MODEL_PLUGINS: Final = {"google": "gemini"}
_TOOL_PLUGINS: Final = {name: f"{name}_tool" for name in ("jina", "siliconflow", "stepfun", "gitee_ai")}
# Only plugins have such ids; the others are named by their own workspace.
_PLUGIN_TYPES: Final = frozenset({"", "builtin", "plugin"})


def model_provider_id(name: str) -> str:
    """The full id of a model provider; anything else than a bare name stays as it is."""
    return _expanded(name, _MODEL_PLUGINS)


def tool_provider_id(name: str, provider_type: str = "builtin") -> str:
    """The full id of a tool provider; only built-in and plugin tools have one."""
    return _expanded(name, _TOOL_PLUGINS) if provider_type in _PLUGIN_TYPES else name


def _expanded(name: str, plugins: dict[str, str]) -> str:
    if _BARE.fullmatch(name) is None:
        return name
    return f"langgenius/{plugins.get(name, name)}/{name}"


def is_provider_id(name: str) -> bool:
    """Whether `name` is a bare or full provider id."""
    return _FULL.fullmatch(name) is not None or _BARE.fullmatch(name) is not None


def plugin_of(provider_id: str) -> str:
    """The plugin that brings a provider: `org/plugin`; empty for names that are no ids."""
    return "/".join(provider_id.split("/")[:2]) if _FULL.fullmatch(provider_id) else ""
