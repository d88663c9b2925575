"""Web searches and page readers, their vendors played with answers of the documented shape."""

import pytest

from tidemill.ports import ToolFailed
from tools.vendors import Bench


async def test_tavily_sends_the_query_with_the_key_and_gives_texts_with_addresses(bench: Bench):
    bench.vendors.on(
        "POST api.tavily.com/search",
        {
            "query": "lake",
            "answer": None,
            "images": [],
            "results": [
                {"title": "Lakes", "url": "https://a.example/lake", "content": "A lake is water.", "score": 0.9},
                {"title": "More", "url": "https://b.example/", "content": "Deep.", "raw_content": None, "score": 0.5},
            ],
            "response_time": 1.2,
        },
    )

    found = await bench.run(
        "tavily",
        "tavily_search",
        {"query": "lake", "max_results": 10, "include_images": 0, "include_domains": None, "search_depth": "advanced"},
        {"tavily_api_key": "tvly-1"},
    )

    request = bench.vendors.request
    assert request.headers["Authorization"] == "Bearer tvly-1"
    assert request.json["query"] == "lake"
    assert request.json["max_results"] == 10
    assert request.json["search_depth"] == "advanced"
    assert request.json["include_domains"] == []
    assert "URL: https://a.example/lake\nA lake is water." in found.text
    assert found.json[0]["results"][1]["url"] == "https://b.example/"


async def test_tavily_extract_gives_the_pages_and_what_failed(bench: Bench):
    bench.vendors.on(
        "POST api.tavily.com/extract",
        {
            "results": [{"url": "https://a.example", "raw_content": "Text A"}],
            "failed_results": [{"url": "https://b.example", "error": "timeout"}],
        },
    )

    arguments = {"urls": "https://a.example, https://b.example"}
    found = await bench.run("tavily", "tavily_extract", arguments, {"tavily_api_key": "k"})

    assert bench.vendors.request.json["urls"] == ["https://a.example", "https://b.example"]
    assert found.text == "URL: https://a.example\nText A\n\nhttps://b.example: timeout"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "answered 401.*key"),
        (429, "answered 429.*rate limit"),
        (500, "answered 500"),
        (200, "did not answer with"),
    ],
)
async def test_a_vendor_that_refuses_or_sends_garbage_fails_the_tool_with_its_name(
    bench: Bench, status: int, sentence: str
):
    bench.vendors.on("POST api.tavily.com/search", b"<html>sorry</html>", status=status, kind="text/html")

    with pytest.raises(ToolFailed, match=f"Tavily {sentence}") as caught:
        await bench.run("tavily", "tavily_search", {"query": "x"}, {"tavily_api_key": "secret-key"})

    assert "secret-key" not in str(caught.value)


SEARX = {
    "query": "lake",
    "results": [
        {"url": "https://a.example/1", "title": "One", "content": "First", "engine": "bing", "score": 1.0},
        {"url": "https://a.example/2", "title": "Two", "content": "Second", "engine": "bing", "score": 0.5},
    ],
}


async def test_searxng_is_asked_for_json_and_gives_each_result(bench: Bench):
    bench.vendors.on("GET search.example.com/search", SEARX)

    found = await bench.run(
        "searxng",
        "searxng_search",
        {"query": "lake", "search_type": "general", "time_range": "week"},
        {"searxng_base_url": "https://search.example.com/"},
    )

    assert bench.vendors.request.query == {
        "q": "lake", "format": "json", "categories": "general", "time_range": "week"
    }  # fmt: skip
    assert [result["title"] for result in found.json] == ["One", "Two"]


async def test_searxng_in_old_files_gives_links_as_text(bench: Bench):
    bench.vendors.on("GET search.example.com/search", SEARX)

    found = await bench.run(
        "searxng",
        "searxng_search",
        {"query": "lake", "num_results": 1, "result_type": "link", "search_type": "Page"},
        {"searxng_base_url": "https://search.example.com"},
    )

    assert bench.vendors.request.query["categories"] == "general"
    assert found.text == "https://a.example/1"


DUCK = """<html><body><div class="results">
<div class="result results_links web-result"><h2 class="result__title">
<a rel="nofollow" class="result__a"
 href="//duckduckgo.com/l/?uddg=https%3A%2F%2Fen.example.org%2Fwiki%2FLake&amp;rut=abc">The <b>Lake</b></a></h2>
<a class="result__snippet" href="x">A <b>lake</b> is a body of &amp; water.</a></div>
<div class="result result--ad"><a class="result__a" href="https://duckduckgo.com/y.js?ad_provider=x">Ad</a>
<a class="result__snippet" href="x">Buy lakes</a></div>
<div class="result"><a class="result__a" href="https://b.example/">Second</a>
<div class="result__snippet">Other<br>words</div></div></div></body></html>"""


