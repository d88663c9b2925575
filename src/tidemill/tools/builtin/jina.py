"""Jina: reads pages as Markdown and searches the web. Works without a key at a lower rate (the reader only).

Reference: jina.ai/reader.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, log, optional, setting, text
from tidemill.tools.web import ask, read_text

_SWITCHES: Final = {
    "gather_all_links_at_the_end": "X-With-Links-Summary",
    "gather_all_images_at_the_end": "X-With-Images-Summary",
    "image_caption": "X-With-Generated-Alt",
    "no_cache": "X-No-Cache",
}
_NAMED: Final = {
    "target_selector": "X-Target-Selector",
    "wait_for_selector": "X-Wait-For-Selector",
    "remove_selector": "X-Remove-Selector",
    "proxy_server": "X-Proxy-Url",
}

PROVIDER = Provider(
    "jina",
    "Jina AI",
    "Reads web pages as Markdown, and searches the web.",
    aliases=("jina_tool",),
    credentials=[
        CredentialField(
            name="api_key", label="Jina API key", is_required=False, help="From jina.ai", environment="JINA_API_KEY"
        )
    ],
)


def _headers(arguments: Arguments, call: ToolCall) -> dict[str, str]:
    headers: dict[str, str] = {}
    if key := call.credentials.get("api_key"):
        headers["Authorization"] = f"Bearer {key}"
    headers.update({header: "true" for name, header in _SWITCHES.items() if arguments.flag(name)})
    headers.update({header: arguments.text(name) for name, header in _NAMED.items() if arguments.has(name)})
    return headers


@PROVIDER.tool(
    "jina_reader",
    "Jina Reader",
    "Gives the main text of a web page as Markdown.",
    asked("url", "Address of the page."),
    optional("request_params", "JSON object of parameters added to the page's address."),
    setting("target_selector", "CSS selector of the part to read."),
    setting("wait_for_selector", "CSS selector to wait for."),
    setting("remove_selector", "CSS selector of the parts to leave out."),
    setting("image_caption", "Describe images.", type="boolean", default=False),
    setting("gather_all_links_at_the_end", "List the links.", type="boolean", default=False),
    setting("gather_all_images_at_the_end", "List the images.", type="boolean", default=False),
    setting("proxy_server", "Proxy that Jina uses."),
    setting("no_cache", "Read the page anew.", type="boolean", default=False),
    setting("summary", "Kept for old files; the whole text is given.", type="boolean", default=False),
    setting("max_retries", "Kept for old files; set retries on the node.", type="number", default=3),
)
async def jina_reader(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    url = arguments.text("url").strip()
    if arguments.has("request_params"):
        url = _with_parameters(url, arguments.text("request_params"))
    # `:`, `/`, `?` and the like stay as they are: Jina takes the rest of the path as the page's address.
    target = f"https://r.jina.ai/{quote(url, safe=':/?#[]@!$&()*+,;=%~')}"
    response = await ask(call, "Jina Reader", target, headers=_headers(arguments, call), timeout_s=120)
    if arguments.flag("summary"):
        yield log("summary", "The text is given whole; add an LLM node to summarise it.")
    yield text(read_text(response))


def _with_parameters(url: str, written: str) -> str:
    try:
        parameters = json.loads(written)
        pairs = "&".join(f"{quote(str(name))}={quote(str(value))}" for name, value in parameters.items())
    except (ValueError, AttributeError) as error:
        raise ToolFailed('`request_params` must be a JSON object, such as {"page": 2}.') from error
    return f"{url}{'&' if '?' in url else '?'}{pairs}" if pairs else url


@PROVIDER.tool(
    "jina_search",
    "Jina Search",
    "Searches the web and gives the texts of the first results.",
    asked("query", "What to find."),
    setting("image_caption", "Describe images.", type="boolean", default=False),
    setting("gather_all_links_at_the_end", "List the links.", type="boolean", default=False),
    setting("gather_all_images_at_the_end", "List the images.", type="boolean", default=False),
    setting("proxy_server", "Proxy that Jina uses."),
    setting("no_cache", "Search anew.", type="boolean", default=False),
    setting("max_retries", "Kept for old files; set retries on the node.", type="number", default=3),
)
async def jina_search(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    target = f"https://s.jina.ai/{quote(arguments.text('query'), safe='')}"
    response = await ask(call, "Jina Search", target, headers=_headers(arguments, call), timeout_s=120)
    yield text(read_text(response))
