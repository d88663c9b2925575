"""How each of the files is run to its end: what is said to it, what the model and the vendors answer, what it gives.

Inputs and answers are made up. A file without a `Case` is in `CHECKED_ONLY`, or is served in `test_served_files.py`.
"""

from __future__ import annotations

from shared.case import Case, after, chosen, reply, use
from shared.ends_of_tools import TOOLS

# Blocking mode is refused for these: they run on a server, over a stream.
SERVED = ("agent-chat-12306-mcp", "investment-report-agent-chat")
CHECKED_ONLY = {
    "rag-file-parentchild": "a knowledge pipeline",
    "rag-website-crawl-high-quality": "a knowledge pipeline",
    "synthetic-min-rag-pipeline": "a knowledge pipeline",
}
STEPS = {"steps": [{"name": "Look", "content": "Look at the sea"}, {"name": "Wait", "content": "Wait for the tide"}]}
PLANNING = (
    reply("read values out of a text", {"Objectives": "read", "Time": "1 hour", "Field": "tides", "Preference": ""}),
    reply("从聊天记录中提取用户提到的学习偏好", "books"),
)
SUBTITLES = {f"subtitle{n}": f"Angle {n}" for n in range(1, 5)}

SIMPLE = (
    Case(
        file="after-sales-chatflow",
        says=("包裹破了",),
        inputs={"query": "包裹破了"},
        replies=(chosen("quality_issue", "质量问题"),),
        gives="包裹破了",
    ),
    *(
        Case(
            file="after-sales-chatflow",
            about=kind,
            says=(text,),
            inputs={"query": text},
            replies=(chosen(kind, name),),
            gives=text,
        )
        for kind, name, text in (
            ("refund_return", "退款退货", "我要退款"),
            ("logistics", "物流催件", "包裹在哪"),
            ("manual_service", "人工处理", "开发票"),
        )
    ),
    Case(file="agent-flow", gives="hello tide"),
    Case(
        file="agent-tool-calling",
        says=("几点了",),
        replies=(use("几点", "current_time"), after(r"20\d\d-\d\d-\d\d \d\d:", "现在是中午")),
        gives="现在是中午",
    ),
    Case(file="baoyu-ying-yi-zhong", inputs={"content": "Hello world"}, gives="Hello world"),
    Case(
        file="biaotidang-chuangzuo", inputs={"subject": "潮汐"}, replies=(reply(".", "一\n二"),), gives='["一", "二"]'
    ),
    Case(file="branch-answer-order", says=("hello world",), replies=(reply(".", "T"),), gives="contains 'hello'T"),
    Case(
        file="chunlian-shengchengqi-fu",
        inputs={"theme": "新年", "count": "五言", "enabled_summary": "开启"},
        replies=(reply(".", {"banner": "春潮涌", "top": "上", "bottom": "下", "summary": "福"}),),
        gives=">福</span>",
    ),
    Case(file="code-interpreter-chat", gives="hello tide"),
    Case(file="completion-minimal", inputs={"query": "Guten Tag"}, gives="Guten Tag"),
    Case(
        file="conditional-streaming-vs-template",
        inputs={"query": "Hello, how are you?", "blocking": "1"},
        replies=(reply(".", "T"),),
        gives='"text": "T',
    ),
    Case(file="end-without-value-type", inputs={"query": "test query"}, gives='{"query": "test query"}'),
    Case(
        file="housing-loan",
        says=("東京都です",),
        replies=(reply("抽出キー", {"prefecture": "東京都"}),),
        gives="hl-node-llm-reply",
    ),
    Case(file="iteration-flatten-disabled", gives='{"output": [[1, 2], [2, 4], [3, 6]]}'),
    Case(file="iteration-flatten-enabled", gives='{"output": [1, 2, 2, 4, 3, 6]}'),
    Case(file="iteration-updates-conversation-variable", says=("What is up?",), gives="What is up?"),
    Case(
        file="line-concierge-phaseflow",
        says=("年収は600万です", "東京都です"),
        replies=(reply("受付AI", {"annual_income": "600万"}),),
        gives="確認のため",
    ),
    Case(file="llm2o1-cn", replies=(reply("### Structure|JSON", STEPS), reply("Look|Wait", "done")), gives="done"),
    Case(file="loop-increment-break", gives='{"num": 5}'),
    Case(file="lvxing-demo", says=("去东京", "玩三天"), gives="玩三天"),
    Case(
        file="parallel-llm-streaming",
        replies=(reply("English", "second"), reply("Chinese", "first and much longer ")),
        gives="first and much longer second",
    ),
    Case(file="python-coding-prompt", gives="hello tide"),
    Case(
        file="sentiment-analysis-ja",
        inputs={"input_text": "great", "Multisentiment": "False", "Categories": "food"},
        gives="great",
    ),
    Case(file="seo-slug-generator", inputs={"title": "Ten Ways"}, gives="Ten Ways"),
    Case(file="streaming-conversation-variable-v1", says=("Q",), gives="Current Value Of `conv_var` is:Q"),
    Case(
        file="synthetic-human-input-approval",
        inputs={"request_id": "R1"},
        answers=("human_node=approve,comment=fine",),
        gives='{"comment": "fine"}',
    ),
    Case(
        file="synthetic-human-input-approval",
        about="rejected",
        inputs={"request_id": "R1"},
        answers=("human_node=reject,comment=no",),
        gives="{}",
    ),
    Case(file="synthetic-list-operator", gives='{"items": [1, 2]}'),
    Case(file="synthetic-loop-assigner", gives='{"num": 2}'),
    Case(file="synthetic-trigger-plugin-code", gives="true"),
    Case(file="zhong-yi-ying", inputs={"content": "你好"}, gives="你好"),
    Case(file="zhouyi-dashi-chat", says=("卦象",), gives="卦象"),
    Case(
        file="xiashuo-xinyu-v2",
        says=("潮汐",),
        replies=(reply("禅师", "潮起，潮落。"),),
        gives="data:image/svg+xml;base64,",
    ),
)

