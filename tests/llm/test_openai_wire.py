from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession

from llm.wires import Pauses, asking, collect, events, held_open, json_response, model, recorded
from support.model_server import ModelServer
from tidemill.llm.chat import bind
from tidemill.llm.connect import chat_wire, embedding_wire
from tidemill.llm.errors import (
    BadCredential,
    BadRequest,
    ContextExceeded,
    ModelError,
    ModelNotSupported,
    ModelUnavailable,
    QuotaExceeded,
    RateLimited,
    StreamBroken,
)
from tidemill.llm.presets import PRESETS
from tidemill.llm.providers.openai import is_strict, to_wire
from tidemill.llm.quirks import quirks_for
from tidemill.llm.types import ChatRequest, MediaPart, Message, ModelFacts, TextPart, ToolCall, ToolSpec

TOOL = ToolSpec(
    name="tide",
    description="Height of the tide",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
FINISHED = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'


def text_chunk(text: str) -> str:
    return '{"choices":[{"index":0,"delta":{"content":"' + text + '"},"finish_reason":null}]}'


async def test_an_answer_streams_with_its_reason_and_the_providers_counts(
    http: ClientSession, model_server: ModelServer
):
    chat = model(http, model_server.base_url, "mock-12tok")

    answer = await collect(chat, asking(max_tokens=100))

    assert len(answer.text.split()) == 12
    assert answer.pieces == 13
    assert answer.last.finish_reason == "stop"
    assert answer.last.counts is not None
    assert answer.last.counts.completion_tokens == 12
    (request,) = model_server.requests()
    assert request.body["max_tokens"] == 100
    assert request.body["stream_options"] == {"include_usage": True}
    assert request.headers["authorization"] == "Bearer sk-test"


async def test_two_answers_share_one_connection(http: ClientSession, model_server: ModelServer):
    chat = model(http, model_server.base_url, "mock-3tok")
    await collect(chat, asking())
    before = model_server.stats()["open"]

    await collect(chat, asking())

    assert model_server.stats()["open"] == before
    assert model_server.stats()["disconnects"] == 0


async def test_reasoning_comes_apart_from_the_text(http: ClientSession, model_server: ModelServer):
    answer = await collect(model(http, model_server.base_url, "mock-think20-5tok"), asking())

    assert len(answer.reasoning.split()) >= 18
    assert len(answer.text.split()) == 5


async def test_a_tool_call_is_put_together_from_its_pieces(http: ClientSession, model_server: ModelServer):
    answer = await collect(model(http, model_server.base_url, "mock-tool"), asking(tools=(TOOL,), tool_choice="auto"))

    assert answer.calls == {0: ["call_mock0", "tide", '{"city":"mock"}']}
    assert answer.last.finish_reason == "tool_calls"


async def test_the_result_of_a_tool_goes_back_in_the_vendors_shape(http: ClientSession, model_server: ModelServer):
    messages = (
        Message(role="user", content="How high?"),
        Message(role="assistant", tool_calls=(ToolCall("call_1", "tide", '{"city":"Brest"}'),)),
        Message(role="tool", content="4 m", tool_call_id="call_1"),
    )

    answer = await collect(
        model(http, model_server.base_url, "mock-tool-3tok"), ChatRequest(messages=messages, tools=(TOOL,))
    )

    assert answer.text
    _, call, result = model_server.requests()[0].body["messages"]
    assert call["tool_calls"][0]["function"] == {"name": "tide", "arguments": '{"city":"Brest"}'}
    assert call["content"] is None
    assert result == {"role": "tool", "content": "4 m", "tool_call_id": "call_1"}


async def test_a_schema_is_sent_where_the_model_knows_schemas(http: ClientSession, model_server: ModelServer):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}

    answer = await collect(model(http, model_server.base_url, "mock-5tok"), asking(json_schema=schema))

    assert answer.text == '{"ok":true}'
    sent = model_server.requests()[0].body["response_format"]["json_schema"]
    assert sent == {"name": "answer", "schema": schema, "strict": False}


