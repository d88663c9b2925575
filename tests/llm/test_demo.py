from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemill.llm.demo import DemoChat, DemoEmbedding, pieces
from tidemill.llm.demo_answers import answer
from tidemill.llm.demo_dictionary import is_chinese
from tidemill.llm.demo_words import categories
from tidemill.llm.types import ChatDelta, ChatRequest, Message, ToolCall, ToolSpec

CHAT = "You are a friendly assistant."


def prompt(query: str, *, system: str = CHAT, history: tuple[str, ...] = (), **more: Any) -> ChatRequest:
    past = tuple(
        Message(role="user" if index % 2 == 0 else "assistant", content=text, is_history=True)
        for index, text in enumerate(history)
    )
    messages = (Message(role="system", content=system), *past, Message(role="user", content=query))
    return ChatRequest(messages=messages, **more)


def reply(request: ChatRequest) -> str:
    text = answer(request)
    assert isinstance(text, str)
    return text


async def streamed(request: ChatRequest) -> list[ChatDelta]:
    return [delta async for delta in DemoChat(pace_s=0).stream(request)]


async def test_it_streams_word_by_word_and_counts_exactly():
    deltas = await streamed(prompt("How high is the tide?"))

    assert len(deltas) > 20
    assert deltas[-1].finish_reason == "stop"
    assert deltas[-1].counts is not None
    assert deltas[-1].counts.completion_tokens > 20
    assert "".join(delta.text for delta in deltas) == reply(prompt("How high is the tide?"))


async def test_it_says_plainly_what_it_is_in_the_language_of_the_question():
    english = reply(prompt("How high is the tide?"))
    chinese = reply(prompt("今天的潮水有多高？"))

    assert "demo model" in english
    assert "“How high is the tide?”" in english
    assert "演示模型" in chinese
    assert "今天的潮水有多高" in chinese


def test_it_greets():
    assert "demo model" in reply(prompt("Hello!"))
    assert "演示模型" in reply(prompt("你好"))


@pytest.mark.parametrize(
    ("told", "asked", "expected"),
    [
        ("Hi, my name is Ada.", "What is my name?", "Your name is Ada."),
        ("I'm Grace", "Do you remember? Who am I?", "Your name is Grace."),
        ("my name is ada lovelace and I sail", "what's my name", "Your name is ada."),
        ("我叫小明，住在青岛。", "我叫什么名字？", "您叫小明。"),
        ("你好，我叫李雷", "你记得我的名字吗", "您叫李雷。"),
    ],
)
def test_it_remembers_the_name_it_was_told(told: str, asked: str, expected: str):
    assert reply(prompt(asked, history=(told, "Nice to meet you"))) == expected


def test_it_admits_that_it_was_not_told_a_name():
    assert "not told me" in reply(prompt("What is my name?", history=("Hello", "Hello!")))
    assert "还没有" in reply(prompt("我叫什么？"))


def test_it_answers_an_introduction_with_the_name():
    assert "Nice to meet you, Ada" in reply(prompt("My name is Ada"))
    assert "很高兴认识您，小明" in reply(prompt("我叫小明"))


def test_it_repeats_what_was_said_before():
    assert "“the tide is low”" in reply(prompt("What did I just say?", history=("the tide is low", "ok")))
    assert "first message" in reply(prompt("What did I say?"))
    assert "message number 2" in reply(prompt("And now?", history=("the tide is low", "ok")))


@pytest.mark.parametrize(
    ("system", "query", "expected"),
    [
        ("Translate the user's text into Chinese.", "Hello world, good morning", "【演示译文】你好世界，早上好"),
        ("把用户的文字翻译成英文。", "你好，世界。", "[Demo translation] Hello, world."),
        ("", "Translate into English:\n\n今天天气很好", "[Demo translation] Today weather very good"),
        ("", "请把下面的内容翻译成中文：\nthank you", "【演示译文】谢谢"),
        ("", "Translate this.\n<SOURCE_TEXT>\nwater and tea\n</SOURCE_TEXT>", "【演示译文】水和茶"),
    ],
)
def test_a_translation_is_plausible_and_marked(system: str, query: str, expected: str):
    assert reply(prompt(query, system=system)).lower() == expected.lower()


