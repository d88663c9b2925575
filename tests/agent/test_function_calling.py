"""The loop with a model that calls tools, against the reference's section 7.6."""

from __future__ import annotations

import pytest

from agent.doubles import Diary, FakeTool, Lines, calls, model_of, picture, task
from tidemill.agent.task import AgentMaxIterationError, Answer, Call, PastTurn, Round
from tidemill.llm.prompt import message_of
from tidemill.llm.types import ChatDelta, MediaPart, Message, ToolCallDelta
from tidemill.ports import ToolFailed, ToolMessage, ToolParameter

WEATHER = ("weather", '{"city": "Oslo"}')


async def test_the_result_of_a_tool_is_told_to_the_model_which_then_answers():
    tool, wire = FakeTool(), Lines(calls(WEATHER), "It is sunny.")
    diary = Diary(model_of(wire, "tool-call"), task("How is Oslo?", tool, instruction="Be brief."))

    outcome = await diary.run()

    assert outcome.text == "It is sunny."
    assert tool.calls == [{"city": "Oslo"}]
    first, second = wire.requests
    assert [message.role for message in first.messages] == ["system", "user"]
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "tool"]
    assert second.messages[2].tool_calls[0].arguments == '{"city": "Oslo"}'
    assert (second.messages[3].tool_call_id, second.messages[3].content) == ("id0", "sunny")
    assert [spec.name for spec in first.tools] == ["weather"]
    assert first.tools[0].parameters["required"] == ["city"]


async def test_text_beside_tool_calls_is_shown_and_stands_apart_from_the_answer():
    wire = Lines(calls(WEATHER, text="Let me look."), "It is sunny.")
    diary = Diary(model_of(wire), task("How is Oslo?", FakeTool()))

    outcome = await diary.run()

    assert outcome.text == "Let me look.\n\nIt is sunny."
    assert "".join(diary.said) == outcome.text
    assert [answer.thought for answer in diary.answers] == ["Let me look.", "It is sunny."]


async def test_several_calls_of_one_answer_are_all_answered_in_their_order():
    tool = FakeTool(answer=lambda given: f"{given['city']}: fine")
    wire = Lines(calls(("weather", '{"city": "Oslo"}'), ("weather", '{"city": "Rome"}')), "Both are fine.")
    diary = Diary(model_of(wire), task("And both?", tool))

    await diary.run()

    told = [message for message in wire.requests[1].messages if message.role == "tool"]
    assert [(message.tool_call_id, message.content) for message in told] == [
        ("id0", "Oslo: fine"),
        ("id1", "Rome: fine"),
    ]


async def test_calls_without_ids_are_given_some():
    wire = Lines(calls(WEATHER, WEATHER, ids=False), "Done.")

    await Diary(model_of(wire), task("?", FakeTool())).run()

    ids = [call.id for call in wire.requests[1].messages[-3].tool_calls]
    assert ids == ["call_1_1", "call_1_2"]
    assert [message.tool_call_id for message in wire.requests[1].messages[-2:]] == ids


@pytest.mark.parametrize(("limit", "asked"), [(0, 1), (1, 2), (3, 4), (500, 100)])
async def test_the_model_is_asked_once_more_than_it_may_iterate_and_the_last_time_without_tools(limit: int, asked: int):
    wire = Lines(calls(WEATHER))
    diary = Diary(model_of(wire, window_tokens=128_000), task("?", FakeTool(), max_iterations=limit))

    with pytest.raises(AgentMaxIterationError, match="exceeded") as caught:
        await diary.run()

    assert caught.value.error_type == "AgentMaxIterationError"
    assert len(wire.requests) == asked
    assert [bool(request.tools) for request in wire.requests] == [True] * (asked - 1) + [False]


async def test_an_answer_in_the_last_round_ends_the_agent():
    wire = Lines(calls(WEATHER), "Enough.")

    outcome = await Diary(model_of(wire), task("?", FakeTool(), max_iterations=1)).run()

    assert outcome.text == "Enough."
    assert not wire.requests[1].tools


async def test_ids_that_a_server_repeats_in_every_answer_are_told_apart():
    wire = Lines(calls(WEATHER), calls(WEATHER), "Done.")

    await Diary(model_of(wire), task("?", FakeTool())).run()

    said = wire.requests[2].messages
    assert [call.id for message in said for call in message.tool_calls] == ["id0", "id0_2"]
    assert [message.tool_call_id for message in said if message.role == "tool"] == ["id0", "id0_2"]


async def test_a_failing_tool_is_told_to_the_model_and_stops_nothing():
    tool = FakeTool(answer=ToolFailed("The service is down."))
    wire = Lines(calls(WEATHER), "I could not find out.")

    outcome = await Diary(model_of(wire), task("?", tool)).run()

    assert outcome.text == "I could not find out."
    assert wire.requests[1].messages[-1].content == "tool invoke error: The service is down."


