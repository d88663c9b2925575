from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from engine.probes import Gates, edges, node
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import (
    Event,
    NodeFinished,
    NodeRetried,
    NodeStarted,
    RunFinished,
    RunPaused,
    RunStarted,
    VariableAssigned,
    decoder,
    encoder,
)
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec, RetryPolicy
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Limits, Run
from tidemill.engine.testing import pool_of, run_graph


def run_of(
    nodes: Sequence[NodeSpec], *lines: str, gates: Gates | None = None, limits: Limits | None = None, **kwargs: Any
) -> tuple[Run, MemoryJournal]:
    journal = MemoryJournal()
    run = Run(
        Graph.build(nodes, edges(*lines)),
        pool_of(),
        info=RunInfo(run_id="r"),
        ports={Gates: gates or Gates()},
        journal=journal,
        limits=limits,
        **kwargs,
    )
    return run, journal


def started(events: Sequence[Event]) -> list[str]:
    return [event.node_id for event in events if isinstance(event, NodeStarted)]


def ended(events: Sequence[Event]) -> dict[str, str]:
    return {event.node_id: event.status for event in events if isinstance(event, NodeFinished)}


async def finished_with(node_spec: NodeSpec, gates: Gates | None = None, *more: NodeSpec, lines: Sequence[str] = ()):
    gates = gates or Gates()
    nodes = [node("s", "begin"), node_spec, *more]
    return await run_graph(nodes, edges(f"s > {node_spec.id}", *lines), ports={Gates: gates})


async def test_events_are_numbered_from_one_without_gaps():
    run, journal = run_of([node("s", "begin"), node("a", "copy", value=1)], "s > a")

    finished = await run.execute()

    assert [event.seq for event in journal.events] == list(range(1, len(journal.events) + 1))
    assert isinstance(journal.events[0], RunStarted)
    assert journal.events[-1] is finished
    assert finished.status == "succeeded"
    assert finished.total_steps == 2


async def test_every_event_survives_its_bytes():
    run, journal = run_of([node("s", "begin"), node("a", "work", text=["x"]), node("e", "finish")], "s > a > e")

    await run.execute()

    assert [decoder.decode(encoder.encode(event)) for event in journal.events] == journal.events


async def test_a_join_waits_for_all_and_names_who_came_first():
    gates = Gates()
    run, journal = run_of(
        [
            node("s", "begin"),
            node("a", "work", wait_for="a"),
            node("b", "work", wait_for="b"),
            node("j", "copy", value=1),
        ],
        "s > a > j",
        "s > b > j",
        gates=gates,
    )
    task = asyncio.ensure_future(run.execute())
    gates.open("b")
    while ended(journal.events).get("b") is None:
        await asyncio.sleep(0)
    assert "j" not in started(journal.events)
    gates.open("a")
    await task

    join = next(event for event in journal.events if isinstance(event, NodeStarted) and event.node_id == "j")
    assert join.predecessor_id == "b"
    assert [event.index for event in journal.events if isinstance(event, NodeStarted)] == [1, 2, 3, 4]


async def test_a_node_with_one_taken_and_one_skipped_edge_runs_and_dead_paths_are_not_reported():
    run, journal = run_of(
        [
            node("s", "begin"),
            node("b", "branch", handle="a"),
            node("x", "copy"),
            node("y", "copy"),
            node("z", "copy"),
            node("j", "copy"),
        ],
        "s > b",
        "b:a > x > j",
        "b:b > y > z > j",
        "s > j",
    )

    await run.execute()

    assert started(journal.events) == ["s", "b", "x", "j"]


async def test_a_branch_without_an_edge_ends_its_path():
    run, _ = run_of([node("s", "begin"), node("b", "branch", handle="nobody"), node("x", "copy")], "s > b", "b:a > x")

    finished = await run.execute()

    assert finished.status == "succeeded"
    assert finished.total_steps == 2


async def test_parallel_nodes_run_together_up_to_the_limit():
    gates = Gates()
    gates.open("go")
    nodes = [node("s", "begin"), *(node(f"w{i}", "work", wait_for="go", text=["x", ""]) for i in range(6))]
    run, _ = run_of(nodes, *(f"s > w{i}" for i in range(6)), gates=gates, limits=Limits(max_concurrency=3))
    gates.gate("go").clear()
    task = asyncio.ensure_future(run.execute())
    while gates.running < 3:
        await asyncio.sleep(0)
    gates.open("go", "go:1")

    finished = await task

    assert gates.most_running == 3
    assert finished.status == "succeeded"


async def test_a_failure_ends_the_run_and_cancels_the_others():
    gates = Gates()
    run, journal = run_of(
        [
            node("s", "begin"),
            node("slow", "work", wait_for="never"),
            node("bad", "work", fail_times=9),
            node("z", "copy"),
        ],
        "s > slow > z",
        "s > bad",
        gates=gates,
    )

    finished = await run.execute()

    assert (finished.status, finished.error, finished.failed_node_id) == ("failed", "Attempt 1 failed.", "bad")
    assert gates.cancelled == ["slow"]
    assert ended(journal.events) == {"s": "succeeded", "bad": "failed", "slow": "stopped"}


