from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemill.llm.budget import LEAST_ANSWER, fit
from tidemill.llm.errors import ContextExceeded
from tidemill.llm.types import ChatRequest, Message, ModelFacts, Role, ToolCall


class Letters:
    """Counts a token per character, and how often it was asked about a message."""

    def __init__(self) -> None:
        self.asked = 0

    def message(self, message: Message) -> int:
        self.asked += 1
        return len(message.text)

    def fixed(self, request: ChatRequest) -> int:
        return 0

    def is_exact(self, request: ChatRequest) -> bool:
        return True


def facts(window: int, output: int | None = None) -> ModelFacts:
    return ModelFacts(provider="openai", name="m", window_tokens=window, max_output_tokens=output)


def said(size: int, *, history: bool = False, role: Role = "user") -> Message:
    return Message(role=role, content="x" * size, is_history=history)


def test_the_worked_example_leaves_4192_tokens_for_the_answer():
    fitted = fit(ChatRequest(messages=(said(4000),), max_tokens=8000), facts(8192), Letters())

    assert fitted.budget.max_tokens == 4192
    assert fitted.request.max_tokens == 4192
    assert (fitted.budget.prompt_tokens, fitted.budget.window_tokens) == (4000, 8192)
    assert fitted.budget.requested_max_tokens == 8000


def test_history_goes_before_the_answer_gets_shorter():
    messages = (said(10), said(300, history=True), said(300, history=True), said(200, history=True), said(50))

    fitted = fit(ChatRequest(messages=messages, max_tokens=500), facts(1000), Letters())

    assert fitted.budget.max_tokens == 500
    assert fitted.budget.trimmed_messages == 2
    assert fitted.budget.trimmed_tokens == 600
    assert [len(message.text) for message in fitted.request.messages] == [10, 200, 50]


def test_the_newest_history_message_stays_while_it_only_shortens_the_answer():
    messages = (said(400, history=True), said(100))

    fitted = fit(ChatRequest(messages=messages, max_tokens=900), facts(1000), Letters())

    assert fitted.budget.trimmed_messages == 0
    assert fitted.budget.max_tokens == 500


def test_the_newest_history_message_goes_when_nothing_else_makes_room():
    messages = (said(950, history=True), said(100))

    fitted = fit(ChatRequest(messages=messages, max_tokens=100), facts(1000), Letters())

    assert fitted.budget.trimmed_messages == 1
    assert fitted.budget.max_tokens == 100


def test_a_tool_call_and_its_results_go_together():
    call = Message(role="assistant", content="x" * 100, tool_calls=(ToolCall("1", "f", "{}"),), is_history=True)
    result = Message(role="tool", content="x" * 300, tool_call_id="1", is_history=True)
    messages = (call, result, said(200, history=True), said(100))

    fitted = fit(ChatRequest(messages=messages, max_tokens=600), facts(1000), Letters())

    assert [message.role for message in fitted.request.messages] == ["user", "user"]
    assert fitted.budget.trimmed_messages == 2


def test_without_a_wish_the_answer_gets_the_models_largest_output():
    fitted = fit(ChatRequest(messages=(said(100),)), facts(10_000, 4096), Letters())

    assert fitted.budget.max_tokens == 4096
    assert fitted.budget.requested_max_tokens is None


def test_without_a_wish_and_a_largest_output_the_answer_gets_what_is_left():
    assert fit(ChatRequest(messages=(said(100),)), facts(10_000), Letters()).budget.max_tokens == 9900


def test_without_a_wish_history_leaves_a_quarter_of_a_small_window():
    messages = (said(400, history=True), said(400, history=True), said(100))

    fitted = fit(ChatRequest(messages=messages), facts(1000), Letters())

    assert fitted.budget.trimmed_messages == 1
    assert fitted.budget.max_tokens == 500


def test_a_wish_beyond_the_models_largest_output_is_lowered_to_it():
    assert (
        fit(ChatRequest(messages=(said(1),), max_tokens=9000), facts(10_000, 4096), Letters()).budget.max_tokens == 4096
    )


def test_exactly_sixteen_tokens_are_an_answer_and_fifteen_are_not():
    assert fit(ChatRequest(messages=(said(984),), max_tokens=500), facts(1000), Letters()).budget.max_tokens == 16
    with pytest.raises(ContextExceeded) as caught:
        fit(ChatRequest(messages=(said(985),), max_tokens=500), facts(1000), Letters())
    assert (caught.value.window_tokens, caught.value.prompt_tokens, caught.value.remaining_tokens) == (1000, 985, 15)


def test_a_prompt_over_the_window_names_the_three_numbers():
    with pytest.raises(ContextExceeded, match=r"1200 tokens .* 1000: 0 tokens remain"):
        fit(ChatRequest(messages=(said(1200),)), facts(1000), Letters())


def test_each_message_is_counted_once():
    count = Letters()
    messages = tuple(said(10, history=True) for _ in range(500))

    fit(ChatRequest(messages=messages, max_tokens=100), facts(1000), count)

    assert count.asked == 500


messages = st.lists(
    st.builds(
        said,
        st.integers(0, 400),
        history=st.booleans(),
        role=st.sampled_from(["user", "assistant", "tool", "system"]),
    ),
    max_size=12,
)


@settings(max_examples=400, deadline=None)
@given(messages, st.none() | st.integers(-5, 5000), st.integers(16, 3000), st.none() | st.integers(1, 4000))
def test_prompt_and_answer_never_exceed_the_window(
    given_messages: list[Message], wish: int | None, window: int, output: int | None
):
    request = ChatRequest(messages=tuple(given_messages), max_tokens=wish)
    fixed = sum(len(message.text) for message in given_messages if not message.is_history)
    try:
        fitted = fit(request, facts(window, output), Letters())
    except ContextExceeded:
        assert window - fixed < LEAST_ANSWER
        return
    budget = fitted.budget
    kept = fitted.request.messages

    assert budget.prompt_tokens == sum(len(message.text) for message in kept)
    assert budget.prompt_tokens + budget.max_tokens <= window
    assert budget.max_tokens >= 1
    assert fitted.request.max_tokens == budget.max_tokens
    assert [message for message in kept if not message.is_history] == [m for m in given_messages if not m.is_history]
    history = [message for message in given_messages if message.is_history]
    kept_history = [message for message in kept if message.is_history]
    assert kept_history == history[len(history) - len(kept_history) :]
