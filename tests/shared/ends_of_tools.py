"""Files that call services: vendors' tools, MCP servers, HTTP requests."""

from __future__ import annotations

from shared.case import PNG, Case, after, chosen, in_json, reply, use

SEEN_IN = {"title": "One", "url": "https://p.example/1", "content": "The lake is deep."}
DUCK = "".join(
    f'<a class="result__a" href="https://p.example/{n}">Page {n}</a><a class="result__snippet">About {n}</a>'
    for n in range(1, 6)
)
WORDS = "The words of the page. " * 20
PAGE = f"<html><head><title>Page</title></head><body><article><p>{WORDS}</p></article></body></html>"
PICTURE = {"code": 0, "data": {"url": "https://pics.example/1.png"}}
ORDER = {"code": 200, "data": {"orderNo": "N42", "qrCodeBase64": "iVBORw0KGgo="}}
PAY = "pay.freecicoda.com/smallPayment/api/v1/order"
PAYMENT = {f"POST {PAY}/createOrder": ORDER, f"GET {PAY}/queryOrder": {"code": 200, "data": {"status": 1}}}
MODELSCOPE = "api-inference.modelscope.cn/v1"
PICTURES = {
    f"POST {MODELSCOPE}/images/generations": {"task_id": "T"},
    f"GET {MODELSCOPE}/tasks/T": {"task_status": "SUCCEED", "output_images": ["https://oss.example/a.png"]},
    "GET oss.example/a.png": PNG,
}
LAMBDA = "lambda.us-east-1.amazonaws.com/2015-03-31/functions/yaml_to_json/invocations"
PARTS = {
    "json": {
        "out_file_name": "a.py",
        "python": [{"type": "function", "signature": "def a()"}, {"type": "import", "codes": "import os"}],
        "java": [{"type": "function", "signature": "void a()"}, {"type": "import", "codes": "import b;"}],
    }
}
WEATHER = {
    "data": {
        "beginYear": 1991,
        "endYear": 2020,
        "data": [{"month": 1, "maxTemp": 8.1, "minTemp": 2.1, "rainfall": 74.4}],
    }
}
NEWS = {"references": [{"title": "T1", "content": "C1"}], "choices": [{"message": {"content": "x"}}]}