@pytest.mark.parametrize(
    ("system", "query", "expected"),
    [
        ("Classify the question. Answer with one of: billing, technical, other.", "My bill is too high", "billing"),
        (
            "Classify the question into one of these categories:\n- billing: invoices, payments, refunds\n"
            "- technical: errors, crashes, installation\n- other: everything else",
            "The program crashes with an error",
            "technical",
        ),
        (
            "Classify the question into one of these categories:\n- billing: invoices, payments, refunds\n"
            "- technical: errors, crashes, installation\n- other: everything else",
            "Do you like the sea?",
            "other",
        ),
        ("将问题分类，只回答类别名称：账单、技术、其他", "软件报错，技术问题", "技术"),
        (
            "将用户的问题分类。\n- 账单：付款、发票、退款\n- 技术：报错、安装、崩溃\n- 其他：别的问题",
            "我要退款",
            "账单",
        ),
        (
            "将用户的问题分类。\n- 账单：付款、发票、退款\n- 技术：报错、安装、崩溃\n- 其他：别的问题",
            "海有多深",
            "其他",
        ),
    ],
)
def test_a_question_is_put_into_the_class_it_shares_words_with(system: str, query: str, expected: str):
    assert reply(prompt(query, system=system)) == expected


def test_classes_given_as_json_are_answered_as_json():
    classes = [{"category_id": "1", "category_name": "Delivery"}, {"category_id": "2", "category_name": "Returns"}]
    query = f'{{"input_text": "How do I make a return?", "categories": {json.dumps(classes)}}}'

    found = json.loads(reply(prompt(query, system="You are a text classification engine. Answer in JSON.")))

    assert found == {"category_id": "2", "category_name": "Returns"}


def test_a_list_without_a_task_is_no_classification():
    assert "You wrote" in reply(prompt("- tea\n- coffee", system=CHAT))
    assert [item.name for item in categories('["a", "b"]')] == ["a", "b"]
    assert categories("[broken") == []


def test_a_summary_is_the_first_sentence():
    assert reply(prompt("Tides rise. They fall.", system="Summarize the text.")).endswith("Tides rise.")
    assert "潮水上涨。" in reply(prompt("潮水上涨。潮水退去。", system="总结以下内容"))


TOOLS = (
    ToolSpec(name="get_weather", description="Weather of a city", parameters={"type": "object", "properties": {}}),
    ToolSpec(
        name="get_tide",
        description="Height of the tide",
        parameters={
            "type": "object",
            "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["place"],
        },
    ),
)


async def test_it_calls_the_tool_that_fits_and_then_reports_its_result():
    request = prompt("How high is the tide in 3 days?", tools=TOOLS)

    deltas = await streamed(request)
    calls = [call for delta in deltas for call in delta.tool_calls]
    told = ChatRequest(
        messages=(*request.messages, Message(role="tool", content="4 m", tool_call_id="call_demo_1")), tools=TOOLS
    )

    assert calls[0].name == "get_tide"
    assert json.loads(calls[1].arguments) == {"place": "How high is the tide in 3 days?", "days": 3}
    assert deltas[-1].finish_reason == "tool_calls"
    assert reply(told).startswith("The tool answered: 4 m")


def test_a_named_tool_is_called_and_none_means_none():
    called = answer(prompt("tide", tools=TOOLS, tool_choice="get_weather"))

    assert isinstance(called, ToolCall)
    assert called.name == "get_weather"
    assert "You wrote" in reply(prompt("tide", tools=TOOLS, tool_choice="none"))