async def test_a_schema_becomes_an_instruction_where_the_model_knows_none(
    http: ClientSession, model_server: ModelServer
):
    chat = model(http, model_server.base_url, "mock-5tok", features=frozenset({"json-object"}))

    await collect(chat, asking(json_schema={"type": "object", "title": "Tide"}))

    body = model_server.requests()[0].body
    assert body["response_format"] == {"type": "json_object"}
    assert '"title":"Tide"' in body["messages"][0]["content"]


@pytest.mark.parametrize("name", ["mock-nousage-4tok", "mock-nousage-4tok-burst"])
async def test_usage_is_estimated_when_the_provider_tells_none(
    http: ClientSession, model_server: ModelServer, name: str
):
    chat = model(http, model_server.base_url, name)
    fitted = chat.fit(asking())

    answer = await collect(chat, fitted)
    usage = chat.usage(fitted, answer.last.counts, completion_text=answer.text)

    assert answer.last.counts is None
    assert usage.prompt_tokens == fitted.budget.prompt_tokens
    assert usage.completion_tokens == 4
    assert usage.total_price == "0"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mock-err401", BadCredential),
        ("mock-err404", ModelNotSupported),
        ("mock-err400", BadRequest),
        ("mock-cut10", StreamBroken),
        ("mock-bad10", StreamBroken),
        ("mock-errat10", ModelUnavailable),
    ],
)
async def test_what_cannot_be_mended_by_waiting_is_asked_once(
    http: ClientSession, model_server: ModelServer, name: str, kind: type[ModelError]
):
    with pytest.raises(kind, match="OpenAI"):
        await collect(model(http, model_server.base_url, name), asking())

    assert len(model_server.requests()) == 1


async def test_too_many_requests_are_repeated_twice_after_the_wait_the_provider_asks_for(
    http: ClientSession, model_server: ModelServer
):
    pauses = Pauses()

    with pytest.raises(RateLimited) as caught:
        await collect(model(http, model_server.base_url, "mock-err429", sleep=pauses), asking())

    assert caught.value.retry_after_s == 1.0
    assert pauses.waited == [1.0, 1.0]
    assert len(model_server.requests()) == 3


async def test_a_fault_that_passes_is_not_noticed(http: ClientSession, model_server: ModelServer):
    pauses = Pauses()

    answer = await collect(model(http, model_server.base_url, "mock-fail2-3tok", sleep=pauses), asking())

    assert len(answer.text.split()) == 3
    assert pauses.waited == [0.5, 1.0]


async def test_nobody_waits_longer_than_twenty_seconds(http: ClientSession):
    refusal = json_response('{"error":{"message":"Slow down"}}', status="429 Too Many", headers="Retry-After: 21\r\n")
    async with recorded(refusal) as (url, requests):
        pauses = Pauses()
        with pytest.raises(RateLimited):
            await collect(model(http, url, "m", sleep=pauses), asking())

    assert pauses.waited == []
    assert len(requests) == 1


async def test_an_unreachable_provider_is_tried_three_times_and_named_with_its_host(http: ClientSession):
    pauses = Pauses()

    with pytest.raises(ModelUnavailable, match=r"OpenAI cannot be reached at 127\.0\.0\.1:9"):
        await collect(model(http, "http://127.0.0.1:9/v1", "m", sleep=pauses), asking())

    assert len(pauses.waited) == 2


async def test_a_provider_that_falls_silent_is_given_up(http: ClientSession, model_server: ModelServer):
    chat = model(http, model_server.base_url, "mock-hang5", read_timeout_s=0.2)

    with pytest.raises(ModelUnavailable, match="stopped answering"):
        await collect(chat, asking())

    assert len(model_server.requests()) == 1


