"""A run that is cut off anywhere and goes on tells what an uncut one tells, and does nothing twice."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.probes import Gates, edges, node
from tidemill.engine.events import (
    Event,
    NodeFinished,
    NodeRetried,
    RunFinished,
    RunPaused,
    RunStarted,
    TextDelta,
    TextReplaced,
    VariableAssigned,
    decoder,
    encoder,
)
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec, RetryPolicy
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.past import NOTHING, Past
from tidemill.engine.scheduler import Run
from tidemill.engine.testing import pool_of
from tidemill.engine.values import File, VariablePool

# Of a run told anew, these are the moments and names that no two executions share.
UNLIKE = ("at", "started_at", "elapsed_s", "execution_id")


class Flow(msgspec.Struct):
    nodes: list[NodeSpec]
    edges: list[EdgeSpec]


RETRYING = msgspec.structs.replace(
    node("r", "work", text=["again"], fail_times=2), retry=RetryPolicy(max_retries=3, interval_s=0.0)
)
FLOWS = {
    "chain": Flow(
        [
            node("s", "begin"),
            node("a", "work", text=["one ", "two "]),
            node("c", "copy", source=["a", "text"]),
            node("b", "work", text=["three"]),
            node("o", "answer", answer="<{{#a.text#}}|{{#c.output#}}|{{#b.text#}}>"),
        ],
        edges("s > a > c > b > o"),
    ),
    "retries": Flow(
        [node("s", "begin"), RETRYING, node("o", "answer", answer="{{#r.text#}}")],
        edges("s > r > o"),
    ),
    "rounds": Flow(
        [
            node("s", "begin"),
            node("box", "repeat", start="in", rounds=3),
            node("in", "work", "box", text=["x", "y"]),
            node("say", "answer", "box", answer="{{#box.index#}}{{#in.text#}};"),
            node("w", "write", "box", target=["conversation", "c"], source=["box", "index"]),
            node("last", "work", text=["z"]),
            node("o", "answer", answer="{{#last.text#}}{{#conversation.c#}}"),
        ],
        edges("s > box > last > o", "in > say > w"),
    ),
    "failure": Flow(
        [node("s", "begin"), node("a", "work", text=["ok"]), node("b", "work", fail_times=9)],
        edges("s > a > b"),
    ),
}


async def run(
    flow: Flow, past: Past = NOTHING, *, calls: dict[str, int] | None = None, pool: VariablePool | None = None
) -> tuple[list[Event], dict[str, int], RunFinished]:
    """The events told, what was called, and the end. `calls` is what the outside world has seen before."""
    gates, journal = Gates(), MemoryJournal()
    gates.calls.update(calls or {})
    finished = await Run(
        Graph.build(flow.nodes, flow.edges),
        pool or pool_of({("conversation", "c"): None}),
        info=RunInfo(run_id="r"),
        ports={Gates: gates},
        journal=journal,
        past=past,
    ).execute()
    return journal.events, gates.calls, finished


def shape(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events as data, without what differs between two executions; neighbouring text pieces are one."""
    found: list[dict[str, Any]] = []
    for event in events:
        data = msgspec.to_builtins(event)
        for name in (*UNLIKE, "seq"):
            data.pop(name, None)
        if isinstance(event, TextDelta) and found and found[-1]["event"] == "text_delta":
            found[-1]["text"] += event.text
        else:
            found.append(data)
    return found


def told_text(events: Sequence[Event]) -> str:
    text = ""
    for event in events:
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, TextReplaced):
            text = event.text
    return text


def seen_before(events: Sequence[Event]) -> dict[str, int]:
    """What the outside world was asked for, as far as the journal tells."""
    seen: dict[str, int] = {}
    for event in events:
        if isinstance(event, NodeRetried) or (isinstance(event, NodeFinished) and event.node_type == "probe-work"):
            seen[event.node_id] = seen.get(event.node_id, 0) + 1
    return seen


