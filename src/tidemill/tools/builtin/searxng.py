"""SearXNG: a search engine one runs oneself. Its JSON format must be allowed in `settings.yml`.

Reference: docs.searxng.org, "Search API".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from tidemill.ports import ToolCall, ToolMessage
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, json_data, setting, text
from tidemill.tools.web import ask_json, objects, words

_CATEGORIES: Final = {
    "page": "general",
    "image": "images",
    "images": "images",
    "video": "videos",
    "news": "news",
    "map": "map",
    "music": "music",
    "it": "it",
    "science": "science",
    "file": "files",
    "social media": "social_media",
}
_RANGES: Final = frozenset({"day", "week", "month", "year"})

PROVIDER = Provider(
    "searxng",
    "SearXNG",
    "Web search through a SearXNG server of your own.",
    credentials=[
        CredentialField(
            name="searxng_base_url",
            label="SearXNG base URL",
            is_secret=False,
            help="Such as https://search.example.com; a private address must be allowed in TIDEMILL_EGRESS_ALLOW.",
            environment="SEARXNG_BASE_URL",
        )
    ],
)


@PROVIDER.tool(
    "searxng_search",
    "SearXNG Search",
    "Searches the web.",
    asked("query", "Key words for searching."),
    setting("search_type", "Category: general, images, videos, news, map, music, it, science.", default="general"),
    setting("engines", "Engines to ask, separated by commas; those of the server when empty."),
    setting("time_range", "day, week, month or year."),
    setting("num_results", "How many results, 1 to 20.", type="number"),
    setting("result_type", "In old files: `link` gives addresses only.", default="json"),
)
async def searxng_search(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    category = arguments.text("search_type", "general").strip().lower() or "general"
    query = [
        ("q", arguments.text("query")),
        ("format", "json"),
        ("categories", _CATEGORIES.get(category, category)),
    ]
    if arguments.has("engines"):
        query.append(("engines", arguments.text("engines")))
    if arguments.text("time_range") in _RANGES:
        query.append(("time_range", arguments.text("time_range")))
    base = call.credentials["searxng_base_url"].rstrip("/").removesuffix("/search")
    found = await ask_json(call, "SearXNG", f"{base}/search", query=query)
    results = objects(found, "results")
    if arguments.has("num_results"):
        results = results[: arguments.whole("num_results", 5, least=1, most=20)]
    if not results:
        yield text(f"No results found for '{arguments.text('query')}'.")
        return
    if arguments.text("result_type") == "link":
        # Old flows feed this text to a page reader as it is.
        yield text("\n".join(words(result, "url") for result in results))
        return
    for result in results:
        yield json_data(result)