async def test_a_tool_that_does_not_exist_is_named_to_the_model():
    wire = Lines(calls(("wether", "{}")), "Sorry.")

    await Diary(model_of(wire), task("?", FakeTool())).run()

    assert str(wire.requests[1].messages[-1].content).startswith("there is not a tool named wether")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("Oslo and more: [", "sunny"),
        ("", "tool invoke error: The tool weather needs a value for city"),
        ('{"city": null}', "tool invoke error: The tool weather needs a value for city"),
        ('{"city": "Oslo"', "sunny"),
        ("[1, 2]", "sunny"),
    ],
)
async def test_arguments_that_are_no_json_object_are_mended_or_refused_in_words(arguments: str, told: str):
    wire = Lines(calls(("weather", arguments)), "Done.")

    await Diary(model_of(wire), task("?", FakeTool())).run()

    assert str(wire.requests[1].messages[-1].content).startswith(told)
    # Providers refuse to be told of calls whose arguments are no JSON object.
    assert wire.requests[1].messages[-2].tool_calls[0].arguments.startswith("{")


async def test_arguments_of_wrong_types_are_refused_in_words():
    days = ToolParameter(name="days", type="number", is_required=True)
    city = ToolParameter(name="city")
    wire = Lines(calls(("weather", '{"days": "many"}')), calls(("weather", "not json")), "Done.")

    await Diary(model_of(wire), task("?", FakeTool("weather", days, city))).run()

    assert wire.requests[1].messages[-1].content == (
        'tool invoke error: The parameter days of the tool weather must be a number, not "many".'
    )
    assert "no JSON object" in str(wire.requests[2].messages[-1].content)


async def test_what_the_author_fixed_is_neither_shown_to_the_model_nor_changed_by_it():
    city = ToolParameter(name="city", is_required=True)
    units = ToolParameter(name="units", form="form", default="metric")
    days = ToolParameter(name="days", type="number")
    tool = FakeTool("weather", city, units, days)
    wire = Lines(calls(("weather", '{"city": "Oslo", "units": "kelvin", "days": 9, "key": "x"}')), "Done.")

    await Diary(model_of(wire), task("?", tool, fixed={"days": "3"})).run()

    assert list(wire.requests[0].tools[0].parameters["properties"]) == ["city"]
    assert tool.calls == [{"city": "Oslo", "units": "metric", "days": 3}]


async def test_pictures_of_the_user_are_sent_once():
    picture = MediaPart(kind="image", url="https://a.example/x.png", width=64, height=64)
    query = message_of("user", "What is this?", [picture])
    wire = Lines(calls(WEATHER), "A cat.")

    await Diary(model_of(wire, "vision", window_tokens=128_000), task("", FakeTool(), query=query)).run()

    assert wire.requests[0].messages[0].content == query.content
    assert wire.requests[1].messages[0].content == "[image]\nWhat is this?"


async def test_files_and_json_of_tools_are_part_of_the_outcome():
    made = [ToolMessage(kind="file", file=picture()), ToolMessage(kind="json", data={"points": 3})]
    wire = Lines(calls(WEATHER), "Here it is.")

    outcome = await Diary(model_of(wire), task("Draw", FakeTool(messages=made))).run()

    assert [file.filename for file in outcome.files] == ["chart.png"]
    assert outcome.json == ({"points": 3},)
    assert "chart.png" in str(wire.requests[1].messages[-1].content)


async def test_a_tool_that_says_nothing_is_told_so():
    wire = Lines(calls(WEATHER), "Done.")

    await Diary(model_of(wire), task("?", FakeTool(answer=""))).run()

    assert wire.requests[1].messages[-1].content == "The tool gave no result."


async def test_earlier_turns_are_told_with_their_tool_calls():
    done = Round(
        answer=Answer(thought="", calls=(Call(id="past_1_1", name="weather", arguments="{}"),)), observations=("rain",)
    )
    past = PastTurn(query=Message(role="user", content="And Oslo?"), answer="It rains.", rounds=(done,))
    wire = Lines("Still raining.")

    await Diary(model_of(wire), task("And now?", FakeTool(), history=(past,))).run()

    said = [(message.role, message.content) for message in wire.requests[0].messages]
    assert said == [
        ("user", "And Oslo?"),
        ("assistant", ""),
        ("tool", "rain"),
        ("assistant", "It rains."),
        ("user", "And now?"),
    ]


async def test_thinking_is_no_part_of_the_answer_and_is_not_told_again():
    thinking = [ChatDelta(text="<think>hm, Oslo</think>Let me look."), *calls(WEATHER)]
    wire = Lines(thinking, "<think>sun</think>It is sunny.")
    diary = Diary(model_of(wire), task("?", FakeTool()))

    outcome = await diary.run()

    assert outcome.text == "Let me look.\n\nIt is sunny."
    assert wire.requests[1].messages[-2].content == "Let me look."
    assert diary.answers[0].reasoning == "hm, Oslo"


async def test_arguments_sent_as_an_empty_text_mean_none():
    wire = Lines([ChatDelta(tool_calls=(ToolCallDelta(index=0, id="a", name="now"),))], "Noon.")
    tool = FakeTool("now", ToolParameter(name="zone", default="UTC"))

    await Diary(model_of(wire), task("?", tool)).run()

    assert tool.calls == [{"zone": "UTC"}]