SCHEMA = {
    "type": "object",
    "properties": {
        "sentiment": {"enum": ["positive", "negative", "neutral"]},
        "translation": {"type": "string"},
        "language": {"type": "string", "maxLength": 7},
        "name": {"type": "string"},
        "summary": {"type": "string", "minLength": 30},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "count": {"type": "integer", "exclusiveMinimum": 3, "multipleOf": 4},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 2},
        "when": {"type": ["null", "string"], "format": "date"},
        "code": {"type": "string", "pattern": "^[A-Z]$"},
        "nothing": {"type": "null"},
        "version": {"const": 2},
        "either": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
        "loose": {},
    },
    "required": ["sentiment", "score", "count", "tags", "version"],
    "additionalProperties": False,
    "$defs": {"tag": {"type": "string"}},
}


@pytest.mark.parametrize("query", ["My name is Ada and I feel positive, 0.7", "我叫小明，非常不开心", ""])
def test_json_is_valid_against_the_schema(query: str):
    value = json.loads(reply(prompt(query, json_schema=SCHEMA)))

    jsonschema_rs.validate(SCHEMA, value)
    if query.startswith("My"):
        assert (value["sentiment"], value["name"], value["score"]) == ("positive", "Ada", 0.7)


def test_json_without_a_schema_is_an_object():
    assert "demo" in json.loads(reply(prompt("Hi there friend", json_object=True)))["answer"]


leaves = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "minimum": -3, "maximum": 9},
        {"type": "number", "exclusiveMaximum": 1, "exclusiveMinimum": 0},
        {"type": "boolean"},
        {"enum": ["a", "b"]},
        {"enum": [1, 2]},
        {"type": "string", "format": "email"},
    ]
)
schemas = st.recursive(
    leaves,
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "name", "text"]), inner, min_size=1).map(
            lambda fields: {"type": "object", "properties": fields, "required": list(fields)}
        )
        | inner.map(lambda item: {"type": "array", "items": item, "minItems": 1})
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(schemas, st.text(max_size=40))
def test_whatever_the_schema_the_json_is_valid(schema: dict[str, Any], query: str):
    jsonschema_rs.validate(schema, json.loads(reply(prompt(query, json_schema=schema))))


async def test_an_answer_ends_at_its_limit_or_at_a_stop_word():
    short = await streamed(prompt("How high is the tide?", max_tokens=5))
    stopped = await streamed(prompt("How high is the tide?", stop=("demo",)))

    assert short[-1].finish_reason == "length"
    assert short[-1].counts is not None
    assert 0 < short[-1].counts.completion_tokens <= 5
    assert "demo" not in "".join(delta.text for delta in stopped)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_pieces_are_the_text_again(text: str):
    assert "".join(pieces(text)) == text


async def test_texts_that_share_words_are_near_each_other():
    tide, tides, tea = await DemoEmbedding().embed(["the high tide", "a high tide today", "green tea"])

    near = sum(left * right for left, right in zip(tide, tides, strict=True))
    far = sum(left * right for left, right in zip(tide, tea, strict=True))
    assert near > far
    assert sum(value * value for value in tide) == pytest.approx(1.0)


def test_language_is_told_by_its_letters():
    assert is_chinese("今天好")
    assert not is_chinese("Say 你好 to all of my old friends here")


def test_a_text_that_is_in_the_wanted_language_already_stays():
    assert reply(prompt("good morning", system="Translate the text into English.")).endswith("good morning")
    assert reply(prompt("早上好", system="翻译成中文")).endswith("早上好")


def test_an_answer_tells_the_instructions_it_was_given():
    assert "“You are a pilot.”" in reply(prompt("Which way?", system="You are a pilot."))
    assert "指示" in reply(prompt("往哪里走？", system="你是一名领航员。"))


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("My name is Ada.", "My name is Ada."),
        ("我叫小明，喜欢潮汐磨坊。", "我叫小明，喜欢潮汐磨坊。"),
        ("a " * 40, "a a a a a a a a a a a a a a a a…"),
    ],
)
def test_it_titles_a_conversation_by_its_first_words(message: str, title: str):
    asked = f"Give a short title, at most eight words, to a conversation.\n\n{message}"

    assert reply(prompt(asked, system="")) == title
