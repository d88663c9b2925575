"""The token rule inside the loop: whatever history and tools hold, every request fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.doubles import Diary, FakeTool, Lines, calls, model_of, task
from tidemill.agent.task import Answer, Call, PastTurn, Round
from tidemill.llm.errors import ContextExceeded
from tidemill.llm.prompt import CallParameters
from tidemill.llm.types import Message

WEATHER = ("weather", '{"city": "Oslo"}')
WORDS = "tide mill river stone wheel "


def turn(question: str, answer: str = "Yes.", observation: str | None = None) -> PastTurn:
    rounds = ()
    if observation is not None:
        call = Call(id=question, name="weather", arguments="{}")
        rounds = (Round(answer=Answer(thought="", calls=(call,)), observations=(observation,)),)
    return PastTurn(query=Message(role="user", content=question), answer=answer, rounds=rounds)


@pytest.mark.parametrize("method", ["function_calling", "react"])
@settings(max_examples=60, deadline=None)
@given(
    window=st.integers(700, 6000),
    wish=st.none() | st.integers(1, 9000),
    sizes=st.lists(st.integers(0, 2000), max_size=3),
    past=st.lists(st.tuples(st.integers(0, 400), st.none() | st.integers(0, 1000)), max_size=3),
)
async def test_prompt_and_answer_never_exceed_the_window(
    method: str, window: int, wish: int | None, sizes: list[int], past: list[tuple[int, int | None]]
):
    left = iter(sizes)
    tool = FakeTool(answer=lambda _: WORDS * next(left, 0))
    text = '{"action": "weather", "action_input": {"city": "Oslo"}}'
    ask: Any = calls(WEATHER) if method == "function_calling" else text
    wire = Lines(*[ask for _ in sizes], "It is sunny.")
    history = tuple(turn(WORDS * size, observation=None if seen is None else WORDS * seen) for size, seen in past)
    work = task("?", tool, method=method, history=history, parameters=CallParameters(max_tokens=wish))
    diary = Diary(model_of(wire, window_tokens=window), work)

    try:
        await diary.run()
    except ContextExceeded:
        # Only where the instructions alone are too long for the window.
        assert method == "react"
        assert window < 1500
    for fitting in diary.fittings:
        budget = fitting.request.budget
        assert budget.prompt_tokens + budget.max_tokens <= window
        assert budget.max_tokens >= min(16, wish or 16)


async def test_whole_turns_go_oldest_first_and_the_question_stays():
    turns = tuple(turn(f"question {number} {WORDS * 40}", observation=WORDS * 40) for number in range(8))
    wire = Lines("Yes.")

    diary = Diary(model_of(wire, window_tokens=2600), task("And now?", FakeTool(), history=turns))
    await diary.run()

    said = wire.requests[0].messages
    asked = [str(message.content).split(WORDS)[0].strip() for message in said if message.role == "user"]
    assert asked == [f"question {number}" for number in range(9 - len(asked), 8)] + ["And now?"]
    assert 1 < len(asked) < 9
    assert len(said) == 4 * (len(asked) - 1) + 1
    assert diary.fittings[0].trimmed[0] == 4 * (9 - len(asked))
    assert diary.fittings[0].trimmed[1] > 0


async def test_a_long_observation_is_cut_and_the_cut_is_recorded():
    wire = Lines(calls(WEATHER), "Done.")
    diary = Diary(model_of(wire, window_tokens=2000), task("?", FakeTool(answer=WORDS * 2000)))

    await diary.run()

    told = str(wire.requests[1].messages[-1].content)
    assert told.startswith(WORDS)
    assert told.endswith("characters were left out to fit the model's window.]")
    (cut,) = diary.fittings[1].cuts
    assert (cut.round, cut.tool, cut.chars) == (1, "weather", len(WORDS) * 2000)
    assert told[: cut.kept_chars] == (WORDS * 2000)[: cut.kept_chars]
    # A usual answer for a small window is a quarter of it.
    assert diary.fittings[1].request.budget.max_tokens >= 500


async def test_short_observations_are_left_alone_when_a_long_one_is_cut():
    answers = iter(["short and sweet", WORDS * 2000])
    wire = Lines(calls(WEATHER), calls(WEATHER), "Done.")
    diary = Diary(model_of(wire, window_tokens=2000), task("?", FakeTool(answer=lambda _: next(answers))))

    await diary.run()

    told = [str(message.content) for message in wire.requests[2].messages if message.role == "tool"]
    assert told[0] == "short and sweet"
    assert len(told[1]) < len(WORDS * 2000)


async def test_early_rounds_go_when_cutting_is_not_enough():
    wire = Lines(*[calls(WEATHER, text=WORDS * 60)] * 8, "Done.")
    work = task("?", FakeTool(), max_iterations=20)
    diary = Diary(model_of(wire, window_tokens=1600), work)

    await diary.run()

    assert diary.fittings[-1].left_out_rounds > 0
    assert wire.requests[-1].messages[0].content == "?"


async def test_an_instruction_longer_than_the_window_is_an_error_that_names_the_numbers():
    diary = Diary(model_of(Lines("x"), window_tokens=1000), task("?", instruction=WORDS * 1000))

    with pytest.raises(ContextExceeded, match="context window"):
        await diary.run()


async def test_a_huge_observation_is_bounded_before_it_is_counted():
    wire = Lines(calls(WEATHER), "Done.")
    diary = Diary(model_of(wire, window_tokens=4000), task("?", FakeTool(answer="x" * 20_000_000)))

    await diary.run()

    assert len(diary.seen[0][0].text) < 201_000
    assert diary.fittings[1].request.budget.prompt_tokens < 4000