@pytest.mark.parametrize("name", sorted(FLOWS))
async def test_a_run_cut_anywhere_ends_with_the_log_of_an_uncut_one(name: str):
    flow = FLOWS[name]
    whole, _, end = await run(flow)

    for cut in range(1, len(whole)):
        before = decode(whole[:cut])
        after, _, finished = await run(flow, Past.going_on(before), calls=seen_before(before))
        events = [*before, *after]

        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert (finished.status, finished.answer, finished.total_steps) == (end.status, end.answer, end.total_steps)
        assert told_text(events) == told_text(whole) == end.answer
        if not any(isinstance(event, TextReplaced) for event in after):
            assert sorted(map(repr, shape(events))) == sorted(map(repr, shape(whole)))
        else:
            assert without_text(events) == without_text(whole)


def without_text(events: Sequence[Event]) -> list[dict[str, Any]]:
    return shape([event for event in events if not isinstance(event, TextDelta | TextReplaced)])


def decode(events: Sequence[Event]) -> list[Event]:
    """Events as a journal gives them back."""
    return [decoder.decode(encoder.encode(event)) for event in events]


@pytest.mark.parametrize("name", sorted(FLOWS))
async def test_recorded_work_is_not_done_again(name: str):
    flow = FLOWS[name]
    whole, calls_of_whole, _ = await run(flow)

    for cut in range(1, len(whole)):
        before = whole[:cut]
        _, calls, _ = await run(flow, Past.going_on(before), calls=seen_before(before))

        assert calls == calls_of_whole


async def test_executions_keep_their_ids_and_moments():
    whole, _, _ = await run(FLOWS["chain"])
    cut = next(number for number, event in enumerate(whole) if isinstance(event, TextDelta) and event.text == "three")

    after, _, finished = await run(FLOWS["chain"], Past.going_on(whole[:cut]))

    ids = {event.node_id: event.execution_id for event in whole if isinstance(event, NodeFinished)}
    assert {e.execution_id for e in after if isinstance(e, NodeFinished) and e.node_id == "b"} == {ids["b"]}
    assert isinstance(whole[0], RunStarted)
    assert finished.started_at == whole[0].at


async def test_half_told_text_is_withdrawn_when_its_model_is_asked_again():
    whole, _, _ = await run(FLOWS["chain"])
    cut = next(number for number, event in enumerate(whole) if isinstance(event, TextDelta) and event.text == "two ")

    after, _, finished = await run(FLOWS["chain"], Past.going_on(whole[:cut]))

    assert [event.text for event in after if isinstance(event, TextReplaced)] == ["<"]
    assert [event.reason for event in after if isinstance(event, TextReplaced)] == ["recovery"]
    assert [event.text for event in after if isinstance(event, TextDelta)][:2] == ["one ", "two "]
    assert finished.answer == "<one two |one two |three>"


async def test_half_told_text_is_withdrawn_when_its_model_fails_the_second_time():
    flow = Flow(
        [node("s", "begin"), node("a", "work", text=["one ", "two"]), node("o", "answer", answer="{{#a.text#}}")],
        edges("s > a > o"),
    )
    whole, _, _ = await run(flow)
    cut = next(number for number, event in enumerate(whole) if isinstance(event, TextDelta)) + 1
    failing = Flow([flow.nodes[0], node("a", "work", text=["one "], fail_times=9), flow.nodes[2]], flow.edges)

    after, _, finished = await run(failing, Past.going_on(whole[:cut]))

    assert finished.status == "failed"
    assert told_text([*whole[:cut], *after]) == finished.answer == ""


