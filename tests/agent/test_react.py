"""The loop with a model that acts in text, against the reference's section 7.6."""

from __future__ import annotations

import json

import pytest

from agent.doubles import Diary, FakeTool, Lines, model_of, task
from tidemill.agent.task import AgentMaxIterationError, Answer, Call, PastTurn, Round
from tidemill.llm.prompt import CallParameters
from tidemill.llm.types import Message
from tidemill.ports import ToolParameter

LOOK = 'Thought: I must look.\nAction:\n```json\n{"action": "weather", "action_input": {"city": "Oslo"}}\n```\n'
FINAL = 'Thought: I know.\nAction:\n{"action": "Final Answer", "action_input": "It is sunny."}'


async def test_a_chat_model_reasons_acts_and_answers():
    tool, wire = FakeTool(), Lines(LOOK, FINAL)
    diary = Diary(model_of(wire), task("How is Oslo?", tool, method="react", instruction="Be brief."))

    outcome = await diary.run()

    assert outcome.text == "It is sunny."
    assert tool.calls == [{"city": "Oslo"}]
    assert diary.answers[0].thought == "I must look."
    first, second = wire.requests
    assert [message.role for message in first.messages] == ["system", "user"]
    prompt = str(first.messages[0].content)
    assert prompt.startswith("Be brief.")
    assert '"name": "weather"' in prompt
    assert '["weather", "Final Answer"]' in prompt
    assert not first.tools
    assert "Observation" in first.stop
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "user"]
    assert second.messages[2].content == (
        'Thought: I must look.\nAction: {"action": "weather", "action_input": {"city": "Oslo"}}\nObservation: sunny'
    )


async def test_only_the_final_answer_is_shown_and_it_is_shown_in_pieces():
    diary = Diary(model_of(Lines(LOOK, FINAL)), task("?", FakeTool(), method="react"))

    await diary.run()

    assert "".join(diary.said) == "It is sunny."
    assert len(diary.said) > 1


async def test_a_text_model_gets_one_text():
    wire = Lines(LOOK, FINAL)
    past = PastTurn(query=Message(role="user", content="Hi"), answer="Hello!")
    work = task("How is Oslo?", FakeTool(), method="react", is_text_model=True, history=(past,))

    outcome = await Diary(model_of(wire), work).run()

    assert outcome.text == "It is sunny."
    (message,) = wire.requests[1].messages
    text = str(message.content)
    assert text.index("Question: Hi\nHello!") < text.index("Question: How is Oslo?") < text.index("Observation: sunny")
    assert text.endswith("Thought:")


async def test_an_author_s_template_replaces_ours():
    wire = Lines(FINAL)
    template = "RULES {{instruction}} | {{tools}} | {{tool_names}} | {{unknown}}"

    await Diary(model_of(wire), task("?", FakeTool(), method="react", template=template, instruction="{{tools}}")).run()

    said = str(wire.requests[0].messages[0].content)
    assert said.startswith("RULES {{tools}} | [{")
    assert said.endswith('| "weather" | {{unknown}}')


async def test_an_answer_that_cannot_be_read_is_the_final_answer():
    diary = Diary(model_of(Lines("I would say it is sunny.")), task("?", FakeTool(), method="react"))

    outcome = await diary.run()

    assert outcome.text == "I would say it is sunny."
    assert diary.said == ["I would say it is sunny."]


async def test_a_tool_asked_for_in_the_last_round_is_an_error():
    wire = Lines(LOOK)

    with pytest.raises(AgentMaxIterationError):
        await Diary(model_of(wire), task("?", FakeTool(), method="react", max_iterations=1)).run()

    assert "weather" not in str(wire.requests[1].messages[0].content)


async def test_a_bare_input_is_the_only_parameter():
    tool = FakeTool()
    look = '{"action": "weather", "action_input": "Oslo"}'

    await Diary(model_of(Lines(look, FINAL)), task("?", tool, method="react")).run()

    assert tool.calls == [{"city": "Oslo"}]


async def test_a_bare_input_for_several_parameters_is_refused_in_words():
    tool = FakeTool("weather", ToolParameter(name="a"), ToolParameter(name="b"))
    diary = Diary(
        model_of(Lines('{"action": "weather", "action_input": "Oslo"}', FINAL)), task("?", tool, method="react")
    )

    await diary.run()

    assert "Write one with the keys a, b" in diary.seen[0][0].text


async def test_the_stop_word_stays_within_the_four_that_are_allowed():
    wire = Lines(FINAL)
    parameters = CallParameters(stop=("a", "b", "c", "d"))

    await Diary(model_of(wire), task("?", FakeTool(), method="react", parameters=parameters)).run()

    assert wire.requests[0].stop == ("a", "b", "c", "Observation")


async def test_earlier_turns_are_told_as_the_model_would_have_written_them():
    done = Round(
        answer=Answer(thought="Look", calls=(Call(id="1", name="weather", arguments='{"city": "Rome"}'),)),
        observations=("rain",),
    )
    past = PastTurn(query=Message(role="user", content="And Rome?"), answer="It rains.", rounds=(done,))
    wire = Lines(FINAL)

    await Diary(model_of(wire), task("And Oslo?", FakeTool(), method="react", history=(past,))).run()

    said = wire.requests[0].messages
    assert [message.role for message in said] == ["system", "user", "assistant", "user"]
    assert str(said[2].content).splitlines() == [
        "Thought: Look",
        'Action: {"action": "weather", "action_input": {"city": "Rome"}}',
        "Observation: rain",
        f"Action: {json.dumps({'action': 'Final Answer', 'action_input': 'It rains.'})}",
    ]