LONG = (
    Case(
        file="batch-document-summary",
        inputs={"UplodFile": "tide.md"},
        replies=(reply("结构|主要目标", "The tide is high, in short."),),
        gives="The tide is high, in short.",
    ),
    Case(
        file="deep-researcher",
        says=("lakes", "deep ones", "in Asia", "since 1900"),
        inputs={"Research_Theme": "lakes"},
        replies=(
            reply("subtitle1", SUBTITLES),
            reply("Keyword([1-4])", {f"Keyword{n}": ["lake"] for n in range(1, 5)}),
        ),
        vendors={"GET en.wikipedia.org/w/api.php": {"query": {"search": [{"title": "Lake", "snippet": "A lake"}]}}},
        has_knowledge=True,
        gives="报告已生成",
    ),
    Case(
        file="jiyi-ceshi",
        says=("hello", "how are you", "what shall I eat"),
        replies=(reply("质检员", "合理"),),
        gives="what shall I eat",
    ),
    Case(
        file="jiyi-ceshi",
        about="reaching-out",
        says=("主动触达",),
        replies=(reply("质检员", "早上好"),),
        gives="早上好",
    ),
    Case(
        file="jiyi-ceshi",
        about="unreasonable",
        replies=(reply("评价回复内容", "不合理"), reply("提示词待更新", "reason"), reply(".", "better")),
        gives="better",
    ),
    Case(
        file="smart-study-planner", says=("潮汐",), replies=(reply("Objectives", {"Field": "tides"}),), gives="信息确认"
    ),
    Case(
        file="smart-study-planner",
        about="asked-further",
        says=("潮汐", "怎么开始"),
        replies=(chosen("1", "用户针对当前学规划进行进一步细节上的询问"), *PLANNING, after("怎么开始", "从潮位开始")),
        gives="从潮位开始",
    ),
    Case(
        file="smart-study-planner",
        about="begun-anew",
        says=("潮汐", "换一个"),
        replies=(chosen("2", "用户希望更新数据并重新拟定新的自学计划"), *PLANNING),
        gives="请您重新提供您的自学规划信息",
    ),
    Case(
        file="smart-study-planner",
        about="off-topic",
        says=("潮汐", "天气"),
        replies=(chosen("1742508132865", "与自学提升不相关话题"), *PLANNING),
        gives="我是智学规划师",
    ),
)

