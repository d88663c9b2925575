"""Perplexity: answers with sources from the web.

Reference: docs.perplexity.ai, "Chat Completions".
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, json_data, setting, text
from tidemill.tools.web import ask_json, objects, part, words

PROVIDER = Provider(
    "perplexity",
    "Perplexity",
    "Answers with sources from the web.",
    credentials=[
        CredentialField(
            name="perplexity_api_key",
            label="Perplexity API key",
            help="From perplexity.ai/settings/api",
            environment="PERPLEXITY_API_KEY",
        )
    ],
)


@PROVIDER.tool(
    "perplexity",
    "Perplexity Search",
    "Answers a question with the help of a web search, and names its sources.",
    asked("query", "The question."),
    setting("model", "Model: sonar, sonar-pro, sonar-reasoning-pro or sonar-deep-research.", default="sonar"),
    setting("max_tokens", "Most tokens of the answer.", type="number", default=4096),
    setting("temperature", "", type="number", default=0.7),
    setting("top_p", "", type="number", default=1),
    setting("top_k", "", type="number", default=5),
    setting("presence_penalty", "", type="number", default=0),
    setting("frequency_penalty", "", type="number", default=1),
    setting("return_images", "Include images.", type="boolean", default=False),
    setting("return_related_questions", "Include related questions.", type="boolean", default=False),
    setting("search_domain_filter", "Only these domains, separated by commas; -domain leaves one out."),
    setting("search_recency_filter", "hour, day, week, month or year.", default="month"),
    setting("search_context_size", "low, medium or high.", default="low"),
    aliases=("perplexity_search",),
)
async def perplexity(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    body: dict[str, Any] = {
        "model": arguments.text("model") or "sonar",
        "messages": [
            {"role": "system", "content": "Be precise and concise."},
            {"role": "user", "content": arguments.text("query")},
        ],
        "max_tokens": arguments.whole("max_tokens", 4096, least=1, most=128_000),
        "temperature": arguments.number("temperature", 0.7),
        "top_p": arguments.number("top_p", 1),
        "top_k": arguments.number("top_k", 5),
        "return_images": arguments.flag("return_images"),
        "return_related_questions": arguments.flag("return_related_questions"),
        "web_search_options": {"search_context_size": arguments.text("search_context_size") or "low"},
    }
    # The API takes one of the two penalties, and not the neutral value of the second.
    if presence := arguments.number("presence_penalty"):
        body["presence_penalty"] = presence
    elif arguments.number("frequency_penalty", 1) > 0:
        body["frequency_penalty"] = arguments.number("frequency_penalty", 1)
    if recency := arguments.text("search_recency_filter"):
        body["search_recency_filter"] = recency
    domains = [name.strip() for name in arguments.text("search_domain_filter").split(",") if name.strip()]
    if domains:
        body["search_domain_filter"] = domains[:20]
    headers = {"Authorization": f"Bearer {call.credentials['perplexity_api_key']}"}
    url = "https://api.perplexity.ai/chat/completions"
    found = await ask_json(call, "Perplexity", url, method="POST", headers=headers, data=body, timeout_s=300)
    answer = _answer(found)
    yield json_data(answer)
    yield text(json.dumps(answer, ensure_ascii=False, indent=2))


def _answer(found: Any) -> dict[str, Any]:
    if part(found, "choices", 0) is None:
        raise ToolFailed("Perplexity answered without a choice. Try again.")
    sources = [words(source, "url") for source in objects(found, "search_results")]
    answer: dict[str, Any] = {
        "content": words(found, "choices", 0, "message", "content"),
        "role": words(found, "choices", 0, "message", "role") or "assistant",
        "citations": part(found, "citations") or sources,
    }
    for name in ("images", "related_questions"):
        if part(found, name):
            answer[name] = part(found, name)
    return answer