async def test_closing_the_stream_closes_the_connection_within_a_second(http: ClientSession, model_server: ModelServer):
    chat = model(http, model_server.base_url, "mock-hang5-20tok")
    stream = chat.stream(chat.fit(asking()))
    await anext(stream)

    await stream.aclose()

    assert await asyncio.to_thread(model_server.wait_for_disconnects, within_s=1.0) < 1.0


async def test_a_prompt_that_does_not_fit_sends_no_request(http: ClientSession, model_server: ModelServer):
    chat = model(http, model_server.base_url, "mock-5tok", window=64)

    with pytest.raises(ContextExceeded, match="context window of mock-5tok is 64"):
        await collect(chat, asking("tide " * 100))

    assert model_server.requests() == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"error":{"code":"context_length_exceeded","message":"too long"}}', ContextExceeded),
        ('{"error":{"message":"This model\'s maximum context length is 8192 tokens"}}', ContextExceeded),
        ('{"error":{"code":"insufficient_quota","message":"You exceeded"}}', QuotaExceeded),
        ('{"error":{"code":"model_not_found","message":"The model `x` does not exist"}}', ModelNotSupported),
        ('{"object":"error","message":"bad sampling"}', BadRequest),
        ('[{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"nope"}}]', BadRequest),
        ('{"error":"model is loading"}', BadRequest),
        ("<html>gateway</html>", BadRequest),
    ],
)
async def test_refusals_are_told_apart_by_their_words(http: ClientSession, body: str, kind: type[ModelError]):
    async with recorded(json_response(body, status="400 Bad Request")) as (url, _):
        with pytest.raises(kind) as caught:
            await collect(model(http, url, "m"), asking())

    assert "<html" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [("402 Pay", QuotaExceeded), ("302 Found", BadRequest), ("422 No", BadRequest)],
)
async def test_statuses_have_names(http: ClientSession, status: str, kind: type[ModelError]):
    async with recorded(json_response("{}", status=status)) as (url, _):
        with pytest.raises(kind):
            await collect(model(http, url, "m"), asking())


async def test_a_key_in_a_providers_message_is_masked(http: ClientSession):
    body = '{"error":{"message":"Incorrect API key provided: sk-proj-abcdef123456."}}'
    async with recorded(json_response(body, status="401 Unauthorized")) as (url, _):
        with pytest.raises(BadCredential) as caught:
            await collect(model(http, url, "m"), asking())

    assert "abcdef" not in str(caught.value)
    assert "Check the API key" in str(caught.value)


async def test_a_server_that_does_not_stream_is_understood(http: ClientSession):
    body = (
        '{"choices":[{"message":{"role":"assistant","content":"high","tool_calls":[{"id":"c","function":'
        '{"name":"f","arguments":{"a":1}}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,'
        '"prompt_tokens_details":{"cached_tokens":2}}}'
    )
    async with recorded(json_response(body)) as (url, _):
        answer = await collect(model(http, url, "m"), asking())

    assert answer.text == "high"
    assert answer.calls == {0: ["c", "f", '{"a":1}']}
    assert answer.last.counts is not None
    assert answer.last.counts.cached_tokens == 2


async def test_json_that_is_no_completion_is_refused(http: ClientSession):
    async with recorded(json_response('{"hello":"world"}')) as (url, _):
        with pytest.raises(StreamBroken, match="not a chat completion"):
            await collect(model(http, url, "m"), asking())


async def test_windows_line_ends_comments_and_null_fields_are_read(http: ClientSession):
    stream = events(
        '{"choices":null,"usage":null}',
        '{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}',
        '{"choices":[{"index":0}]}',
        text_chunk("高"),
        FINISHED,
        "[DONE]",
        end="\r\n\r\n: keep alive\r\n",
    )
    async with recorded(stream) as (url, _):
        answer = await collect(model(http, url, "m"), asking())

    assert answer.text == "高"


async def test_a_stream_without_done_is_whole_when_it_gave_its_reason(http: ClientSession):
    async with recorded(events(text_chunk("a"), FINISHED, end="\n\n")[:-1]) as (url, _):
        answer = await collect(model(http, url, "m"), asking())

    assert answer.last.finish_reason == "stop"


