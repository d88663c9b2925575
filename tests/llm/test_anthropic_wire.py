from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession

from llm.wires import asking, collect, events, json_response, model, recorded
from support.model_server import ModelServer
from tidemill.llm.errors import BadCredential, ContextExceeded, ModelError, ModelUnavailable, RateLimited, StreamBroken
from tidemill.llm.providers.anthropic import to_wire
from tidemill.llm.types import ChatRequest, MediaPart, Message, TextPart, ToolCall, ToolSpec

TOOL = ToolSpec(
    name="tide",
    description="Height of the tide",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


async def test_an_answer_streams_with_reason_and_counts(http: ClientSession, model_server: ModelServer):
    chat = model(http, model_server.origin, "mock-12tok", provider="anthropic")

    answer = await collect(chat, asking(max_tokens=100))

    assert len(answer.text.split()) == 12
    assert answer.last.finish_reason == "stop"
    assert answer.last.counts is not None
    assert (answer.last.counts.prompt_tokens > 0, answer.last.counts.completion_tokens) == (True, 12)
    (request,) = model_server.requests()
    assert request.path == "/v1/messages"
    assert request.headers["x-api-key"] == "sk-test"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.body["max_tokens"] == 100


async def test_thinking_comes_apart_from_the_text(http: ClientSession, model_server: ModelServer):
    answer = await collect(model(http, model_server.base_url, "mock-think20-3tok", provider="anthropic"), asking())

    assert len(answer.reasoning.split()) >= 18
    assert len(answer.text.split()) == 3


async def test_several_tool_calls_are_put_together(http: ClientSession, model_server: ModelServer):
    second = ToolSpec(name="wind", description="", parameters={"type": "object", "properties": {}})

    answer = await collect(
        model(http, model_server.origin, "mock-tools3", provider="anthropic"), asking(tools=(TOOL, second))
    )

    assert answer.calls == {0: ["toolu_mock0", "tide", '{"city":"mock"}'], 1: ["toolu_mock1", "wind", "{}"]}
    assert answer.last.finish_reason == "tool_calls"


async def test_a_schema_is_answered_through_a_forced_tool_as_text(http: ClientSession, model_server: ModelServer):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}}

    answer = await collect(
        model(http, model_server.origin, "mock-tool", provider="anthropic"), asking(json_schema=schema)
    )

    assert answer.text == '{"ok":true}'
    assert answer.calls == {}
    assert answer.last.finish_reason == "stop"
    assert model_server.requests()[0].body["tool_choice"] == {"type": "tool", "name": "answer"}


@pytest.mark.parametrize(
    ("name", "kind", "attempts"),
    [
        ("mock-err401", BadCredential, 1),
        ("mock-err429", RateLimited, 3),
        ("mock-err500", ModelUnavailable, 3),
        ("mock-cut4", StreamBroken, 1),
        ("mock-bad4", StreamBroken, 1),
    ],
)
async def test_failures_have_names(
    http: ClientSession, model_server: ModelServer, name: str, kind: type[ModelError], attempts: int
):
    with pytest.raises(kind, match="Anthropic"):
        await collect(model(http, model_server.origin, name, provider="anthropic"), asking())

    assert len(model_server.requests()) == attempts


async def test_closing_the_stream_closes_the_connection(http: ClientSession, model_server: ModelServer):
    chat = model(http, model_server.origin, "mock-hang5-20tok", provider="anthropic")
    stream = chat.stream(chat.fit(asking()))
    await anext(stream)

    await stream.aclose()

    assert await asyncio.to_thread(model_server.wait_for_disconnects, within_s=1.0) < 1.0


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("overloaded_error", ModelUnavailable),
        ("rate_limit_error", RateLimited),
        ("authentication_error", BadCredential),
    ],
)
async def test_an_error_inside_the_stream_has_a_name(http: ClientSession, kind: str, error: type[ModelError]):
    piece = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}'
    stream = events(piece, '{"type":"error","error":{"type":"' + kind + '","message":"x"}}')
    async with recorded(stream) as (url, _):
        with pytest.raises(error):
            await collect(model(http, url, "m", provider="anthropic"), asking())


async def test_an_overlong_prompt_is_the_named_error(http: ClientSession):
    body = '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8 maximum"}}'
    async with recorded(json_response(body, status="400 Bad Request")) as (url, _):
        with pytest.raises(ContextExceeded):
            await collect(model(http, url, "m", provider="anthropic"), asking())