async def test_a_crash_in_a_node_is_that_nodes_failure():
    result = await finished_with(node("w", "work", crash=True))

    assert result.finished.error_type == "KeyError"
    assert result.finished.error == "The node \"w\" failed unexpectedly: KeyError: 'lost'"


async def test_retries_are_counted_told_and_then_forgotten():
    retry = RetryPolicy(max_retries=2, interval_s=0)
    spec = NodeSpec(id="w", type="probe-work", data={"fail_times": 2}, title="w", retry=retry)

    result = await finished_with(spec)

    retries = [event for event in result.events if isinstance(event, NodeRetried)]
    assert [(event.retry_index, event.error) for event in retries] == [
        (1, "Attempt 1 failed."),
        (2, "Attempt 2 failed."),
    ]
    assert started(result.events).count("w") == 1
    assert result.finished.status == "succeeded"
    assert result.finished.total_steps == 4


async def test_text_of_a_failed_attempt_is_withdrawn():
    retry = RetryPolicy(max_retries=1, interval_s=0)
    data = {"text": ["half"], "fail_times": 1, "fail_after_text": True}
    spec = NodeSpec(id="w", type="probe-work", data=data, title="w", retry=retry)

    result = await finished_with(spec, None, node("o", "answer", answer="A {{#w.text#}}!"), lines=["w > o"])

    assert result.finished.answer == "A half!"
    replaced = [event for event in result.events if type(event).__name__ == "TextReplaced"]
    assert [getattr(event, "text", None) for event in replaced] == ["A "]


@pytest.mark.parametrize("handle", ["source", "success-branch"])
async def test_fail_branch_leads_a_failure_away(handle: str):
    spec = NodeSpec(id="w", type="probe-work", data={"fail_times": 9}, title="w", error_strategy="fail-branch")

    result = await finished_with(
        spec,
        None,
        node("ok", "copy"),
        node("bad", "copy", source=["w", "error_type"]),
        lines=[f"w:{handle} > ok", "w:fail-branch > bad"],
    )

    assert started(result.events) == ["s", "w", "bad"]
    assert (result.finished.status, result.finished.exceptions_count) == ("partial-succeeded", 1)
    (ending,) = result.nodes("w")
    assert ending.outputs == {"error_message": "Attempt 1 failed.", "error_type": "WorkFailed"}
    assert ending.status == "exception"
    assert ending.metadata == {"error_strategy": "fail-branch"}


@pytest.mark.parametrize("handle", ["source", "success-branch"])
async def test_a_node_with_a_fail_branch_that_succeeds_takes_its_ordinary_edges(handle: str):
    spec = NodeSpec(id="w", type="probe-work", data={"text": ["x"]}, title="w", error_strategy="fail-branch")

    result = await finished_with(
        spec, None, node("ok", "copy"), node("bad", "copy"), lines=[f"w:{handle} > ok", "w:fail-branch > bad"]
    )

    assert started(result.events) == ["s", "w", "ok"]


async def test_default_values_stand_in_for_a_failure():
    spec = NodeSpec(
        id="w",
        type="probe-work",
        data={"fail_times": 9},
        title="w",
        error_strategy="default-value",
        default_values={"text": "D", "n": 1},
    )

    result = await finished_with(spec, None, node("o", "answer", answer="{{#w.text#}}"), lines=["w > o"])

    assert result.finished.answer == "D"
    assert result.nodes("w")[0].outputs == {
        "text": "D",
        "n": 1.0,
        "error_message": "Attempt 1 failed.",
        "error_type": "WorkFailed",
    }


async def test_steps_are_limited_in_spite_of_error_strategies():
    spec = NodeSpec(id="w", type="probe-work", data={}, title="w", error_strategy="default-value")
    run, _ = run_of([node("s", "begin"), node("a", "copy"), spec], "s > a > w", limits=Limits(max_steps=2))

    finished = await run.execute()

    assert (finished.status, finished.error_type) == ("failed", "MaxStepsReached")
    assert "WORKFLOW_MAX_EXECUTION_STEPS" in (finished.error or "")


async def test_time_is_limited():
    run, _ = run_of([node("s", "begin"), node("w", "work", wait_for="never")], "s > w", limits=Limits(max_seconds=0.01))

    finished = await run.execute()

    assert (finished.status, finished.error_type) == ("failed", "MaxTimeReached")