async def test_a_stream_that_ends_without_reason_or_done_is_broken(http: ClientSession):
    async with recorded(events(text_chunk("a"))) as (url, _):
        with pytest.raises(StreamBroken, match="cut off"):
            await collect(model(http, url, "m"), asking())


async def test_an_error_object_of_another_shape_inside_a_stream_is_an_error(http: ClientSession):
    stream = events(text_chunk("a"), '{"object":"error","message":"out of memory"}')
    async with recorded(stream) as (url, _):
        with pytest.raises(ModelUnavailable, match="out of memory"):
            await collect(model(http, url, "m"), asking())


async def test_usage_of_a_known_model_has_prices(http: ClientSession, model_server: ModelServer):
    chat = model(http, model_server.base_url, "gpt-4o-mini")
    fitted = chat.fit(asking())

    answer = await collect(chat, fitted)
    usage = chat.usage(fitted, answer.last.counts)

    assert usage.prompt_unit_price == "0.15"
    assert usage.completion_unit_price == "0.6"
    assert usage.completion_price == "0.000012"
    assert usage.currency == "USD"
    assert float(usage.total_price) == pytest.approx(float(usage.prompt_price) + float(usage.completion_price))


async def test_embeddings_keep_their_order_over_several_batches(http: ClientSession, model_server: ModelServer):
    credentials = {"api_key": "k", "base_url": model_server.base_url}
    wire = embedding_wire(PRESETS["tongyi"], "text-embedding-v3", credentials, http)
    texts = [f"text {number}" for number in range(23)]

    vectors = await wire.embed(texts)

    assert len(vectors) == 23
    assert vectors[22] == (await wire.embed(["text 22"]))[0]
    assert [len(request.body["input"]) for request in model_server.requests()] == [10, 10, 3, 1]


@pytest.mark.parametrize("body", ['{"data":[]}', "nonsense"])
async def test_embeddings_that_are_missing_are_an_error(http: ClientSession, body: str):
    async with recorded(json_response(body)) as (url, _):
        wire = embedding_wire(PRESETS["openai"], "m", {"api_key": "k", "base_url": url}, http)
        with pytest.raises(ModelError):
            await wire.embed(["a"])


def test_reasoning_models_of_openai_get_their_own_parameters():
    request = asking(max_tokens=50, params={"temperature": 0.2, "reasoning_effort": "low", "top_k": 4}, stop=("x",))

    body = to_wire(request, "o4-mini", quirks_for("openai", "o4-mini"))

    assert body["max_completion_tokens"] == 50
    assert body["reasoning_effort"] == "low"
    assert not {"max_tokens", "temperature", "top_k", "stop"} & set(body)


def test_other_vendors_take_parameters_that_openai_refuses():
    request = asking(params={"temperature": 0.2, "top_k": 4, "preset": "x", "seed": None})

    assert "top_k" not in to_wire(request, "gpt-4o", quirks_for("openai", "gpt-4o"))
    body = to_wire(request, "m", quirks_for("openai_api_compatible", "m"))
    assert (body["top_k"], body["temperature"]) == (4, 0.2)
    assert not {"preset", "seed"} & set(body)


