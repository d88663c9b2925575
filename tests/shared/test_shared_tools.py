"""Real files with tool nodes, run to the end: scripted model, vendors played by a local server, the rest real."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from shared.conftest import FILES
from support.model_server import ModelServer, running_model_server
from tidemill.cli.options import read_app_file
from tidemill.cli.running import Job, execute
from tidemill.cli.show import Screen
from tidemill.engine.events import RunFinished
from tidemill.kit.settings import Settings
from tidemill.ports import Http
from tidemill.tools import builtin
from tools.vendors import Rerouted, Vendors

TAVILY = {
    "query": "q",
    "results": [{"title": "A", "url": "https://a.example/1", "content": "About A."}],
}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


@pytest_asyncio.fixture
async def vendors() -> AsyncIterator[Vendors]:
    played = Vendors()
    await played.start()
    yield played
    await played.close()


@dataclass
class Desk:
    """Runs a real file as `tidemill run` does, with the vendors' hosts rerouted."""

    model: ModelServer
    vendors: Vendors
    home: Path
    monkeypatch: pytest.MonkeyPatch
    keys: dict[str, str] = field(default_factory=dict[str, str])

    async def run(self, file: str, *, query: str = "", model: str = "mock-echo", **inputs: str) -> RunFinished:
        environment = {
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": self.model.base_url,
            "OPENAI_MODEL_WINDOW": "128000",
            **self.keys,
        }
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)
        job = Job(
            app=read_app_file(FILES / file),
            inputs=list(inputs.items()),
            query=query,
            files=[],
            conversation="",
            model=f"openai/{model}",
            maps=[],
            window=None,
            environment={},
            settings=Settings(home=self.home, egress_allow="127.0.0.1"),
            around=self._rerouted,
        )
        return await execute(job, Screen(shows_events=False, shows_text=False))

    def _rerouted(self, ports: dict[type, object]) -> dict[type, object]:
        return {**ports, Http: Rerouted(ports[Http], self.vendors)}  # type: ignore[arg-type]


