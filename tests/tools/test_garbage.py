"""Vendors that answer with something else than they document: every tool ends with a result or a sentence."""

from typing import Any

import pytest

from tools.vendors import Bench, sentence_of

KEYS = {
    name: "key"
    for name in (
        "tavily_api_key", "serpapi_api_key", "perplexity_api_key", "api_key",
        "aws_access_key_id", "aws_secret_access_key",
    )
}  # fmt: skip
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("tavily", "tavily_search", {"query": "q"}),
    ("tavily", "tavily_extract", {"urls": "https://a.example"}),
    ("searxng", "searxng_search", {"query": "q"}),
    ("duckduckgo", "ddgo_search", {"query": "q"}),
    ("duckduckgo", "ddgo_translate", {"query": "q"}),
    ("duckduckgo", "ddgo_img", {"query": "q"}),
    ("duckduckgo", "ddgo_news", {"query": "q"}),
    ("wikipedia", "wikipedia_search", {"query": "q"}),
    ("google", "google_search", {"query": "q"}),
    ("perplexity", "perplexity", {"query": "q"}),
    ("baidu_ai_search", "smart_search", {"query": "q"}),
    ("baidu_ai_search", "web_search", {"query": "q"}),
    ("google_translate", "translate", {"content": "c"}),
    ("openweather", "weather", {"city": "c"}),
    ("aws", "lambda_yaml_to_json", {"yaml_content": "y", "aws_region": "us-east-1", "lambda_name": "f"}),
    ("small_pay", "create_order", {"money": 1}),
    ("small_pay", "query_order", {"order_no": "1"}),
    ("modelscope", "text2image", {"prompt": "p"}),
    ("yahoo", "yahoo_finance_analytics", {"symbol": "S"}),
    ("yahoo", "yahoo_finance_news", {"symbol": "S"}),
    ("yahoo", "yahoo_finance_ticker", {"symbol": "S"}),
]
TEXT = (
    "results failed_results images data query pages news chart result choices references organic_results "
    "knowledge_graph output_images meta timestamp indicators quote message search_results errors error"
)
NAMES = TEXT.split()
BODIES: list[Any] = [
    None,
    5,
    "vqd='4-1'",
    [],
    [1],
    [[[1]]],
    {},
    {name: 5 for name in NAMES},
    {name: "x" for name in NAMES},
    {name: [1, None, "x"] for name in NAMES},
    {name: {"a": 1} for name in NAMES},
    {name: [{}] for name in NAMES},
    {"code": 200, "statusCode": 200, "data": {"status": "x", "qrCodeBase64": 5, "orderNo": None}, "body": 5},
    {"chart": {"result": [{"meta": 5, "timestamp": "x", "indicators": {"quote": [{"open": 5}]}}]}},
    {"task_id": "T", "task_status": "SUCCEED", "output_images": 5},
    {"task_id": "T", "task_status": "FAILED", "errors": ["x"]},
    {"query": {"pages": [{"extract": 5, "title": None, "index": "x"}]}},
]


@pytest.mark.parametrize(("provider", "tool", "arguments"), CALLS, ids=[tool for _, tool, _ in CALLS])
async def test_a_vendor_that_answers_garbage_ends_in_a_result_or_a_sentence(
    bench: Bench, provider: str, tool: str, arguments: dict[str, Any]
):
    for body in BODIES:
        bench.vendors.always(body)
        said = await sentence_of(
            bench.run(provider, tool, arguments, {**KEYS, "searxng_base_url": "https://s.example"})
        )

        assert said == "" or len(said) > 20, f"{body}: {said}"