async def test_duckduckgo_gives_titles_addresses_and_snippets_without_advertisements(bench: Bench):
    bench.vendors.on("POST html.duckduckgo.com/html/", DUCK, kind="text/html; charset=utf-8")

    found = await bench.run("langgenius/duckduckgo/duckduckgo", "ddgo_search", {"query": "lake", "max_results": 5})

    assert found.json == [
        {"title": "The Lake", "href": "https://en.example.org/wiki/Lake", "body": "A lake is a body of & water."},
        {"title": "Second", "href": "https://b.example/", "body": "Otherwords"},
    ]


async def test_duckduckgo_with_a_summary_gives_the_snippets_as_text(bench: Bench):
    bench.vendors.on("POST html.duckduckgo.com/html/", DUCK, kind="text/html")

    found = await bench.run("duckduckgo", "ddgo_search", {"query": "lake", "require_summary": True})

    assert found.text == "A lake is a body of & water.\nOtherwords"
    assert found.outputs()["json"] == [{"data": []}]


async def test_duckduckgo_taking_us_for_a_robot_is_said(bench: Bench):
    bench.vendors.on(
        "POST html.duckduckgo.com/html/", "<div class='anomaly-modal'></div>", status=202, kind="text/html"
    )

    with pytest.raises(ToolFailed, match="robot"):
        await bench.run("duckduckgo", "ddgo_search", {"query": "lake"})


async def test_duckduckgo_translates_with_the_token_of_its_page(bench: Bench):
    bench.vendors.on("GET duckduckgo.com/", "<script>vqd='4-123-456'</script>", kind="text/html")
    bench.vendors.on(
        "POST duckduckgo.com/translation.js", {"detected_language": "zh", "translated": "Hello", "original": "你好"}
    )

    found = await bench.run("duckduckgo", "ddgo_translate", {"query": "你好", "translate_to": "en"})

    page, translation = bench.vendors.seen
    assert page.query == {"q": "translate"}
    assert translation.query == {"vqd": "4-123-456", "query": "translate", "to": "en"}
    assert translation.body.decode() == "你好"
    assert found.text == "Hello"


async def test_duckduckgo_finds_images_and_news(bench: Bench):
    bench.vendors.on("GET duckduckgo.com/", 'vqd="4-9"', kind="text/html")
    bench.vendors.on("GET duckduckgo.com/i.js", {"results": [{"title": "Cat", "image": "https://i.example/c.jpg"}]})
    bench.vendors.on(
        "GET duckduckgo.com/news.js",
        {"results": [{"title": "News", "url": "https://n.example", "excerpt": "Text", "source": "N", "date": 1}]},
    )

    images = await bench.run("duckduckgo", "ddgo_img", {"query": "cat"})
    news = await bench.run("duckduckgo", "ddgo_news", {"query": "cat"})

    assert images.text == "![Cat](https://i.example/c.jpg)"
    assert news.json == [{"title": "News", "url": "https://n.example", "body": "Text", "source": "N", "date": 1}]


async def test_jina_reads_the_page_whose_address_follows_its_own(bench: Bench):
    bench.vendors.on(
        "GET r.jina.ai/https://a.example/page?x=1", "Title: A\n\nMarkdown Content:\nText", kind="text/plain"
    )
    bench.vendors.on("GET r.jina.ai/https://a.example/page", "Title: A\n\nMarkdown Content:\nText", kind="text/plain")

    found = await bench.run(
        "jina",
        "jina_reader",
        {
            "url": "https://a.example/page",
            "no_cache": 1,
            "target_selector": "#main",
            "summary": 1,
            "proxy_server": None,
        },
        {"api_key": "jina_1"},
    )

    request = bench.vendors.request
    assert request.headers["Authorization"] == "Bearer jina_1"
    assert request.headers["X-No-Cache"] == "true"
    assert request.headers["X-Target-Selector"] == "#main"
    assert "X-Proxy-Url" not in request.headers
    assert found.text.endswith("Markdown Content:\nText")


async def test_jina_reads_without_a_key(bench: Bench):
    bench.vendors.on("GET r.jina.ai/https://a.example/", "Text", kind="text/plain")

    found = await bench.run("jina", "jina_reader", {"url": "https://a.example/"})

    assert "Authorization" not in bench.vendors.request.headers
    assert found.text == "Text"


