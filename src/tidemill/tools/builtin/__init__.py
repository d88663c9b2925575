"""The tools that come with Tidemill, under the names that app files use for them."""

from __future__ import annotations

from tidemill.ports import ToolMissing, ToolRef
from tidemill.tools.builtin import (
    aws,
    baidu,
    chart,
    chunkers,
    clock,
    database,
    duckduckgo,
    google,
    google_translate,
    jina,
    json_process,
    mail,
    maths,
    mcp,
    md_exporter,
    modelscope,
    openweather,
    perplexity,
    qrcode,
    regular_expression,
    rss,
    searxng,
    small_pay,
    tavily,
    webscraper,
    wikipedia,
    yahoo,
)
from tidemill.tools.provider import BuiltinTool, CredentialField, Provider

__all__ = ["BuiltinTool", "CredentialField", "Provider", "find", "find_provider", "list_tools", "missing", "providers"]

_PROVIDERS = (
    aws.PROVIDER,
    baidu.PROVIDER,
    chart.PROVIDER,
    clock.PROVIDER,
    database.PROVIDER,
    duckduckgo.PROVIDER,
    google.PROVIDER,
    google_translate.PROVIDER,
    jina.PROVIDER,
    mail.PROVIDER,
    maths.PROVIDER,
    md_exporter.PROVIDER,
    modelscope.PROVIDER,
    openweather.PROVIDER,
    perplexity.PROVIDER,
    qrcode.PROVIDER,
    regular_expression.PROVIDER,
    rss.PROVIDER,
    searxng.PROVIDER,
    small_pay.PROVIDER,
    tavily.PROVIDER,
    webscraper.PROVIDER,
    wikipedia.PROVIDER,
    yahoo.PROVIDER,
    json_process.PROVIDER,
    json_process.SAMPLE,
    mcp.BY_ADDRESS,
    mcp.BY_CONFIG,
    chunkers.EXTRACTOR,
    chunkers.GENERAL,
    chunkers.PARENT_CHILD,
)


def _spellings() -> dict[str, Provider]:
    found: dict[str, Provider] = {}
    for provider in _PROVIDERS:
        for spelling in (provider.name, *provider.aliases):
            found[spelling.lower()] = provider
    return found


_BY_SPELLING = _spellings()


def providers() -> tuple[Provider, ...]:
    """All providers, in the order of their names."""
    return tuple(sorted(_PROVIDERS, key=lambda provider: provider.name))


def list_tools() -> tuple[BuiltinTool, ...]:
    """All tools, by provider and in the order each declares them."""
    return tuple(tool for provider in providers() for tool in provider.tools.values())


def find_provider(spelling: str) -> Provider | None:
    """The provider an app file means: `time`, `langgenius/time/time`, or another author's id for the same thing."""
    key = spelling.strip().lower()
    if key in _BY_SPELLING:
        return _BY_SPELLING[key]
    # author/plugin/provider: the provider's own name tells more than the plugin's.
    parts = key.split("/")
    return next((_BY_SPELLING[part] for part in reversed(parts[1:]) if part in _BY_SPELLING), None)


def find(provider: str, name: str) -> BuiltinTool | None:
    """The tool, whatever spelling of its provider a file uses; None when there is none."""
    found = find_provider(provider)
    return found.find(name) if found is not None else None


def missing(ref: ToolRef) -> ToolMissing:
    """What to raise when nothing answers to a reference."""
    provider = ref.provider or ref.provider_name
    if ref.kind in ("builtin", "plugin") and (known := find_provider(provider)) is not None:
        names = ", ".join(known.tools)
        return ToolMissing(f"The provider {provider} has no tool {ref.name}. It has: {names}. Choose one of them.")
    kinds = {
        "api": "Add its OpenAPI document among the workspace's tools",
        "mcp": "Add the MCP server among the workspace's tools",
        "workflow": "Publish that workflow as a tool",
        "app": "Publish that app as a tool",
    }
    advice = kinds.get(ref.kind, "Add it as an OpenAPI tool or MCP server, or choose another tool for the node")
    return ToolMissing(f"The provider {provider} with its tool {ref.name} is not installed here. {advice}.")