@pytest.fixture
def desk(model: ModelServer, vendors: Vendors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    model.reset()
    return Desk(model, vendors, tmp_path, monkeypatch)


def named_tools(value: Any) -> set[tuple[str, str]]:
    """Every (provider, tool) that a file names: in nodes, in agents, in agent apps."""
    found: set[tuple[str, str]] = set()
    if isinstance(value, dict):
        if "tool_name" in value and "provider_name" in value:
            found.add((value.get("provider_id") or value["provider_name"], value["tool_name"]))
        for item in value.values():
            found |= named_tools(item)
    elif isinstance(value, list):
        for item in value:
            found |= named_tools(item)
    return found


def test_every_tool_that_the_files_name_is_there():
    named = {tool for path in FILES.glob("*.yml") for tool in named_tools(yaml.safe_load(path.read_text()))}

    assert len(named) >= 30
    assert [tool for tool in sorted(named) if builtin.find(*tool) is None] == []


async def test_a_loop_of_searches_gives_both_results(desk: Desk):
    # The tool says the text of the expected results; the vendor's own answer has another form.
    desk.keys = {"PERPLEXITY_API_KEY": "k"}
    message = {"role": "assistant", "content": "mocked search result"}
    desk.vendors.on("POST api.perplexity.ai/chat/completions", {"choices": [{"message": message}]})

    finished = await desk.run("loop-search-years.yml", query="any")

    assert finished.status == "succeeded", finished.error
    assert len(desk.vendors.seen) == 2
    assert finished.answer is not None
    assert finished.answer.count("mocked search result") == 2


async def test_a_page_s_json_is_parsed_by_the_tool(desk: Desk):
    desk.vendors.on("GET api.example/data", {"a": 1})

    finished = await desk.run("http-then-json-tool.yml", url="https://api.example/data")

    assert finished.status == "succeeded", finished.error


async def test_a_text_is_translated_by_duckduckgo_and_the_model(desk: Desk):
    desk.vendors.on("GET duckduckgo.com/", "vqd='4-1'", kind="text/html")
    desk.vendors.on("POST duckduckgo.com/translation.js", {"translated": "Good day"})

    finished = await desk.run("duckduckgo-llm-translate.yml", content="你好")

    assert finished.status == "succeeded", finished.error
    assert "Good day" in json.dumps(finished.outputs, ensure_ascii=False)


async def test_each_text_of_a_list_is_translated(desk: Desk):
    desk.vendors.on("POST translate.googleapis.com/translate_a/single", [[["Hello", "你好"]], None, "zh"])

    finished = await desk.run("json-translate.yml", json_data='[{"text": "你好"}, {"text": "再见"}]')

    assert finished.status == "succeeded", finished.error
    assert json.dumps(finished.outputs).count("Hello") == 2


async def test_a_search_answer_of_baidu_reaches_the_model(desk: Desk):
    desk.keys = {"QIANFAN_API_KEY": "k"}
    desk.vendors.on(
        "POST qianfan.baidubce.com/v2/ai_search/chat/completions",
        {"choices": [{"message": {"content": "x"}}], "references": [{"title": "T1", "content": "C1"}]},
    )

    finished = await desk.run("baidu-search-demo.yml", query="湖")

    assert finished.status == "succeeded", finished.error
    assert "标题: T1" in json.dumps(desk.model.requests()[-1].body, ensure_ascii=False)


async def test_an_order_is_made_and_shown(desk: Desk):
    desk.keys = {"SMALL_PAY_API_KEY": "k"}
    desk.vendors.on(
        "POST pay.freecicoda.com/smallPayment/api/v1/order/createOrder",
        {"code": 200, "data": {"orderNo": "N42", "qrCodeBase64": "iVBORw0KGgo="}},
    )
    desk.vendors.on("GET pay.freecicoda.com/smallPayment/api/v1/order/queryOrder", {"code": 200, "data": {"status": 1}})

    finished = await desk.run("xiaozhifu-demo.yml", query="buy")

    assert finished.status == "succeeded", finished.error
    assert desk.vendors.seen[0].json["money"] == 112
    assert desk.vendors.seen[1].query["orderNo"] == "N42"
    assert "支付成功" in (finished.answer or "")


async def test_a_picture_is_made_of_words(desk: Desk):
    desk.keys = {"MODELSCOPE_API_KEY": "k"}
    api = "api-inference.modelscope.cn/v1"
    desk.vendors.on(f"POST {api}/images/generations", {"task_id": "T"})
    desk.vendors.on(f"GET {api}/tasks/T", {"task_status": "SUCCEED", "output_images": ["https://oss.example/a.png"]})
    desk.vendors.on("GET oss.example/a.png", PNG, kind="image/png")
    (start,) = (
        node["data"]
        for node in yaml.safe_load((FILES / "text-to-image-plugin.yml").read_text())["workflow"]["graph"]["nodes"]
        if node["data"]["type"] == "start"
    )
    kinds = next(field["options"] for field in start["variables"] if field["variable"] == "type")

    finished = await desk.run("text-to-image-plugin.yml", query="a lake", type=kinds[0])

    assert finished.status == "succeeded", finished.error
    assert desk.vendors.seen[0].json["model"].startswith("Qwen/")


async def test_the_time_is_looked_up_on_the_way(desk: Desk):
    finished = await desk.run("jiyi-ceshi.yml", query="hello")

    assert finished.status == "succeeded", finished.error


DUCK = "".join(
    f'<a class="result__a" href="https://p.example/{n}">Page {n}</a><a class="result__snippet">About {n}</a>'
    for n in range(1, 6)
)
PAGE = "<html><head><title>Page</title></head><body><article><p>{}</p></article></body></html>"


async def test_pages_found_by_a_search_are_read(desk: Desk):
    desk.vendors.on("POST html.duckduckgo.com/html/", DUCK, kind="text/html")
    for number in range(1, 6):
        page = PAGE.format(f"The words of page {number}, of which there are some. " * 20)
        desk.vendors.on(f"GET p.example/{number}", page, kind="text/html")
    (start,) = (
        node["data"]
        for node in yaml.safe_load((FILES / "simple-kimi.yml").read_text())["workflow"]["graph"]["nodes"]
        if node["data"]["type"] == "start"
    )
    choices = next(field["options"] for field in start["variables"] if field["variable"] == "web_search")

    ends = {choice: await desk.run("simple-kimi.yml", query="湖", web_search=choice) for choice in choices}

    assert {finished.status for finished in ends.values()} == {"succeeded"}
    read = [seen.path for seen in desk.vendors.seen if seen.path.startswith("p.example")]
    assert sorted(set(read)) == [f"p.example/{number}" for number in range(1, 5)]
    said = json.dumps([request.body for request in desk.model.requests()], ensure_ascii=False)
    assert "The words of page 2" in said


async def test_code_is_turned_by_way_of_a_lambda_function(desk: Desk):
    desk.keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
    body = json.dumps(
        {
            "json": {
                "out_file_name": "a.py",
                "python": [{"type": "function", "signature": "def a()"}],
                "java": [{"type": "function", "signature": "a()"}],
            }
        }
    )
    host = "lambda.us-east-1.amazonaws.com"
    desk.vendors.on(f"POST {host}/2015-03-31/functions/yaml_to_json/invocations", {"statusCode": 200, "body": body})
    (start,) = (
        node["data"]
        for node in yaml.safe_load((FILES / "claude3-code-translation.yml").read_text())["workflow"]["graph"]["nodes"]
        if node["data"]["type"] == "start"
    )
    choices = {field["variable"]: field["options"] for field in start["variables"] if field.get("options")}
    target = next(choice for choice in choices["dest_lang"] if choice in ("python", "java"))

    finished = await desk.run(
        "claude3-code-translation.yml",
        code_to_translate="int a();",
        code_file_name="a.c",
        src_lang=choices["src_lang"][0],
        dest_lang=target,
    )

    assert finished.status == "succeeded", finished.error
    assert desk.vendors.seen[0].headers["Authorization"].startswith("AWS4-HMAC-SHA256")


async def test_a_run_without_a_vendor_s_key_fails_naming_tool_provider_and_variable(desk: Desk):
    finished = await desk.run("baidu-search-demo.yml", query="x")

    assert finished.status == "failed"
    assert re.search(r"smart_search.*baidu_ai_search.*QIANFAN_API_KEY", finished.error or "")


SEARCHES = {"results": [{"url": "https://p.example/1", "title": "One", "content": "First"}]}
REASONING = {"findings": "F", "nextSearchTopic": "deep lakes", "shouldContinue": True}


async def test_a_search_by_topics_reads_the_model_s_json(desk: Desk):
    desk.keys = {"TAVILY_API_KEY": "k"}
    desk.vendors.on("POST api.tavily.com/search", TAVILY)
    desk.model.script({"match": ".", "reply": json.dumps(REASONING)})

    finished = await desk.run("deep-research-ja.yml", query="lakes", depth="1")

    assert finished.status == "succeeded", finished.error
    assert desk.vendors.seen[0].json["search_depth"] == "advanced"


async def test_pages_found_by_searxng_are_read_by_jina(desk: Desk):
    desk.keys = {"SEARXNG_BASE_URL": "https://search.example.com"}
    desk.vendors.on("GET search.example.com/search", SEARCHES)
    desk.vendors.on("GET r.jina.ai/https://p.example/1", "Title: One\n\nThe lake is deep.", kind="text/plain")
    desk.vendors.on("GET p.example/1", "page", kind="text/html")
    desk.model.script({"match": ".", "reply": '{"queries": ["lake"], "keywords": ["lake"]}'})

    finished = await desk.run("sousuo-dashi.yml", query="lake")

    assert finished.status == "succeeded", finished.error
    assert "r.jina.ai/https://p.example/1" in [seen.path for seen in desk.vendors.seen]
    assert "The lake is deep." in json.dumps(desk.model.requests()[-1].body)