async def test_jina_searches(bench: Bench):
    bench.vendors.on("GET s.jina.ai/deep%20lakes", "[1] Title: Lakes", kind="text/plain")

    assert (await bench.run("jina", "jina_search", {"query": "deep lakes"})).text == "[1] Title: Lakes"


async def test_wikipedia_gives_the_introductions_in_the_language_asked_for(bench: Bench):
    bench.vendors.on(
        "GET zh.wikipedia.org/w/api.php",
        {
            "batchcomplete": True,
            "query": {
                "pages": [
                    {"pageid": 2, "title": "B", "index": 2, "extract": "Second.", "fullurl": "https://zh.example/B"},
                    {"pageid": 1, "title": "A", "index": 1, "extract": "First.", "fullurl": "https://zh.example/A"},
                ]
            },
        },
    )

    found = await bench.run("wikipedia", "wikipedia_search", {"query": "湖", "language": "zh"})

    assert bench.vendors.request.query["gsrsearch"] == "湖"
    assert found.text == "Page: A\nSummary: First.\n\nPage: B\nSummary: Second."


async def test_wikipedia_knows_languages_by_name_and_refuses_hosts(bench: Bench):
    bench.vendors.on("GET en.wikipedia.org/w/api.php", {"batchcomplete": True})

    found = await bench.run("wikipedia", "wikipedia_search", {"query": "x", "language": "English"})

    assert found.text == "No good Wikipedia Search Result was found"
    with pytest.raises(ToolFailed, match="not a language"):
        await bench.run("wikipedia", "wikipedia_search", {"query": "x", "language": "evil.example/#"})


async def test_google_results_come_from_serpapi(bench: Bench):
    bench.vendors.on(
        "GET serpapi.com/search",
        {
            "search_metadata": {"status": "Success"},
            "knowledge_graph": {"title": "Lake", "description": "Water"},
            "organic_results": [{"position": 1, "title": "T", "link": "https://a.example", "snippet": "S", "x": 1}],
        },
    )

    arguments = {"query": "lake"}
    found = await bench.run("langgenius/google/google", "google_search", arguments, {"serpapi_api_key": "k"})

    assert bench.vendors.request.query["api_key"] == "k"
    assert found.json == [
        {
            "title": "Lake",
            "description": "Water",
            "organic_results": [{"title": "T", "link": "https://a.example", "snippet": "S"}],
        }
    ]


async def test_perplexity_answers_with_its_sources(bench: Bench):
    bench.vendors.on(
        "POST api.perplexity.ai/chat/completions",
        {
            "id": "1",
            "model": "sonar",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Blue."}, "finish_reason": "stop"}],
            "citations": ["https://a.example"],
            "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
        },
    )

    found = await bench.run(
        "langgenius/perplexity/perplexity",
        "perplexity",
        {"query": "colour of lakes", "search_domain_filter": "a.example, -b.example", "frequency_penalty": 1},
        {"perplexity_api_key": "pplx"},
    )

    body = bench.vendors.request.json
    assert body["messages"][-1] == {"role": "user", "content": "colour of lakes"}
    assert body["search_domain_filter"] == ["a.example", "-b.example"]
    assert body["frequency_penalty"] == 1
    assert "presence_penalty" not in body
    assert found.json == [{"content": "Blue.", "role": "assistant", "citations": ["https://a.example"]}]
    assert '"content": "Blue."' in found.text


async def test_baidu_gives_the_answer_and_the_references_that_flows_read(bench: Bench):
    bench.vendors.on(
        "POST qianfan.baidubce.com/v2/ai_search/chat/completions",
        {
            "request_id": "r",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "答案"}}],
            "references": [{"id": 1, "title": "T", "url": "https://a.example", "content": "C", "type": "web"}],
        },
    )

    found = await bench.run(
        "qianfan/baidu_ai_search/baidu_ai_search",
        "smart_search",
        {"query": "湖", "model": "", "resource_type_filter": '[{"type": "web", "top_k": 10}]', "temperature": 0.8},
        {"api_key": "bce"},
    )

    body = bench.vendors.request.json
    assert body["resource_type_filter"] == [{"type": "web", "top_k": 10}]
    assert body["temperature"] == 0.8
    assert found.text == "答案"
    assert found.json[0]["references"][0]["title"] == "T"


async def test_baidu_errors_in_a_good_status_fail_the_tool(bench: Bench):
    bench.vendors.on("POST qianfan.baidubce.com/v2/ai_search/web_search", {"code": "quota", "message": "no quota left"})

    with pytest.raises(ToolFailed, match="no quota left"):
        await bench.run("baidu_ai_search", "web_search", {"query": "x"}, {"api_key": "k"})
