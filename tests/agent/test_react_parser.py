"""What models write instead of the JSON object they were asked for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.agent.react_parser import FinalAnswerStream, read_action

FENCED = 'Thought: I need it\nAction:\n```json\n{"action": "weather", "action_input": {"city": "Oslo"}}\n```'


@pytest.mark.parametrize(
    ("text", "thought", "name", "value"),
    [
        (FENCED, "I need it", "weather", {"city": "Oslo"}),
        ('{"action": "weather", "action_input": {"city": "Oslo"}}', "", "weather", {"city": "Oslo"}),
        ('Action: {"action":"weather","action_input":"Oslo"}', "", "weather", "Oslo"),
        ('Action:\n```\n{"action": "weather", "action_input": {}}\n```\nObservation', "", "weather", {}),
        ('Braces {like these} first. {"action": "w", "action_input": 1}', "Braces {like these} first.", "w", 1),
        ('[{"tool_name": "w", "parameters": {"a": 1}}]', "", "w", {"a": 1}),
        ('{"Action": "w", "Action Input": {"a": 1}}', "", "w", {"a": 1}),
        ('{"action": "w", "action_input": {"a": "x}"}, }', "", "w", {"a": "x}"}),
        ("{'action': 'w', 'action_input': {'a': 1}}", "", "w", {"a": 1}),
        ('Thought: go\nAction: {"action": "w", "action_input": {"a": 1}', "go", "w", {"a": 1}),
        (
            'Thought: go\nAction: weather\nAction Input: {"city": "Oslo"}\nObservation:',
            "go",
            "weather",
            {"city": "Oslo"},
        ),
        ("Action: weather\nAction Input: Oslo", "", "weather", "Oslo"),
        ('{"action": "w"}', "", "w", None),
    ],
)
def test_an_action_is_found_in_many_spellings(text: str, thought: str, name: str, value: object):
    action = read_action(text)

    assert (action.thought, action.name, action.input) == (thought, name, value)
    assert not action.is_final


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('Thought: done\nAction: {"action": "Final Answer", "action_input": "It is sunny."}', "It is sunny."),
        ('{"action": "final_answer", "action_input": "Yes"}', "Yes"),
        ("Thought: done\nFinal Answer: It is sunny.\nReally.", "It is sunny.\nReally."),
        ("It is sunny.", "It is sunny."),
        ("Thought: It is sunny.", "It is sunny."),
        ('It is {"x": 1}, that is all.', 'It is {"x": 1}, that is all.'),
        ('{"action": "Final Answer", "action_input": {"a": [1]}}', '{"a": [1]}'),
        ("", ""),
    ],
)
def test_a_final_answer_and_whatever_cannot_be_read_end_the_agent(text: str, answer: str):
    action = read_action(text)

    assert action.is_final
    assert action.text == answer


def test_the_first_action_counts_and_imagined_results_do_not():
    text = f'{FENCED}\nObservation: rain\nAction: {{"action": "Final Answer", "action_input": "Rain."}}'

    assert read_action(text).name == "weather"


def test_a_flood_of_braces_is_read_in_bounded_time():
    assert read_action("{" * 200_000).is_final


def streamed(text: str, size: int) -> str:
    stream = FinalAnswerStream()
    return "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size))


def test_a_final_answer_is_shown_while_it_is_written():
    stream = FinalAnswerStream()

    assert stream.feed('Thought: done\nAction: {"action": "Final Answer", "action_in') == ""
    assert stream.feed('put": "It is') == "It is"
    assert stream.feed(' \\"very\\" su') == ' "very" su'
    assert stream.feed("nny\\") == "nny"
    assert stream.feed('n"} and more"') == "\n"
    assert stream.feed("x") == ""


def test_nothing_is_shown_of_a_final_answer_after_another_action():
    assert streamed(f'{FENCED}\n{{"action": "Final Answer", "action_input": "Rain."}}', 5) == ""


@given(st.text(), st.integers(1, 9), st.booleans())
def test_what_is_shown_is_what_was_written_however_it_is_cut(answer: str, size: int, is_ascii: bool):
    text = json.dumps({"action": "Final Answer", "action_input": answer}, ensure_ascii=is_ascii)

    assert read_action(text).text == answer
    if not any("\ud800" <= char <= "\udfff" for char in answer):
        assert streamed(text, size) == answer


@given(st.text(max_size=200))
def test_any_text_is_an_action_or_an_answer(text: str):
    action = read_action(text)

    assert isinstance(action.name, str)
    assert isinstance(action.text, str)
