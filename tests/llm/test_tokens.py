from __future__ import annotations

import base64
import hashlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemill.llm.calibration import LARGEST, Calibration
from tidemill.llm.images import media_tokens, rule_for
from tidemill.llm.tokens import (
    MESSAGE_OVERHEAD,
    REPLY_PRIMING,
    RanksDamaged,
    TokenCounter,
    count_text,
    is_exact,
    read_ranks,
    warm,
)
from tidemill.llm.types import ChatRequest, MediaPart, Message, TextPart, ToolCall, ToolSpec


@pytest.mark.parametrize(
    ("text", "tokenizer", "expected"),
    [
        ("", "o200k", 0),
        ("tiktoken is great!", "cl100k", 6),
        ("antidisestablishmentarianism", "cl100k", 6),
        ("2 + 2 = 4", "cl100k", 7),
        ("お誕生日おめでとう", "cl100k", 9),
        ("tiktoken is great!", "o200k", 6),
        ("antidisestablishmentarianism", "o200k", 6),
        ("2 + 2 = 4", "o200k", 7),
        ("お誕生日おめでとう", "o200k", 8),
        ("hello <|endoftext|>", "o200k", 8),
    ],
)
def test_texts_have_the_counts_that_openai_publishes(text: str, tokenizer: str, expected: int):
    assert count_text(text, tokenizer) == expected


def test_a_chat_is_counted_as_in_openais_cookbook():
    # The example of "How to count tokens with tiktoken", without its `name` fields; each role is one token.
    texts = [
        (
            "system",
            "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
        ),
        ("user", "This late pivot means we don't have time to boil the ocean for the client deliverable."),
    ]
    request = ChatRequest(messages=tuple(Message(role=role, content=text) for role, text in texts))  # type: ignore[arg-type]

    count = TokenCounter("o200k").request(request)

    assert count == REPLY_PRIMING + sum(MESSAGE_OVERHEAD + 1 + count_text(text, "o200k") for _, text in texts)


def test_other_families_are_counted_as_a_rounded_up_multiple():
    exact = count_text("Ein ganz gewöhnlicher Satz.", "o200k")

    assert count_text("Ein ganz gewöhnlicher Satz.", "estimate:1.3") == math.ceil(exact * 1.3)
    assert count_text("Ein ganz gewöhnlicher Satz.", "estimate") == math.ceil(exact * 1.15)
    assert not is_exact("estimate")


def test_an_unknown_tokenizer_is_refused_by_name():
    with pytest.raises(ValueError, match="`word`"):
        count_text("x", "word")


def test_a_million_blanks_are_counted_and_do_not_abort_the_process():
    assert 0 < count_text(" " * 1_000_000 + "x", "o200k") < 20_000
    assert count_text("\u3000" * 300_000, "o200k") > 0


def test_a_long_text_without_blanks_is_counted_in_one_piece():
    text = "word " * 30_000

    assert count_text(text, "o200k") == 30_001


def test_half_of_a_surrogate_pair_is_counted():
    assert count_text("a\ud800b", "o200k") > 0


def test_a_damaged_rank_file_is_not_used():
    line = base64.b64encode(b"a") + b" 0\n"
    digest = hashlib.sha256(line).hexdigest()

    assert read_ranks(line, expected_sha256=digest) == {b"a": 0}
    with pytest.raises(RanksDamaged):
        read_ranks(line + b"\n", expected_sha256=digest)


async def test_an_encoding_can_be_built_ahead_of_its_first_use():
    await warm("cl100k")

    assert count_text("ready", "cl100k") == 1


