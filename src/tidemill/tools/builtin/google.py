"""Google search through SerpApi, which Google itself has no open interface for.

Reference: serpapi.com/search-api.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, json_data, setting
from tidemill.tools.web import ask_json, objects, part, words

PROVIDER = Provider(
    "google",
    "Google",
    "Google's search results, by SerpApi.",
    aliases=("serpapi",),
    credentials=[
        CredentialField(
            name="serpapi_api_key", label="SerpApi API key", help="From serpapi.com", environment="SERPAPI_API_KEY"
        )
    ],
)


@PROVIDER.tool(
    "google_search",
    "Google Search",
    "Searches with Google and gives titles, addresses and snippets.",
    asked("query", "Key words for searching."),
    setting("hl", "Language of the interface.", default="en"),
    setting("gl", "Country to search from.", default="us"),
    setting("location", "Place to search from."),
    setting("as_agent_response", "Kept for old files.", type="boolean", default=False),
)
async def google_search(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    query = [
        ("api_key", call.credentials["serpapi_api_key"]),
        ("engine", "google"),
        ("google_domain", "google.com"),
        ("q", arguments.text("query")),
        ("hl", arguments.text("hl") or "en"),
        ("gl", arguments.text("gl") or "us"),
    ]
    if arguments.has("location"):
        query.append(("location", arguments.text("location")))
    found = await ask_json(call, "SerpApi", "https://serpapi.com/search", query=query)
    if error := words(found, "error"):
        raise ToolFailed(f"SerpApi refused the search: {error}")
    result: dict[str, Any] = {}
    if part(found, "knowledge_graph"):
        result |= {name: words(found, "knowledge_graph", name) for name in ("title", "description")}
    items = objects(found, "organic_results")
    result["organic_results"] = [{name: words(item, name) for name in ("title", "link", "snippet")} for item in items]
    yield json_data(result)