TOOLS = (
    Case(
        file="baidu-search-demo",
        says=("湖",),
        keys=("QIANFAN_API_KEY",),
        fails_at="1780625469789",
        vendors={"POST qianfan.baidubce.com/v2/ai_search/chat/completions": NEWS},
        replies=(reply("标题: T1", "I read C1"),),
        gives="I read C1",
    ),
    Case(file="chart-demo", vendors={"GET weather.cma.cn/api/climate": WEATHER}, gives="1991年-2020年月平均气温和降水"),
    Case(
        file="claude3-code-translation",
        inputs={"code_to_translate": "int a();", "code_file_name": "a.java", "src_lang": "java", "dest_lang": "python"},
        keys=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        fails_at="1723619551968",
        vendors={f"POST {LAMBDA}": {"statusCode": 200, "body": in_json(PARTS)}},
        replies=(reply(r"def a\(\)", "def a(): return 1"),),
        gives="def a(): return 1",
    ),
    Case(
        file="deep-research-ja",
        says=("lakes",),
        inputs={"depth": "2"},
        keys=("TAVILY_API_KEY",),
        fails_at="1739245424964",
        vendors={"POST api.tavily.com/search": {"query": "q", "results": [SEEN_IN]}},
        replies=(
            reply("包括的な分析", "Lakes, in short."),
            reply(".", {"findings": "F", "nextSearchTopic": "deep lakes", "shouldContinue": True}),
        ),
        gives="Lakes, in short.",
    ),
    Case(
        file="dify-yunying-yitiaolong",
        inputs={"basic_instruction": "Tides"},
        vendors={"POST api.imgrender.net/open/v1/pics": PICTURE},
        gives="https://pics.example/1.png",
    ),
    Case(
        file="doubao-image-video-pay",
        inputs={"prompt": "a lake", "type": "文生图像"},
        replies=(use("^a lake$", "echo", text="drawn"), after("drawn", "Here it is: a lake")),
        gives="Here it is: a lake",
    ),
    Case(
        file="doubao-image-video-pay",
        about="paid",
        inputs={"prompt": "a lake", "type": "文生视频"},
        says=("film", "film"),
        keys=("SMALL_PAY_API_KEY",),
        fails_at="1749880213564",
        vendors=PAYMENT,
        gives="a lake",
    ),
    Case(
        file="doubao-image-video-pay",
        about="film-of-a-picture",
        inputs={"prompt": "a lake", "type": "图生视频", "picture": "pixel.png"},
        says=("film", "film"),
        keys=("SMALL_PAY_API_KEY",),
        fails_at="1749880213564",
        vendors=PAYMENT,
        gives="a lake",
    ),
    Case(
        file="doubao-image-video-pay",
        about="no-picture",
        inputs={"prompt": "a lake", "type": "图生视频"},
        gives="图生视频需要上传图片",
    ),
    Case(
        file="duckduckgo-llm-translate",
        inputs={"content": "你好"},
        vendors={"GET duckduckgo.com/": "vqd='4-1'", "POST duckduckgo.com/translation.js": {"translated": "Good day"}},
        gives="Good day",
    ),
    Case(
        file="enterprise-profile-agents",
        says=("Acme",),
        replies=(
            chosen("1", "查询企业基本信息"),
            use("^Acme$", "echo", text="founded in 1887"),
            after("founded in 1887", "成立于 1887 年"),
        ),
        gives="成立于 1887 年",
    ),
    Case(
        file="enterprise-profile-agents",
        about="counted",
        says=("2020",),
        replies=(
            chosen("2", "查询并统计某时间段成立的企业"),
            use("^2020$", "echo", text="12 firms"),
            after("12 firms", "共 12 家"),
        ),
        gives="共 12 家",
    ),
    Case(
        file="enterprise-profile-agents",
        about="holders",
        says=("Acme",),
        replies=(
            chosen("1748249853850", "查询企业股东信息"),
            use("^Acme$", "echo", text="belongs to Bob"),
            after("belongs to Bob", "股东是 Bob"),
        ),
        gives="股东是 Bob",
    ),
    Case(
        file="http-then-json-tool",
        inputs={"url": "https://api.example/data"},
        vendors={"GET api.example/data": {"a": 1}},
        gives='"parsed_data": {"a": 1}',
    ),
    Case(
        file="jina-reader-jinja",
        inputs={"Question": "lakes"},
        keys=("TAVILY_API_KEY",),
        fails_at="1713262010863",
        vendors={
            "POST api.tavily.com/search": {"query": "q", "results": [SEEN_IN]},
            "GET r.jina.ai/https://p.example/1": "Title: One\n\nThe lake is deep.",
        },
        replies=(reply(".", "in short"),),
        gives="in short",
    ),
    Case(
        file="json-translate",
        inputs={"json_data": '[{"text": "你好"}, {"text": "再见"}]'},
        vendors={"POST translate.googleapis.com/translate_a/single": [[["Hello", "你好"]], None, "zh"]},
        gives="Hello",
    ),
    Case(
        file="loop-search-years",
        says=("any",),
        keys=("PERPLEXITY_API_KEY",),
        fails_at="1754979561786",
        vendors={
            "POST api.perplexity.ai/chat/completions": {
                "choices": [{"message": {"role": "assistant", "content": "found"}}]
            }
        },
        gives="found",
    ),
    Case(
        file="mcp-amap",
        says=("weather",),
        replies=(use("^weather$", "echo", text="sun"), after("sun", "晴")),
        gives="晴",
    ),
    Case(
        file="mindmap-mcp-agent",
        says=("tides",),
        replies=(
            reply("PPT大纲", "# Tides"),
            use("^tides$", "echo", text="map.png"),
            after("map.png", "[Tides](https://pics.example/map.png)"),
        ),
        gives="https://pics.example/map.png",
    ),
    Case(
        file="simple-kimi",
        says=("湖",),
        inputs={"web_search": "开启", "role_def": "You know lakes"},
        vendors={
            "POST html.duckduckgo.com/html/": DUCK,
            **{f"GET p.example/{number}": PAGE for number in range(1, 6)},
        },
        replies=(reply("候选回答|candidate", "All in all, deep."),),
        gives="All in all, deep.",
    ),
    Case(
        file="simple-kimi",
        about="document",
        says=("说",),
        inputs={"web_search": "关闭"},
        sends=("tide.md",),
        gives="The tide is high",
    ),
    Case(file="simple-kimi", about="no-file", says=("说",), inputs={"web_search": "关闭"}, gives="说"),
    Case(
        file="simple-kimi",
        about="image",
        says=("说",),
        inputs={"web_search": "关闭"},
        sends=("pixel.png",),
        replies=(reply(".", "A pixel"),),
        gives="A pixel",
    ),
    Case(
        file="sousuo-dashi",
        says=("lake",),
        keys=("SEARXNG_BASE_URL",),
        fails_at="1720362263119",
        vendors={
            "GET search.example.com/search": {"results": [SEEN_IN]},
            "GET r.jina.ai/https://p.example/1": "Title: One\n\nThe lake is deep.",
            "GET p.example/1": PAGE,
        },
        replies=(reply("The lake is deep", "It is deep"),),
        gives="It is deep",
    ),
    Case(
        file="synthetic-trigger-schedule-http", vendors={"GET example.com/health": "well"}, gives='{"status_code": 200}'
    ),
    Case(
        file="text-to-card-iteration",
        inputs={"author": "Ada", "body_text": "Tides"},
        vendors={"POST api.imgrender.cn/open/v1/pics": PICTURE},
        replies=(reply("image_url", {"image_url": "https://pics.example/1.png"}),),
        gives="https://pics.example/1.png",
    ),
    Case(
        file="text-to-image-plugin",
        says=("a lake",),
        inputs={"type": "文生图"},
        keys=("MODELSCOPE_API_KEY",),
        fails_at="1755657278812",
        vendors=PICTURES,
        gives="The picture is ready.",
    ),
    Case(
        file="text-to-image-plugin",
        about="of-a-picture",
        says=("a lake",),
        inputs={"type": "图生图", "picture": "https://oss.example/a.png"},
        keys=("MODELSCOPE_API_KEY",),
        fails_at="1758014170342",
        vendors=PICTURES,
        gives="The picture is ready.",
    ),
    Case(
        file="xiaozhifu-demo",
        says=("buy", "hello"),
        keys=("SMALL_PAY_API_KEY",),
        fails_at="1749220945757",
        vendors=PAYMENT,
        gives="hello",
    ),
)