async def test_a_paused_run_goes_on_with_what_it_had():
    waiting = [
        node("s", "begin"),
        node("before", "work", text=["a"]),
        node("form", "work", pause=True),
        node("o", "answer", answer="{{#before.text#}}{{#form.text#}}"),
    ]
    lines = edges("s > before > form > o")
    first, calls, _ = await run(Flow(waiting, lines))
    assert isinstance(first[-1], RunPaused)
    answered = [*waiting[:2], node("form", "work", text=["b"]), waiting[3]]

    journal, gates = MemoryJournal(), Gates()
    finished = await Run(
        Graph.build(answered, lines),
        pool_of(),
        info=RunInfo(run_id="r"),
        ports={Gates: gates},
        journal=journal,
        past=Past.going_on(first),
        reason="resumption",
    ).execute()

    assert calls == {"before": 1, "form": 1}
    assert gates.calls == {"form": 1}
    assert [type(event).__name__ for event in journal.events[:1]] == ["RunStarted"]
    assert journal.events[0].seq == first[-1].seq + 1
    assert (finished.status, finished.answer) == ("succeeded", "ab")


async def test_a_pause_in_a_round_pauses_its_container():
    flow = Flow(
        [node("s", "begin"), node("box", "repeat", start="form"), node("form", "work", "box", pause=True)],
        edges("s > box"),
    )

    events, _, finished = await run(flow)

    assert finished.status == "paused"
    assert isinstance(events[-1], RunPaused)
    assert events[-1].paused_node_ids == ["form"]


async def test_a_fork_takes_what_lies_outside_the_change_and_tells_everything_itself():
    flow = FLOWS["chain"]
    whole, _, _ = await run(flow)
    changed = Flow([*flow.nodes[:3], node("b", "work", text=["four"]), flow.nodes[4]], flow.edges)

    events, calls, finished = await run(changed, Past.taking(whole, lambda place: place not in {"b", "o"}))

    assert calls == {"b": 1}
    assert finished.answer == "<one two |one two |four>"
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    ids = {event.execution_id for event in itertools.chain(whole, events) if isinstance(event, NodeFinished)}
    assert len(ids) == 2 * len(flow.nodes)


@pytest.mark.parametrize("name", sorted(FLOWS))
async def test_a_replay_calls_nobody_and_ends_alike(name: str):
    whole, _, end = await run(FLOWS[name])

    events, calls, finished = await run(FLOWS[name], Past.taking(decode(whole)))

    assert calls == {}
    assert (finished.status, finished.answer, finished.error) == (end.status, end.answer, end.error)
    assert told_text(events) == end.answer
    assigned = [event.value for event in events if isinstance(event, VariableAssigned)]
    assert assigned == [event.value for event in whole if isinstance(event, VariableAssigned)]


async def test_a_recovered_node_gets_its_secrets_back_though_the_record_masks_them():
    flow = Flow(
        [
            node("s", "begin"),
            node("a", "work", text=["key=", "sk-\0secret"]),
            node("b", "work", text=["b"]),
            node("c", "copy", source=["a", "text"]),
        ],
        edges("s > a > b > c"),
    )
    pool = pool_of(secrets=["sk-\0secret"])
    whole, _, _ = await run(flow, pool=pool)
    assert "sk-\0secret" not in repr([event for event in whole if isinstance(event, NodeFinished)])
    cut = next(n for n, e in enumerate(whole) if isinstance(e, NodeFinished) and e.node_id == "a") + 1

    pool = pool_of(secrets=["sk-\0secret"])
    await run(flow, Past.going_on(decode(whole[:cut])), pool=pool)

    assert pool.find(("c", "output")) == "key=sk-\0secret"


async def test_recorded_files_are_files_again():
    file = File(type="image", transfer_method="remote_url", remote_url="u", filename="a.png")
    finished = NodeFinished(
        seq=2, at=0.0, execution_id="e", node_id="a", node_type="probe-work", title="", index=1, status="succeeded",
        started_at=0.0, elapsed_s=0.0, outputs={"text": "", "files": [file.to_wire()]},
    )  # fmt: skip
    pool = pool_of()

    await run(Flow([node("s", "begin"), node("a", "work")], edges("s > a")), Past.taking([finished]), pool=pool)

    assert pool.find(("a", "files")) == [file]