async def test_cached_tokens_belong_to_the_prompt(http: ClientSession):
    stream = events(
        '{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1,'
        '"cache_read_input_tokens":20,"cache_creation_input_tokens":3}}}',
        '{"type":"ping"}',
        '{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":7}}',
        '{"type":"message_stop"}',
    )
    async with recorded(stream) as (url, _):
        answer = await collect(model(http, url, "m", provider="anthropic"), asking())

    assert answer.last.counts is not None
    assert (answer.last.counts.prompt_tokens, answer.last.counts.cached_tokens) == (28, 20)
    assert (answer.last.counts.completion_tokens, answer.last.finish_reason) == (7, "length")


def test_system_messages_and_results_take_the_vendors_places():
    messages = (
        Message(role="system", content="Be brief."),
        Message(role="assistant", content="Ahoy"),
        Message(role="user", content=(TextPart("look"), MediaPart(kind="image", data="QUJD", mime_type="image/png"))),
        Message(role="assistant", tool_calls=(ToolCall("1", "a", '{"x":1}'), ToolCall("2", "b", "nonsense"))),
        Message(role="tool", content="one", tool_call_id="1"),
        Message(role="tool", content="two", tool_call_id="2"),
        Message(role="user", content="and?"),
    )

    tools = (ToolSpec(name="a", description="", parameters={"type": "object"}),)

    body = to_wire(ChatRequest(messages=messages, tools=tools, stop=("END", " "), params={"top_k": 3}), "m")

    assert body["system"] == "Be brief."
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert body["messages"][2]["content"][1]["source"] == {"type": "base64", "media_type": "image/png", "data": "QUJD"}
    assert [block.get("input") for block in body["messages"][3]["content"]] == [{"x": 1}, {"arguments": "nonsense"}]
    assert [block["type"] for block in body["messages"][4]["content"]] == ["tool_result", "tool_result", "text"]
    assert body["stop_sequences"] == ["END"]
    assert body["top_k"] == 3


def test_calls_and_results_are_told_as_text_where_no_tool_is_offered():
    messages = (
        Message(role="user", content="How is Oslo?"),
        Message(role="assistant", content="Let me look.", tool_calls=(ToolCall("1", "weather", '{"city":"Oslo"}'),)),
        Message(role="tool", content="sunny", tool_call_id="1"),
    )

    body = to_wire(ChatRequest(messages=messages, max_tokens=9), "m")

    assert "tools" not in body
    blocks = [block for message in body["messages"] for block in message["content"]]
    assert {block["type"] for block in blocks} == {"text"}
    assert [block["text"] for block in blocks[1:]] == [
        "Let me look.",
        '(Calling the tool weather: {"city":"Oslo"})',
        "Result of the tool:\nsunny",
    ]


def test_a_system_prompt_alone_is_said_by_the_user():
    body = to_wire(ChatRequest(messages=(Message(role="system", content="Write a haiku."),), max_tokens=9), "m")

    assert "system" not in body
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Write a haiku."}]}]


def test_temperature_is_kept_in_the_vendors_range_and_left_out_where_it_is_refused():
    request = asking(max_tokens=9, params={"temperature": 1.7, "top_p": 0.5})

    assert to_wire(request, "m")["temperature"] == 1.0
    assert "top_p" not in to_wire(request, "m")
    assert "temperature" not in to_wire(request, "m", has_fixed_sampling=True)


def test_thinking_is_asked_for_when_there_is_room():
    wish = {"thinking": True, "thinking_budget": 2000}

    assert to_wire(asking(max_tokens=4000, params=wish), "m")["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert "thinking" not in to_wire(asking(max_tokens=500, params=wish), "m")
    assert "thinking" not in to_wire(asking(max_tokens=4000, params=wish, json_schema={"type": "object"}), "m")
    own = {"type": "adaptive"}
    assert to_wire(asking(max_tokens=500, params={"thinking": own}), "m")["thinking"] == own


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ("tide", {"type": "tool", "name": "tide"}),
    ],
)
def test_the_choice_of_a_tool_is_translated(choice: str | None, expected: dict[str, str]):
    assert to_wire(asking(tools=(TOOL,), tool_choice=choice, max_tokens=9), "m")["tool_choice"] == expected


def test_a_linked_document_is_a_source_by_url():
    part = MediaPart(kind="document", url="https://example.com/a.pdf")

    body = to_wire(ChatRequest(messages=(Message(role="user", content=(part,)),), max_tokens=9), "m")

    assert body["messages"][0]["content"] == [{"type": "document", "source": {"type": "url", "url": part.url}}]
