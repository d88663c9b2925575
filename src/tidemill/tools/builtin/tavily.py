"""Tavily: web search and page extraction for language models.

Reference: docs.tavily.com, "Tavily Search" and "Tavily Extract".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from tidemill.ports import ToolCall, ToolMessage
from tidemill.tools.provider import (
    Arguments,
    CredentialField,
    Provider,
    asked,
    json_data,
    setting,
    text,
)
from tidemill.tools.web import ask_json, objects, part, words

API: Final = "https://api.tavily.com"

PROVIDER = Provider(
    "tavily",
    "Tavily",
    "Web search made for language models.",
    credentials=[
        CredentialField(
            name="tavily_api_key", label="Tavily API key", help="From app.tavily.com", environment="TAVILY_API_KEY"
        )
    ],
)


def _names(arguments: Arguments, name: str) -> list[str]:
    """A list of domains, however it was written: spaces, commas or lines."""
    return arguments.text(name).replace(",", " ").split()


async def _post(call: ToolCall, path: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {call.credentials['tavily_api_key']}"}
    return await ask_json(call, "Tavily", f"{API}/{path}", method="POST", headers=headers, data=body)


@PROVIDER.tool(
    "tavily_search",
    "Tavily Search",
    "Searches the web and gives the passages that matter, with their addresses.",
    asked("query", "Key words for searching."),
    setting("search_depth", "How deeply to search.", type="select", options=("basic", "advanced"), default="basic"),
    setting("topic", "Kind of results.", type="select", options=("general", "news", "finance"), default="general"),
    setting("days", "How many days back, for news.", type="number", default=3),
    setting("time_range", "day, week, month or year."),
    setting("max_results", "How many results, 1 to 20.", type="number", default=5),
    setting("include_images", "Include images.", type="boolean", default=False),
    setting("include_image_descriptions", "Describe the images.", type="boolean", default=False),
    setting("include_answer", "Include a short answer.", type="boolean", default=False),
    setting("include_raw_content", "Include the pages' whole text.", type="boolean", default=False),
    setting("include_domains", "Only these domains."),
    setting("exclude_domains", "Not these domains."),
)
async def tavily_search(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    flags = ("include_images", "include_image_descriptions", "include_answer", "include_raw_content")
    body: dict[str, Any] = {
        "query": arguments.text("query"),
        "search_depth": arguments.text("search_depth", "basic"),
        "topic": arguments.text("topic", "general"),
        "max_results": arguments.whole("max_results", 5, least=1, most=20),
        "include_domains": _names(arguments, "include_domains"),
        "exclude_domains": _names(arguments, "exclude_domains"),
        **{name: arguments.flag(name) for name in flags},
    }
    if body["topic"] == "news":
        body["days"] = arguments.whole("days", 3, least=1, most=365)
    if arguments.text("time_range") not in ("", "not_specified"):
        body["time_range"] = arguments.text("time_range")
    found = await _post(call, "search", body)
    if not objects(found, "results"):
        yield text(f"No results found for '{body['query']}' in Tavily.")
        return
    yield json_data(found)
    yield text(_as_text(found))


def _as_text(found: Any) -> str:
    lines: list[str] = []
    if answer := words(found, "answer"):
        lines.append(f"Answer: {answer}\n")
    for result in objects(found, "results"):
        lines.append(f"Title: {words(result, 'title')}\nURL: {words(result, 'url')}\n{words(result, 'content')}")
        if raw := words(result, "raw_content"):
            lines.append(raw)
        lines.append("")
    images = part(found, "images")
    for image in images if isinstance(images, list) else ():
        lines.append(f"Image: {words(image, 'url') or image}")
    return "\n".join(lines).strip()


@PROVIDER.tool(
    "tavily_extract",
    "Tavily Extract",
    "Gives the text of web pages.",
    asked("urls", "Addresses of the pages, separated by commas."),
    setting("extract_depth", "How thoroughly.", type="select", options=("basic", "advanced"), default="basic"),
    setting("include_images", "Include images.", type="boolean", default=False),
)
async def tavily_extract(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    body = {
        "urls": _names(arguments, "urls"),
        "extract_depth": arguments.text("extract_depth", "basic"),
        "include_images": arguments.flag("include_images"),
    }
    found = await _post(call, "extract", body)
    yield json_data(found)
    parts = [f"URL: {words(page, 'url')}\n{words(page, 'raw_content')}" for page in objects(found, "results")]
    failed = [f"{words(page, 'url')}: {words(page, 'error') or 'failed'}" for page in objects(found, "failed_results")]
    yield text("\n\n".join([*parts, *failed]))
