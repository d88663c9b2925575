"""When the pieces of an answer come: what the table of expected results says of events, from the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.test_shared_runs import tidemill_events
from support.model_server import ModelServer, running_model_server

Event = dict[str, Any]
SECOND, FIRST = "1754339718571", "1754339725656"


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


def place(events: list[Event], is_it: Callable[[Event], bool]) -> int:
    """Where the one event is that fits."""
    (found,) = (number for number, event in enumerate(events) if is_it(event))
    return found


def finished(node: str) -> Callable[[Event], bool]:
    """Whether an event is the end of the one node of this type or id."""
    return lambda event: event["event"] == "node_finished" and node in (event["node_type"], event["node_id"])


def texts(events: list[Event]) -> list[tuple[int, str]]:
    """The answer's pieces and where they are among the events."""
    return [(number, event["text"]) for number, event in enumerate(events) if event["event"] == "text_delta"]


def test_an_input_is_told_before_the_start_node_finishes(model: ModelServer, tmp_path: Path):
    events = tidemill_events(model, tmp_path, "end-without-value-type.yml", "-i", "query=test query", name="mock-echo")

    [(where, text)] = texts(events)
    assert text == "test query"
    assert where < place(events, finished("start"))


def test_a_text_after_a_template_is_told_before_the_model_finishes(model: ModelServer, tmp_path: Path):
    model.reset()
    words = ["-i", "query=Hello, how are you?", "-i", "blocking=1"]

    events = tidemill_events(model, tmp_path, "conditional-streaming-vs-template.yml", *words, name="mock-5tok-20ms")

    told = texts(events)
    assert [text for _, text in told[:2]] == ["Hello, how are you?", "\n"]
    assert len(told) == 3
    assert told[0][0] < place(events, finished("llm")) < told[2][0]


def test_an_assigned_variable_is_told_as_one_piece_with_its_new_value(model: ModelServer, tmp_path: Path):
    events = tidemill_events(
        model, tmp_path, "streaming-conversation-variable-v1.yml", "--query", "Q", name="mock-echo"
    )

    assert [text for _, text in texts(events)] == ["Current Value Of `conv_var` is:", "Q"]


def test_the_faster_model_waits_for_the_one_that_is_told_first(model: ModelServer, tmp_path: Path):
    model.reset()
    model.script(
        {"match": "English", "anywhere": True, "reply": "second"},
        {"match": "Chinese", "anywhere": True, "reply": "at length, " * 30},
    )

    events = tidemill_events(model, tmp_path, "parallel-llm-streaming.yml", "--query", "x", name="mock-20ms")

    told = [(number, event) for number, event in enumerate(events) if event["event"] == "text_delta"]
    producers = [event["node_id"] for _, event in told]
    assert producers == [FIRST] * producers.count(FIRST) + [SECOND] * producers.count(SECOND)
    assert producers.count(FIRST) > 1
    assert place(events, finished(SECOND)) < place(events, finished(FIRST))
    assert place(events, finished(SECOND)) < told[producers.index(SECOND)][0]
    assert told[-1][0] < place(events, finished("answer"))
