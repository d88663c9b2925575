"""DuckDuckGo: web search and translation by the pages that its site itself uses; there is no open interface.

DuckDuckGo may refuse many requests from one address; then the tool says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, Provider, asked, json_data, log, setting, text
from tidemill.tools.web import BROWSER, ask, objects, read_text, words

_TOKEN: Final = re.compile(r"""vqd=["']?([0-9-]+)""")
_HEADERS: Final = {"User-Agent": BROWSER, "Accept-Language": "en-US,en;q=0.8", "Referer": "https://duckduckgo.com/"}

PROVIDER = Provider("duckduckgo", "DuckDuckGo", "A search engine that does not follow its users.", aliases=("ddgo",))


class _Results(HTMLParser):
    """Reads the page of results made for browsers without scripts: links and snippets carry classes of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[dict[str, str]] = []
        self._field = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._field:
            self._depth += tag not in ("br", "img", "wbr")
            return
        found = dict(attrs)
        names = (found.get("class") or "").split()
        if tag == "a" and "result__a" in names:
            self.results.append({"title": "", "href": _target(found.get("href") or ""), "body": ""})
            self._field, self._depth = "title", 1
        elif "result__snippet" in names and self.results:
            self._field, self._depth = "body", 1

    def handle_endtag(self, tag: str) -> None:
        if self._field:
            self._depth -= 1
            if self._depth <= 0:
                self._field = ""

    def handle_data(self, data: str) -> None:
        if self._field:
            self.results[-1][self._field] += data


def _target(href: str) -> str:
    """The address a result leads to; advertisements lead through a script and are left out later."""
    if href.startswith("//"):
        href = f"https:{href}"
    parts = urlsplit(href)
    if parts.path == "/l/":
        return (parse_qs(parts.query).get("uddg") or [""])[0]
    return "" if parts.path == "/y.js" else href


@PROVIDER.tool(
    "ddgo_search",
    "DuckDuckGo Search",
    "Searches the web and gives titles, addresses and snippets.",
    asked("query", "Key words for searching."),
    setting("max_results", "How many results, 1 to 20.", type="number", default=5),
    setting("require_summary", "Give the snippets as one text.", type="boolean", default=False),
)
async def ddgo_search(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    query = arguments.text("query")
    form = [("q", query), ("b", ""), ("kl", "")]
    page = await ask(
        call, "DuckDuckGo", "https://html.duckduckgo.com/html/", method="POST", headers=_HEADERS, form=form
    )
    if page.status == 202 or b"anomaly-modal" in page.body:
        raise ToolFailed("DuckDuckGo takes the request for a robot's and refuses it. Try later, or use another search.")
    reader = _Results()
    reader.feed(read_text(page))
    results = [
        {name: " ".join(value.split()) for name, value in result.items()} for result in reader.results if result["href"]
    ]
    results = results[: arguments.whole("max_results", 5, least=1, most=20)]
    if not results:
        yield text(f"No results found for '{query}'.")
    elif arguments.flag("require_summary"):
        yield log("summary", "The snippets are given as they are; add an LLM node to summarise them.")
        yield text("\n".join(result["body"] for result in results))
    else:
        for result in results:
            yield json_data(result)


async def _token(call: ToolCall, query: str) -> str:
    """The number without which the site's own requests are refused."""
    page = await ask(call, "DuckDuckGo", "https://duckduckgo.com/", query=[("q", query)], headers=_HEADERS)
    found = _TOKEN.search(read_text(page))
    if found is None:
        raise ToolFailed("DuckDuckGo did not let the request through. Try later, or use another tool.")
    return found.group(1)


async def _script(call: ToolCall, path: str, words: str) -> list[dict[str, Any]]:
    query = [("q", words), ("o", "json"), ("l", "wt-wt"), ("noamp", "1"), ("vqd", await _token(call, words))]
    page = await ask(call, "DuckDuckGo", f"https://duckduckgo.com/{path}", query=query, headers=_HEADERS)
    try:
        return objects(json.loads(page.body), "results")
    except ValueError as error:
        raise ToolFailed("DuckDuckGo answered with something that is not JSON. Try later.") from error


@PROVIDER.tool(
    "ddgo_translate",
    "DuckDuckGo Translate",
    "Translates a text.",
    asked("query", "The text."),
    setting("translate_to", "Language to translate to: en, zh-Hans, de, fr, ja...", default="en"),
)
async def ddgo_translate(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    token = await _token(call, "translate")
    query = [("vqd", token), ("query", "translate"), ("to", arguments.text("translate_to") or "en")]
    url = "https://duckduckgo.com/translation.js"
    body = arguments.text("query").encode()
    page = await ask(call, "DuckDuckGo", url, method="POST", query=query, headers=_HEADERS, body=body)
    try:
        translated = words(json.loads(page.body), "translated")
    except ValueError:
        translated = ""
    if not translated:
        raise ToolFailed("DuckDuckGo was unable to translate the text. Try later, or a shorter text.")
    yield text(translated)


@PROVIDER.tool(
    "ddgo_img",
    "DuckDuckGo Images",
    "Finds images.",
    asked("query", "Key words for searching."),
    setting("max_results", "How many results, 1 to 20.", type="number", default=3),
)
async def ddgo_img(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    query = arguments.text("query")
    found = await _script(call, "i.js", query)
    results = found[: arguments.whole("max_results", 3, least=1, most=20)]
    for result in results:
        yield json_data({name: result.get(name, "") for name in ("title", "image", "thumbnail", "url", "source")})
    yield text("\n".join(f"![{result.get('title', '')}]({result.get('image', '')})" for result in results))


@PROVIDER.tool(
    "ddgo_news",
    "DuckDuckGo News",
    "Finds news.",
    asked("query", "Key words for searching."),
    setting("max_results", "How many results, 1 to 20.", type="number", default=5),
    setting("require_summary", "Kept for old files.", type="boolean", default=False),
)
async def ddgo_news(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    query = arguments.text("query")
    found = await _script(call, "news.js", query)
    for result in found[: arguments.whole("max_results", 5, least=1, most=20)]:
        yield json_data(
            {
                "title": result.get("title", ""),
                "url": result.get("url", ""),
                "body": result.get("excerpt", ""),
                "source": result.get("source", ""),
                "date": result.get("date", ""),
            }
        )