def test_media_have_the_shapes_of_the_wire():
    parts = (
        TextPart("look"),
        MediaPart(kind="image", data="QUJD", mime_type="image/png", detail="low"),
        MediaPart(kind="image", url="https://example.com/a.png"),
        MediaPart(kind="audio", data="QUJD", mime_type="audio/mpeg"),
        MediaPart(kind="video", url="https://example.com/a.mp4"),
        MediaPart(kind="document", data="QUJD", mime_type="application/pdf", filename="a.pdf"),
    )
    request = ChatRequest(messages=(Message(role="user", content=parts),), tools=(TOOL,), tool_choice="tide")

    body = to_wire(request, "m", quirks_for("openai", "m"))

    text, picture, linked, audio, video, document = body["messages"][0]["content"]
    assert text == {"type": "text", "text": "look"}
    assert picture["image_url"] == {"url": "data:image/png;base64,QUJD", "detail": "low"}
    assert linked["image_url"]["url"] == "https://example.com/a.png"
    assert audio["input_audio"] == {"data": "QUJD", "format": "mp3"}
    assert video["video_url"]["url"].endswith("a.mp4")
    assert document["file"]["filename"] == "a.pdf"
    assert body["tool_choice"] == {"type": "function", "function": {"name": "tide"}}


def test_thoughts_go_back_to_vendors_that_want_them():
    calling = Message(role="assistant", reasoning="hm", tool_calls=(ToolCall("1", "f", "{}"),))
    request = ChatRequest(messages=(calling,), json_object=True)

    sent = to_wire(request, "deepseek-chat", quirks_for("deepseek", "deepseek-chat"))
    assert sent["messages"][0]["reasoning_content"] == "hm"
    assert sent["response_format"] == {"type": "json_object"}
    assert "reasoning_content" not in to_wire(request, "gpt-4o", quirks_for("openai", "gpt-4o"))["messages"][0]


def test_strict_mode_is_asked_for_when_the_schema_allows_it():
    closed = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }

    assert is_strict(closed)
    assert not is_strict({**closed, "required": []})
    assert not is_strict({"anyOf": [closed, {"type": "object", "properties": {}}]})


async def test_an_estimate_that_was_too_low_is_corrected_by_the_next_call(http: ClientSession):
    stream = events(
        text_chunk("a"), FINISHED, '{"choices":[],"usage":{"prompt_tokens":900,"completion_tokens":1}}', "[DONE]"
    )
    async with recorded(stream) as (url, _):
        facts = ModelFacts(provider="openai", name="m", window_tokens=8192, tokenizer="estimate:1.1")
        chat = bind(facts, chat_wire(PRESETS["openai"], "m", {"api_key": "k", "base_url": url}, http))
        request = asking("tide " * 500)
        before = chat.count(request)
        await collect(chat, request)

    assert before < 900
    assert chat.count(request) >= 900


async def test_the_name_of_a_vendors_quota_error_is_no_fault_to_wait_for(http: ClientSession):
    body = '{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}'
    async with recorded(json_response(body, status="429 Too Many Requests")) as (url, requests):
        with pytest.raises(QuotaExceeded, match="no credit left"):
            await collect(model(http, url, "m"), asking())

    assert len(requests) == 1


async def test_a_base_url_that_is_no_url_is_pointed_out(http: ClientSession):
    with pytest.raises(ModelUnavailable, match="OpenAI"):
        await collect(model(http, "http://[::1", "m"), asking())


async def test_a_provider_that_never_begins_is_given_up_once(http: ClientSession, model_server: ModelServer):
    chat = model(http, model_server.base_url, "mock-hang0-ttft5000", read_timeout_s=0.2)

    with pytest.raises(ModelUnavailable, match=r"did not answer in time|stopped answering"):
        await collect(chat, asking())

    assert len(model_server.requests()) == 1


async def test_an_embedding_that_breaks_off_or_stalls_is_a_named_error(http: ClientSession, model_server: ModelServer):
    whole = json_response('{"data":[{"index":0,"embedding":[1.0]}]}')
    async with recorded(whole[:-10]) as (url, _):
        wire = embedding_wire(PRESETS["openai"], "m", {"api_key": "k", "base_url": url}, http)
        with pytest.raises(StreamBroken):
            await wire.embed(["a"])
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    async with held_open(body) as url:
        wire = embedding_wire(PRESETS["openai"], "m", {"api_key": "k", "base_url": url}, http, read_timeout_s=0.2)
        with pytest.raises(ModelUnavailable, match="stopped answering"):
            await wire.embed(["a"])