async def test_a_stop_keeps_the_text_so_far():
    gates = Gates()
    run, journal = run_of(
        [
            node("s", "begin"),
            node("w", "work", text=["one", "two"], wait_for="g"),
            node("o", "answer", answer="{{#w.text#}}"),
        ],
        "s > w > o",
        gates=gates,
    )
    task = asyncio.ensure_future(run.execute())
    gates.open("g")
    while not run.text:
        await asyncio.sleep(0)
    run.stop("Stopped by ada.")

    finished = await task

    assert (finished.status, finished.answer, finished.error) == ("stopped", "one", "Stopped by ada.")
    assert gates.cancelled == ["w"]
    assert isinstance(journal.events[-1], RunFinished)


async def test_cancelling_the_caller_ends_the_run_as_stopped():
    run, journal = run_of([node("s", "begin"), node("w", "work", wait_for="never")], "s > w")
    task = asyncio.ensure_future(run.execute())
    while "w" not in started(journal.events):
        await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    last = journal.events[-1]
    assert isinstance(last, RunFinished)
    assert last.status == "stopped"


async def test_a_long_chain_of_inline_nodes_lets_others_run():
    chain = [node(f"n{i}", "copy", value=i) for i in range(200)]
    run, _ = run_of([node("s", "begin"), *chain], " > ".join(["s", *(spec.id for spec in chain)]))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.ensure_future(count())
    await run.execute()
    counter.cancel()

    assert turns >= 3


async def test_a_waiting_node_pauses_the_run_after_everything_else():
    run, journal = run_of(
        [
            node("s", "begin"),
            node("form", "work", pause=True),
            node("later", "copy"),
            node("other", "work", text=["x"]),
        ],
        "s > form > later",
        "s > other",
    )

    finished = await run.execute()

    assert finished.status == "paused"
    last = journal.events[-1]
    assert isinstance(last, RunPaused)
    assert (last.paused_node_ids, last.reasons) == (["form"], [{"kind": "form"}])
    assert started(journal.events) == ["s", "form", "other"]


async def test_rounds_see_their_own_pool_and_report_where_they_ran():
    nodes = [
        node("s", "begin"),
        node("box", "repeat", start="in", rounds=3, parallel=True),
        node("in", "work", "box", text=["x"]),
        node("o", "answer", "box", answer="{{#box.index#}}"),
    ]

    result = await run_graph(nodes, edges("s > box", "in > o"), ports={Gates: Gates()})

    assert sorted(event.scope.index for event in result.nodes("in") if event.scope) == [0, 1, 2]
    assert sorted(result.finished.answer) == ["0", "1", "2"]
    assert result.finished.total_steps == 8


async def test_a_failing_child_fails_its_round():
    nodes = [node("s", "begin"), node("box", "repeat", start="in"), node("in", "work", "box", fail_times=9)]

    result = await run_graph(nodes, edges("s > box"), ports={Gates: Gates()})

    assert (result.finished.status, result.finished.error) == ("failed", "Attempt 1 failed.")
    assert result.nodes("box")[0].status == "failed"


async def test_a_round_can_end_its_container():
    nodes = [node("s", "begin"), node("box", "repeat", start="in", rounds=5), node("in", "leave", "box")]

    result = await run_graph(nodes, edges("s > box"))

    assert result.nodes("box")[0].outputs == {"rounds": 1}


async def test_assigned_conversation_variables_are_told():
    nodes = [
        node("s", "begin"),
        node("a", "copy", value=[1]),
        node("w", "write", target=["conversation", "c"], source=["a", "output"]),
    ]

    result = await run_graph(nodes, edges("s > a > w"), {("conversation", "c"): None})

    (told,) = [event for event in result.events if isinstance(event, VariableAssigned)]
    assert (told.selector, told.value, told.node_id) == (("conversation", "c"), [1], "w")


async def test_secrets_do_not_show_in_events():
    nodes = [node("s", "begin"), node("a", "copy", source=["env", "KEY"]), node("w", "work", fail_times=1)]
    journal = MemoryJournal()
    pool = pool_of({("env", "KEY"): "sk-secret-value"}, secrets=["sk-secret-value"])
    run = Run(
        Graph.build(nodes, edges("s > a > w")), pool, info=RunInfo(run_id="r"), ports={Gates: Gates()}, journal=journal
    )

    await run.execute()

    assert b"sk-secret-value" not in b"".join(encoder.encode(event) for event in journal.events)
    assert pool.find(("a", "output")) == "sk-secret-value"


async def test_a_missing_port_is_named():
    result = await run_graph([node("s", "begin"), node("w", "work")], edges("s > w"))

    assert result.finished.error == "This run has no gates to offer, which the node needs."


async def test_a_run_that_reaches_an_unknown_type_names_the_node():
    nodes = [node("s", "begin"), NodeSpec(id="x", type="from-the-future", data={}, title="Oracle")]

    result = await run_graph(nodes, [EdgeSpec("s", "x")])

    assert (
        result.finished.error == 'The node "Oracle" has the type "from-the-future", which this version does not know.'
    )


def test_an_error_type_defaults_to_the_class_name():
    assert NodeFailed("x").error_type == "NodeFailed"