KNOWLEDGE = (
    *(
        Case(
            file="document-chat-template",
            about=name,
            inputs={"input": "How is it set up?"},
            replies=(reply("意图分析", "需要查询"), chosen(kind, name), reply("The tide is high", "At high tide")),
            fails_at=node,
            has_knowledge=True,
            gives="At high tide",
        )
        for kind, name, node in (
            ("2", "提问", "1720800677771"),
            ("1720796069925", "架构", "1720800734485"),
            ("1720839653345", "其他", "1720839679262"),
        )
    ),
    Case(
        file="document-chat-template",
        about="off-topic",
        inputs={"input": "How is the weather?"},
        replies=(reply("意图分析", "无关"),),
        gives="不属于dify文档的相关内容",
    ),
    Case(
        file="document-chat-template",
        inputs={"input": "How is it set up?"},
        replies=(reply("意图分析", "需要查询"), chosen("1", ""), reply("The tide is high", "Set up at high tide")),
        fails_at="1720800425522",
        has_knowledge=True,
        gives="Set up at high tide",
    ),
    Case(
        file="tuwen-zhishiku",
        fails_at="1743994832383",
        replies=(reply("The tide is high", "It is high"),),
        has_knowledge=True,
        gives="It is high",
    ),
)

FAILING = (
    Case(
        file="file-read",
        inputs={"File": "tide.csv"},
        fails_at="1733308511344",
        because=r"No module named 'pandas'.*TIDEMILL_SANDBOX_PACKAGES",
    ),
    Case(
        file="form-chat-demo",
        fails_at="1731378644337",
        because=r"No module named 'requests'.*HTTP request node.*TIDEMILL_SANDBOX_PACKAGES",
    ),
    Case(file="jieba", fails_at="1732240797960", because=r"No module named 'jieba'.*TIDEMILL_SANDBOX_PACKAGES"),
    Case(
        file="run-llm-code",
        inputs={"File": "tide.csv", "query": "count"},
        fails_at="1733364687479",
        because=r"No module named 'pandas'.*TIDEMILL_SANDBOX_PACKAGES",
    ),
    Case(
        file="synthetic-trigger-webhook-code",
        inputs={"payload": '{"a": 1}'},
        fails_at="code_node",
        because=r"main\(\) missing 1 required positional argument: 'payload'",
    ),
    Case(
        file="synthetic-variable-aggregator-fallback",
        inputs={"query": "Q"},
        fails_at="code_primary",
        because=r"main\(\) missing 1 required positional argument: 'query'",
    ),
    Case(
        file="wandan-llm-baowei",
        says=("#开始", "1+1=3"),
        fails_at="1735195133945",
        because=r"No module named 'sympy'.*TIDEMILL_SANDBOX_PACKAGES",
    ),
)
OTHERS = (
    Case(file="wandan-llm-baowei", about="not-begun", gives="还未开始游戏"),
    Case(
        file="synthetic-parameter-extractor",
        inputs={"query": "Brest for 5"},
        replies=(use("Brest", "extract_parameters", city="Brest", budget=5),),
        gives='{"city": "Brest", "budget": 5}',
    ),
    Case(
        file="error-handling-kinds", says=("http://sea.example/",), vendors={"GET sea.example/": "ok"}, gives="success"
    ),
)
CASES = (*SIMPLE, *LONG, *TOOLS, *KNOWLEDGE, *FAILING, *OTHERS)
