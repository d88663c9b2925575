"""The order of answers: reference section 4.3, rule by rule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.probes import Gates, edges, node
from tidemill.engine.events import Event, NodeFinished, NodeStarted, TextDelta
from tidemill.engine.graph import Graph, NodeSpec
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Run
from tidemill.engine.testing import pool_of, run_graph
from tidemill.engine.values import Selector, Value


class Watched:
    """A run in the background whose text can be looked at between the gates."""

    def __init__(self, nodes: list[NodeSpec], *lines: str, values: dict[Selector, Value] | None = None) -> None:
        self.gates = Gates()
        self.journal = MemoryJournal()
        self.run = Run(
            Graph.build(nodes, edges(*lines)),
            pool_of(values),
            info=RunInfo(run_id="r"),
            ports={Gates: self.gates},
            journal=self.journal,
        )
        self.task = asyncio.ensure_future(self.run.execute())

    async def until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            assert not self.task.done(), "the run ended before"
            await asyncio.sleep(0)

    async def idle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def text(self) -> str:
        return "".join(self.run.text)


def order(events: list[Event]) -> list[str]:
    """Node ends and text pieces, in the order they were told."""
    return [
        f"={event.node_id}" if isinstance(event, NodeFinished) else event.text
        for event in events
        if isinstance(event, (NodeFinished, TextDelta))
    ]


async def test_leading_text_is_told_before_anything_runs():
    result = await run_graph(
        [node("s", "begin"), node("o", "answer", answer="Hello {{#sys.query#}}!")],
        edges("s > o"),
        {("sys", "query"): "Q"},
    )

    assert result.pieces == ["Hello ", "Q", "!"]
    assert isinstance(result.events[1], TextDelta)
    assert [event.node_id for event in result.events if isinstance(event, TextDelta)] == ["o", "sys", "o"]


async def test_pieces_are_told_live_and_in_template_order():
    watched = Watched(
        [
            node("s", "begin"),
            node("a", "work", text=["a1", "a2"], wait_for="a"),
            node("b", "work", text=["b1", "b2"], wait_for="b"),
            node("o", "answer", answer="{{#b.text#}}-{{#a.text#}}"),
        ],
        "s > a > o",
        "s > b > o",
    )
    watched.gates.open("a", "a:1")
    await watched.idle()
    assert watched.text == ""
    watched.gates.open("b")
    await watched.until(lambda: watched.text == "b1")
    watched.gates.open("b:1")

    await watched.task

    assert [event.text for event in watched.journal.events if isinstance(event, TextDelta)] == [
        "b1",
        "b2",
        "-",
        "a1",
        "a2",
    ]
    assert order(watched.journal.events)[-1] == "=o"


async def test_a_value_is_told_whole_just_before_its_node_ends():
    result = await run_graph(
        [node("s", "begin"), node("a", "copy", value=["x", "y"]), node("o", "answer", answer="{{#a.output#}}")],
        edges("s > a > o"),
    )

    assert order(result.events) == ["=s", "- x\n- y", "=a", "=o"]


async def test_an_output_node_reads_as_text_with_newlines_between():
    result = await run_graph(
        [node("s", "begin"), node("e", "finish", outputs={"a": ["s", "x"], "b": ["s", "list"], "c": ["s", "none"]})],
        edges("s > e"),
        {("s", "x"): "X", ("s", "list"): ["i"]},
    )

    assert result.text == 'X\n["i"]\n'
    assert result.finished.outputs == {"a": "X", "b": ["i"], "c": None}


async def test_an_answer_behind_a_branch_waits_for_the_branch():
    watched = Watched(
        [
            node("s", "begin"),
            node("w", "work", wait_for="w"),
            node("b", "branch", handle="a"),
            node("o", "answer", answer="yes"),
            node("n", "answer", answer="no"),
        ],
        "s > w > b",
        "b:a > o",
        "b:b > n",
    )
    await watched.idle()
    assert watched.text == ""
    watched.gates.open("w")

    finished = await watched.task

    assert finished.answer == "yes"


async def test_an_answer_on_two_paths_begins_when_one_is_free():
    result = await run_graph(
        [
            node("s", "begin"),
            node("b", "branch", handle="true"),
            node("llm", "work", text=["T"]),
            node("first", "answer", answer="literal "),
            node("second", "answer", answer="{{#llm.text#}}"),
        ],
        edges("s > b", "s > llm > second", "b:true > first", "b:false > second"),
        ports={Gates: Gates()},
    )

    assert result.text == "literal T"
    assert result.finished.outputs["answer"] == "literal T"


async def test_a_later_stream_waits_for_the_one_that_speaks():
    watched = Watched(
        [
            node("s", "begin"),
            node("llm", "work", text=["one", "two"], wait_for="g"),
            node("w", "work", wait_for="w"),
            node("b", "branch", handle="a"),
            node("o1", "answer", answer="{{#llm.text#}}."),
            node("o2", "answer", answer="B"),
        ],
        "s > llm > o1",
        "s > w > b",
        "b:a > o2",
    )
    watched.gates.open("g")
    await watched.until(lambda: watched.text == "one")
    watched.gates.open("w")
    await watched.until(
        lambda: any(isinstance(event, NodeStarted) and event.node_id == "o2" for event in watched.journal.events)
    )
    assert watched.text == "one"
    watched.gates.open("g:1")

    finished = await watched.task

    assert finished.answer == "onetwo.B"


async def test_a_skipped_producer_is_left_out():
    result = await run_graph(
        [
            node("s", "begin"),
            node("b", "branch", handle="a"),
            node("x", "copy", value="X"),
            node("y", "copy", value="Y"),
            node("o", "answer", answer="[{{#x.output#}}{{#y.output#}}]"),
        ],
        edges("s > b", "b:a > x > o", "b:b > y > o"),
    )

    assert result.text == "[X]"


async def test_an_undefined_variable_is_flushed_as_nothing_when_the_answer_ends():
    result = await run_graph([node("s", "begin"), node("o", "answer", answer="a{{#ghost.x#}}b")], edges("s > o"))

    assert result.text == "ab"
    assert result.finished.outputs["answer"] == "aghost.xb"


async def test_an_answer_shows_what_an_assigner_before_it_wrote():
    result = await run_graph(
        [
            node("s", "begin"),
            node("w", "write", target=["conversation", "v"], source=["sys", "query"]),
            node("o", "answer", answer="now {{#conversation.v#}}"),
        ],
        edges("s > w > o"),
        {("conversation", "v"): "old", ("sys", "query"): "new"},
    )

    assert result.pieces == ["now ", "new"]
    assert order(result.events)[0] == "=s"


async def test_a_conversation_variable_nobody_writes_is_told_at_once():
    result = await run_graph(
        [node("s", "begin"), node("o", "answer", answer="{{#conversation.v#}}")],
        edges("s > o"),
        {("conversation", "v"): "kept"},
    )

    assert order(result.events) == ["kept", "=s", "=o"]


async def test_an_answer_behind_an_answer_comes_after_it():
    result = await run_graph(
        [
            node("s", "begin"),
            node("o2", "answer", answer="1"),
            node("llm", "work", text=["2"]),
            node("o1", "answer", answer="{{#llm.text#}}"),
        ],
        edges("s > o2 > llm > o1"),
        ports={Gates: Gates()},
    )

    assert result.text == "12"
    assert result.finished.outputs["answer"] == "12"


async def test_answers_that_can_begin_together_go_by_their_ids():
    result = await run_graph(
        [node("s", "begin"), node("b", "answer", answer="B"), node("a", "answer", answer="A")], edges("s > b", "s > a")
    )

    assert result.text == "AB"


async def test_each_round_of_a_container_speaks_again():
    nodes = [
        node("s", "begin"),
        node("box", "repeat", start="in", rounds=3),
        node("in", "copy", "box", value="r"),
        node("o", "answer", "box", answer="{{#in.output#}}{{#box.index#}} "),
        node("end", "answer", answer="done {{#box.rounds#}}"),
    ]

    result = await run_graph(nodes, edges("s > box > end", "in > o"))

    assert result.text == "r0 r1 r2 done 3"


async def test_a_stream_nobody_shows_is_dropped():
    result = await run_graph(
        [node("s", "begin"), node("llm", "work", text=["x", "y"]), node("o", "answer", answer="only this")],
        edges("s > llm > o"),
        ports={Gates: Gates()},
    )

    assert result.pieces == ["only this"]


async def test_two_answers_may_show_one_stream():
    result = await run_graph(
        [
            node("s", "begin"),
            node("llm", "work", text=["x", "y"]),
            node("a", "answer", answer="{{#llm.text#}}"),
            node("b", "answer", answer="({{#llm.text#}})"),
        ],
        edges("s > llm > a", "llm > b"),
        ports={Gates: Gates()},
    )

    assert result.text == "xy(xy)"