def test_tools_cost_more_than_openais_own_rendering_of_them():
    # OpenAI's cookbook counts this tool of two parameters, for gpt-4o, as 7 + 3 + 2 x 3 - 3 + 2 x 3 + 12 and the texts.
    parameters = {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
            "unit": {"type": "string", "description": "The unit of temperature", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["location"],
    }
    tool = ToolSpec(name="get_current_weather", description="Get the current weather", parameters=parameters)
    request = ChatRequest(messages=(Message(role="user", content="What is the weather?"),), tools=(tool,))
    counter = TokenCounter("o200k")
    texts = (
        "get_current_weather:Get the current weather",
        "location:string:The city and state, e.g. San Francisco, CA",
    )
    rendered = 31 + sum(count_text(text, "o200k") for text in (*texts, "unit:string:The unit of temperature"))

    with_tools = counter.request(request)

    assert with_tools - counter.request(ChatRequest(messages=request.messages)) >= rendered
    assert not counter.is_exact(request)


def test_a_schema_and_tool_calls_are_part_of_the_prompt():
    counter = TokenCounter("o200k")
    plain = ChatRequest(messages=(Message(role="user", content="x"),))
    call = ToolCall("call_1", "search", '{"query": "tides"}')
    calling = Message(role="assistant", tool_calls=(call,))
    result = Message(role="tool", content="high", tool_call_id="call_1")

    assert counter.request(ChatRequest(messages=plain.messages, json_schema={"type": "object"})) > counter.request(
        plain
    )
    assert counter.message(calling) > counter.message(Message(role="assistant"))
    assert counter.message(result) > counter.message(Message(role="user", content="high"))
    assert counter.is_exact(plain)
    assert not counter.is_exact(ChatRequest(messages=(calling, result)))


@pytest.mark.parametrize(
    ("model", "part", "expected"),
    [
        ("gpt-4o", MediaPart(kind="image", url="u", detail="low"), 85),
        ("gpt-4o", MediaPart(kind="image", url="u", detail="high", width=1024, height=1024), 765),
        ("gpt-4o", MediaPart(kind="image", url="u", detail="high", width=2048, height=4096), 1105),
        ("gpt-4o", MediaPart(kind="image", url="u"), 85 + 8 * 170),
        ("gpt-4o-mini", MediaPart(kind="image", url="u", detail="low"), 2833),
        ("gpt-4.1-mini", MediaPart(kind="image", url="u", width=1024, height=1024), math.ceil(1024 * 1.62)),
        ("claude-opus-5", MediaPart(kind="image", url="u", width=750, height=1000), 1008),
        ("claude-opus-5", MediaPart(kind="image", url="u"), 4784),
        ("gemini-2.5-pro", MediaPart(kind="image", url="u", detail="low", width=100, height=100), 258),
        ("gpt-4o", MediaPart(kind="document", url="u"), 4096),
        ("gpt-4o", MediaPart(kind="audio", data="A" * 80_000), 1000),
    ],
)
def test_media_cost_what_the_vendor_says_and_the_most_when_the_size_is_unknown(
    model: str, part: MediaPart, expected: int
):
    assert media_tokens(part, rule_for(model)) == expected


def test_parts_of_a_message_are_added_up():
    counter = TokenCounter("o200k", image_rule=rule_for("gpt-4o"))
    message = Message(role="user", content=(TextPart("hello"), MediaPart(kind="image", url="u", detail="low")))

    assert counter.message(message) == MESSAGE_OVERHEAD + 1 + 1 + 85


def test_calibration_rises_at_once_and_falls_slowly():
    calibration = Calibration()

    calibration.observe(estimated_tokens=1000, actual_tokens=1500)
    raised = calibration.factor
    calibration.observe(estimated_tokens=2000, actual_tokens=1000)

    assert raised >= 1.5
    assert 1.0 < calibration.factor < raised
    calibration.observe(estimated_tokens=1000, actual_tokens=100_000)
    assert calibration.factor == LARGEST


def test_calibration_learns_nothing_from_short_prompts():
    calibration = Calibration()

    calibration.observe(estimated_tokens=20, actual_tokens=100)
    calibration.observe(estimated_tokens=1000, actual_tokens=0)

    assert calibration.factor == 1.0


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_a_text_never_has_fewer_tokens_by_estimate_than_exactly(text: str):
    assert count_text(text, "estimate:1.2") >= count_text(text, "o200k")
