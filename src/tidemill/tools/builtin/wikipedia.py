"""Wikipedia: the introductions of the articles that match a query.

Reference: mediawiki.org, "API:Search" and "Extension:TextExtracts".
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, Provider, asked, json_data, optional, text
from tidemill.tools.web import ask_json, objects, words

MAX_QUERY_CHARS: Final = 300
MAX_CHARS: Final = 4_000
# The form shows names of languages, and some files carry those instead of codes.
_LANGUAGES: Final = {
    "english": "en", "chinese": "zh", "german": "de", "french": "fr", "japanese": "ja", "spanish": "es",
    "portuguese": "pt", "italian": "it", "russian": "ru", "korean": "ko", "arabic": "ar", "dutch": "nl",
    "polish": "pl", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi", "indonesian": "id", "中文": "zh",
}  # fmt: skip
_CODE: Final = re.compile(r"[a-z]{2,3}(?:-[a-z]{2,8})?")

PROVIDER = Provider("wikipedia", "Wikipedia", "The free encyclopedia.")


@PROVIDER.tool(
    "wikipedia_search",
    "Wikipedia Search",
    "Finds articles of Wikipedia and gives their introductions.",
    asked("query", "Key words for searching."),
    optional("language", "Language of the Wikipedia: a code such as en, zh, de.", default="en"),
)
async def wikipedia_search(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    written = arguments.text("language").strip().lower()
    language = _LANGUAGES.get(written, written or "en")
    if not _CODE.fullmatch(language):
        raise ToolFailed(f"{written[:40]!r} is not a language of Wikipedia. Use a code such as en, zh or de.")
    query = [
        ("action", "query"),
        ("format", "json"),
        ("formatversion", "2"),
        ("generator", "search"),
        ("gsrsearch", arguments.text("query")[:MAX_QUERY_CHARS]),
        ("gsrlimit", "3"),
        ("prop", "extracts|info"),
        ("exintro", "1"),
        ("explaintext", "1"),
        ("exlimit", "3"),
        ("inprop", "url"),
        ("redirects", "1"),
    ]
    found = await ask_json(call, "Wikipedia", f"https://{language}.wikipedia.org/w/api.php", query=query)
    pages = [page for page in objects(found, "query", "pages") if words(page, "extract")]
    # The order of the search; the answer's own is that of its numbers.
    pages.sort(key=lambda page: page["index"] if isinstance(page.get("index"), int) else len(pages))
    if not pages:
        yield text("No good Wikipedia Search Result was found")
        return
    for page in pages:
        yield json_data(
            {"title": words(page, "title"), "url": words(page, "fullurl"), "summary": words(page, "extract")}
        )
    parts = [f"Page: {words(page, 'title')}\nSummary: {words(page, 'extract')}" for page in pages]
    yield text("\n\n".join(parts)[:MAX_CHARS])
