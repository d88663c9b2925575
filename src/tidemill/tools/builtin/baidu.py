"""Baidu AI Search: web search and answers by a model, on Baidu's Qianfan platform.

Reference: cloud.baidu.com, Qianfan, "AI search": /v2/ai_search/chat/completions and /v2/ai_search/web_search.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from tidemill.ports import ToolCall, ToolFailed, ToolMessage, ToolParameter
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, json_data, optional, text, variable
from tidemill.tools.web import ask_json, objects, part, words

API: Final = "https://qianfan.baidubce.com/v2/ai_search"

PROVIDER = Provider(
    "baidu_ai_search",
    "Baidu AI Search",
    "Web search and answers on Baidu's Qianfan platform.",
    credentials=[
        CredentialField(
            name="api_key",
            label="Qianfan API key",
            help="From the Qianfan console",
            environment="QIANFAN_API_KEY",
        )
    ],
)


async def _post(call: ToolCall, path: str, body: dict[str, Any]) -> Any:
    key = call.credentials["api_key"]
    headers = {"Authorization": f"Bearer {key}", "X-Appbuilder-Authorization": f"Bearer {key}"}
    url = f"{API}/{path}"
    found = await ask_json(call, "Baidu AI Search", url, method="POST", headers=headers, data=body, timeout_s=180)
    if code := words(found, "code").strip("0"):
        raise ToolFailed(f"Baidu AI Search refused the request: {words(found, 'message') or code}.")
    return found


_RECENCY: Final[ToolParameter] = optional("search_recency_filter", "week, month, semiyear or year.")
_RESOURCE: Final[ToolParameter] = optional(
    "resource_type_filter",
    "Kinds of results, and how many of each.",
    type="array",
    default=[{"type": "web", "top_k": 10}],
    schema={"items": {"type": "object"}},
)


@PROVIDER.tool(
    "smart_search",
    "Smart search",
    "Searches the web and lets a model answer from what was found.",
    asked("query", "The question."),
    optional("model", "Model that answers, such as ernie-4.5-turbo-32k or deepseek-r1."),
    optional("instruction", "Instruction to the model."),
    optional("temperature", "", type="number"),
    optional("top_p", "", type="number"),
    optional("search_mode", "auto, required or disabled."),
    _RECENCY,
    _RESOURCE,
)
async def smart_search(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": arguments.text("query")}],
        "model": arguments.text("model") or "ernie-4.5-turbo-32k",
        "search_source": "baidu_search_v2",
        "resource_type_filter": arguments.items("resource_type_filter"),
        "stream": False,
    }
    for name in ("instruction", "search_mode", "search_recency_filter"):
        if arguments.has(name):
            body[name] = arguments.text(name)
    for name in ("temperature", "top_p"):
        if arguments.raw(name) is not None:
            body[name] = arguments.number(name)
    found = await _post(call, "chat/completions", body)
    if part(found, "choices", 0) is None:
        raise ToolFailed("Baidu AI Search answered without a choice. Try again.")
    yield text(words(found, "choices", 0, "message", "content"))
    yield variable("references", objects(found, "references"))
    yield json_data(found)


@PROVIDER.tool(
    "web_search",
    "Web search",
    "Searches the web and gives titles, addresses and passages.",
    asked("query", "Key words for searching."),
    _RECENCY,
    _RESOURCE,
    aliases=("baidu_search",),
)
async def web_search(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": arguments.text("query")}],
        "search_source": "baidu_search_v2",
        "resource_type_filter": arguments.items("resource_type_filter"),
    }
    if arguments.has("search_recency_filter"):
        body["search_recency_filter"] = arguments.text("search_recency_filter")
    found = await _post(call, "web_search", body)
    references = objects(found, "references")
    parts = ["\n".join(words(item, name) for name in ("title", "url", "content")) for item in references]
    yield text("\n\n".join(parts))
    yield variable("references", references)
    yield json_data(found)
