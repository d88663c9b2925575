"""Containers in containers, their text, limits and stops (reference `workflow-dsl.md`, 4, 5.16, 5.17)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from engine.probes import Gates, edges, node
from nodes.rounds import completed, iteration, loop, rounds, run, spec, until
from tidemill.engine.events import (
    ContainerAdvanced,
    ContainerFinished,
    ContainerStarted,
    Event,
    NodeFinished,
    NodeStarted,
    RunPaused,
    Scope,
    TextDelta,
)
from tidemill.engine.graph import Graph, NodeSpec
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.past import Past, place_of
from tidemill.engine.scheduler import Limits, Run
from tidemill.engine.testing import pool_of, run_graph
from tidemill.engine.values import VariablePool


def say(node_id: str, text: str, parent: str = "box") -> NodeSpec:
    return NodeSpec(id=node_id, type="answer", version="probe", data={"answer": text}, title=node_id, parent_id=parent)


def nested(**inner: Any) -> tuple[Any, ...]:
    """An iteration over lists, with an iteration over each of them inside."""
    children = (
        spec(
            "inner",
            "iteration",
            "box",
            **{
                "iterator_selector": ["box", "item"],
                "output_selector": ["act", "output"],
                "start_node_id": "deep",
                **inner,
            },
        ),
        spec("deep", "iteration-start", "inner"),
        spec("act", "probe-act", "inner", source=["inner", "item"]),
    )
    return iteration(
        [["a", "b"], ["c"]],
        *children,
        lines=("begin > inner", "deep > act"),
        output_selector=["inner", "output"],
        flatten_output=False,
        is_parallel=True,
    )


@pytest.mark.parametrize("is_parallel", [False, True])
async def test_an_iteration_in_an_iteration(is_parallel: bool):
    result = await run(nested(is_parallel=is_parallel))

    assert result.finished.outputs == {"out": [["a", "b"], ["c"]]}


async def test_every_child_knows_all_rounds_around_it_and_has_a_place_of_its_own():
    result = await run(nested())

    places = sorted(place_of(event.scope) + event.node_id for event in result.nodes("act"))
    assert places == ["box[0]/inner[0]/act", "box[0]/inner[1]/act", "box[1]/inner[0]/act"]
    scopes = [event.scope for event in result.nodes("act")]
    assert Scope("iteration", "inner", 1, Scope("iteration", "box", 0)) in scopes


async def test_an_outer_containers_steps_include_those_of_the_inner_one():
    result = await run(nested())

    assert [(event.node_id, event.steps) for event in completed(result)][-1] == ("box", 5)
    assert result.finished.total_steps == 8


async def test_a_loop_in_an_iteration_begins_anew_with_every_item():
    variables = [{"label": "acc", "var_type": "number", "value_type": "variable", "value": ["box", "item"]}]
    add = {"variable_selector": ["inner", "acc"], "input_type": "variable", "operation": "+=", "value": ["box", "item"]}
    children = (
        spec("inner", "loop", "box", start_node_id="deep", loop_count=2, loop_variables=variables),
        spec("deep", "loop-start", "inner"),
        spec("add", "assigner", "inner", version="2", items=[add]),
    )

    result = await run(
        iteration(
            [1, 10],
            *children,
            lines=("begin > inner", "deep > add"),
            output_selector=["inner", "acc"],
            is_parallel=True,
        )
    )

    assert result.finished.outputs == {"out": [3, 30]}


async def test_an_iteration_in_a_loop_goes_over_the_variable_as_it_is_then():
    variables = [{"label": "list", "var_type": "array[string]", "value_type": "constant", "value": '["a"]'}]
    grow = {
        "variable_selector": ["box", "list"],
        "input_type": "variable",
        "operation": "extend",
        "value": ["inner", "output"],
    }
    children = (
        spec(
            "inner",
            "iteration",
            "box",
            iterator_selector=["box", "list"],
            output_selector=["inner", "item"],
            start_node_id="deep",
        ),
        spec("deep", "iteration-start", "inner"),
        spec("grow", "assigner", "box", version="2", items=[grow]),
    )

    result = await run(
        loop(*children, lines=("begin > inner > grow",), outputs=("list",), loop_variables=variables, loop_count=3)
    )

    assert result.finished.outputs == {"list": ["a"] * 8}


async def test_a_conversation_variable_written_two_levels_down_comes_out():
    write = {
        "variable_selector": ["conversation", "seen"],
        "input_type": "variable",
        "operation": "append",
        "value": ["inner", "item"],
    }
    children = (
        spec("inner", "iteration", "box", iterator_selector=["box", "item"], start_node_id="deep"),
        spec("deep", "iteration-start", "inner"),
        spec("write", "assigner", "inner", version="2", items=[write]),
    )

    result = await run(
        iteration([["a", "b"], ["c"]], *children, lines=("begin > inner", "deep > write")),
        values={("conversation", "seen"): []},
    )

    assert result.pool.find(("conversation", "seen")) == ["a", "b", "c"]


async def test_an_inner_failure_is_the_outer_rounds_failure():
    children = (
        spec("inner", "iteration", "box", iterator_selector=["box", "item"], start_node_id="deep"),
        spec("deep", "iteration-start", "inner"),
        spec("act", "probe-act", "inner", source=["inner", "item"]),
    )
    graph = iteration(
        [[{"give": 1}], [{"fail": "Deep down."}]],
        *children,
        lines=("begin > inner", "deep > act"),
        output_selector=["inner", "output"],
        error_handle_mode="continue-on-error",
        flatten_output=False,
    )

    result = await run(graph)

    assert result.finished.status == "succeeded"
    assert result.finished.outputs == {"out": [[None], None]}
    assert [event.status for event in result.nodes("inner")] == ["succeeded", "failed"]


async def test_a_container_with_a_fail_branch_goes_on_there():
    gates = Gates()
    nodes = [
        spec("s", "probe-begin"),
        NodeSpec(
            id="box",
            type="iteration",
            data={"iterator_selector": ["s", "items"], "start_node_id": "begin"},
            error_strategy="fail-branch",
        ),
        spec("begin", "iteration-start", "box"),
        spec("act", "probe-act", "box"),
        spec("end", "end", outputs=[{"variable": "why", "value_selector": ["box", "error_message"]}]),
    ]

    result = await run_graph(
        nodes,
        edges("s > box", "begin > act", "box:fail-branch > end"),
        {("s", "items"): [{"fail": "Broken."}]},
        ports={Gates: gates},
    )

    assert result.finished.status == "partial-succeeded"
    assert result.finished.outputs == {"why": "Broken."}


# ---------------------------------------------------------------- text


async def test_an_answer_in_a_container_streams_in_each_round():
    children = (spec("talk", "probe-work", "box", text=["x", "y"]), say("o", "<{{#talk.text#}}>"))

    result = await run(iteration(["a", "b"], *children, lines=("begin > talk > o",)))

    assert result.pieces[:8] == ["<", "x", "y", ">", "<", "x", "y", ">"]
    assert result.finished.outputs["answer"] == "<xy><xy>"


async def test_parallel_rounds_speak_one_after_the_other_and_the_first_is_heard_live():
    gates = Gates()
    children = (spec("act", "probe-act", "box"), say("o", "{{#box.index#}}:{{#act.output#}} "))
    items = [{"wait": "first", "give": "a"}, {"wait": "second", "give": "b"}, {"give": "c"}]
    graph = iteration(items, *children, lines=("begin > act > o",), is_parallel=True, output_selector=["gone", "x"])
    journal = MemoryJournal()
    going = Run(
        Graph.build(graph[0], graph[1]),
        pool_of(graph[2]),
        info=RunInfo(run_id="r"),
        ports={Gates: gates},
        journal=journal,
    )
    task = asyncio.create_task(going.execute())

    def heard() -> str:
        return "".join(event.text for event in journal.events if isinstance(event, TextDelta))

    await until(lambda: gates.running == 2 and len(gates.calls) == 3)
    assert heard() == "0:"  # what comes before the first round's value is said at once; later rounds wait
    gates.open("first")
    await until(lambda: "1:" in heard())
    assert heard() == "0:a 1:"
    gates.open("second")
    finished = await task

    assert finished.answer.startswith("0:a 1:b 2:c [")  # then the end node's output
    assert finished.outputs["answer"] == "0:a 1:b 2:c "


# ---------------------------------------------------------------- limits


async def test_children_count_as_steps_and_no_error_mode_forgives_the_limit():
    result = await run(iteration(list(range(20)), error_handle_mode="continue-on-error"), limits=Limits(max_steps=10))

    assert (result.finished.status, result.finished.error_type) == ("failed", "MaxStepsReached")
    assert result.finished.total_steps == 10
    assert result.nodes("box")[0].status == "failed"


async def test_a_loop_of_empty_rounds_comes_to_the_limit_too():
    inner = (
        spec("inner", "loop", "box", start_node_id="deep", loop_count=100),
        spec("deep", "loop-start", "inner"),
    )

    result = await run(loop(*inner, lines=("begin > inner",), loop_count=100), limits=Limits(max_steps=300))

    assert (result.finished.status, result.finished.error_type) == ("failed", "MaxStepsReached")


async def test_a_parallel_iteration_in_another_runs_with_one_place_for_working_nodes():
    gates = Gates()
    children = (
        spec("inner", "iteration", "box", iterator_selector=["box", "item"], start_node_id="deep", is_parallel=True),
        spec("deep", "iteration-start", "inner"),
        spec("act", "probe-act", "inner", source=["inner", "item"]),
    )
    graph = iteration([["a", "b", "c"]] * 4, *children, lines=("begin > inner", "deep > act"), is_parallel=True)

    async with asyncio.timeout(10):
        result = await run(graph, gates=gates, limits=Limits(max_concurrency=1))

    assert result.finished.status == "succeeded"
    assert gates.most_running == 1
    assert len(result.nodes("act")) == 12


# ---------------------------------------------------------------- stopping


class Stuck:
    """A run whose children all wait for something that never comes."""

    def __init__(self, graph: Sequence[Any], limits: Limits | None = None) -> None:
        self.gates = Gates()
        self.journal = MemoryJournal()
        nodes, lines, values = graph
        self.run = Run(
            Graph.build(nodes, lines),
            pool_of(values),
            info=RunInfo(run_id="r"),
            ports={Gates: self.gates},
            journal=self.journal,
            limits=limits,
        )

    async def wait_until_running(self, count: int) -> None:
        await until(lambda: self.gates.running >= count)

    def statuses(self, node_id: str) -> set[str]:
        ends = [event for event in self.journal.events if isinstance(event, NodeFinished)]
        return {event.status for event in ends if event.node_id == node_id}


NEVER = [{"wait": "never", "give": 1}] * 3


@pytest.mark.parametrize("is_parallel", [False, True])
async def test_a_stop_reaches_every_round_within_a_second(is_parallel: bool):
    stuck = Stuck(iteration(NEVER, is_parallel=is_parallel))
    task = asyncio.create_task(stuck.run.execute())
    await stuck.wait_until_running(3 if is_parallel else 1)

    began = time.monotonic()
    stuck.run.stop("Stopped by Ada.")
    finished = await task

    assert time.monotonic() - began < 1
    assert (finished.status, finished.error) == ("stopped", "Stopped by Ada.")
    assert stuck.gates.running == 0
    assert stuck.statuses("act") == {"stopped"}
    assert stuck.statuses("box") == {"stopped"}
    containers = [event for event in stuck.journal.events if isinstance(event, ContainerFinished)]
    assert [event.status for event in containers] == ["stopped"]
    assert len([event for event in stuck.journal.events if isinstance(event, NodeStarted)]) == (5 if is_parallel else 3)


async def test_a_stop_reaches_the_rounds_of_a_container_in_a_container():
    children = (
        spec("inner", "loop", "box", start_node_id="deep"),
        spec("deep", "loop-start", "inner"),
        spec("act", "probe-act", "inner"),
    )
    stuck = Stuck(iteration(NEVER, *children, lines=("begin > inner", "deep > act"), is_parallel=True))
    task = asyncio.create_task(stuck.run.execute())
    await stuck.wait_until_running(3)

    began = time.monotonic()
    stuck.run.stop("Stopped.")
    finished = await task

    assert time.monotonic() - began < 1
    assert finished.status == "stopped"
    assert stuck.gates.running == 0


async def test_the_run_time_limit_ends_a_container_and_starts_no_further_round():
    stuck = Stuck(iteration(NEVER), Limits(max_seconds=0.05))

    finished = await stuck.run.execute()

    assert (finished.status, finished.error_type) == ("failed", "MaxTimeReached")
    assert stuck.gates.calls == {"box[0]/act": 1}


async def test_a_long_loop_of_nodes_that_never_wait_can_be_stopped():
    add = {"variable_selector": ["box", "n"], "input_type": "constant", "operation": "+=", "value": 1}
    children = (
        spec("inner", "loop", "box", start_node_id="deep", loop_count=100),
        spec("deep", "loop-start", "inner"),
        spec("add", "assigner", "inner", version="2", items=[add]),
    )
    variables = [{"label": "n", "var_type": "number", "value_type": "constant", "value": 0}]
    graph = loop(*children, lines=("begin > inner", "deep > add"), loop_count=100, loop_variables=variables)
    stuck = Stuck(graph, Limits(max_steps=1_000_000))

    asyncio.get_running_loop().call_soon(stuck.run.stop, "Stopped.")
    finished = await stuck.run.execute()

    assert finished.status == "stopped"
    assert finished.total_steps < 1000


async def test_nothing_is_told_after_the_end_of_a_run():
    gates = Gates()
    nodes = [node("s", "begin"), node("w", "work", wait_for="never")]
    journal = MemoryJournal()
    going = Run(
        Graph.build(nodes, edges("s > w")), pool_of(), info=RunInfo(run_id="r"), ports={Gates: gates}, journal=journal
    )
    task = asyncio.create_task(going.execute())
    await until(lambda: gates.running == 1)
    going.stop("Stopped.")
    await task
    count = len(journal.events)

    going.emit(TextDelta, node_id="w", text="late")

    assert len(journal.events) == count


# ---------------------------------------------------------------- pausing


async def test_a_round_that_waits_for_a_person_pauses_the_run_after_the_other_rounds():
    children = (
        spec("ask", "if-else", "box", cases=[
            {"case_id": "yes", "conditions": [
                {"variable_selector": ["box", "index"], "comparison_operator": "=", "value": "0"}]}]),
        spec("form", "probe-work", "box", pause=True),
        spec("act", "probe-act", "box"),
    )  # fmt: skip
    lines = ("begin > ask", "ask:yes > form", "ask:false > act")

    result = await run(iteration(["a", "b", "c"], *children, lines=lines, is_parallel=True))

    assert result.finished.status == "paused"
    (paused,) = [event for event in result.events if isinstance(event, RunPaused)]
    assert paused.paused_node_ids == ["form"]
    assert len(result.nodes("act")) == 2
    assert completed(result) == []


async def test_every_round_that_waits_is_told_when_the_run_pauses():
    graph = iteration(
        ["a", "b", "c"],
        spec("form", "probe-work", "box", pause=True),
        lines=("begin > form",),
        is_parallel=True,
        parallel_nums=2,
    )

    result = await run(graph)

    (paused,) = [event for event in result.events if isinstance(event, RunPaused)]
    assert paused.paused_node_ids == ["form", "form", "form"]
    assert len(paused.reasons) == 3


async def test_a_container_that_failed_and_was_forgiven_waits_for_nobody():
    cases = [
        {
            "case_id": "form",
            "conditions": [{"variable_selector": ["box", "item"], "comparison_operator": "is", "value": "form"}],
        }
    ]
    nodes = [
        spec("s", "probe-begin"),
        NodeSpec(
            id="box",
            type="iteration",
            data={"iterator_selector": ["s", "items"], "start_node_id": "begin", "is_parallel": True},
            error_strategy="fail-branch",
        ),
        spec("begin", "iteration-start", "box"),
        spec("ask", "if-else", "box", cases=cases),
        spec("form", "probe-work", "box", pause=True),
        spec("bad", "probe-work", "box", fail_times=1),
        spec("end", "end", outputs=[{"variable": "why", "value_selector": ["box", "error_message"]}]),
    ]
    lines = edges("s > box", "begin > ask", "ask:form > form", "ask:false > bad", "box:fail-branch > end")

    result = await run_graph(nodes, lines, {("s", "items"): ["form", "bad"]}, ports={Gates: Gates()})

    assert result.finished.status == "partial-succeeded"
    assert result.finished.outputs == {"why": "Attempt 1 failed."}


async def test_a_sequential_iteration_goes_no_further_than_the_round_that_waits():
    result = await run(iteration(["a", "b"], spec("form", "probe-work", "box", pause=True), lines=("begin > form",)))

    assert result.finished.status == "paused"
    assert [event.index for event in rounds(result)] == [0]


# ---------------------------------------------------------------- pools


def test_a_fork_sees_everything_and_shares_no_later_write():
    outer = VariablePool({"a": {"x": 1}})
    inner = outer.fork()

    inner.set(("a", "x"), 2)
    outer.set(("a", "y"), 3)
    outer.put("b", {"z": 4})

    assert (outer.find(("a", "x")), inner.find(("a", "x"))) == (1, 2)
    assert (bool(inner.find(("a", "y"))), bool(inner.find(("b", "z")))) == (False, False)


def test_two_forks_do_not_share_their_writes():
    outer = VariablePool({"a": {"x": 1}})
    left, right = outer.fork(), outer.fork()

    left.set(("a", "x"), "left")
    right.set(("a", "x"), "right")
    deep = left.fork()
    left.set(("a", "x"), "later")

    assert [pool.find(("a", "x")) for pool in (outer, left, right, deep)] == [1, "later", "right", "left"]


def test_writing_a_variable_leaves_the_outputs_that_were_put_as_they_were():
    pool = VariablePool()
    outputs: dict[str, Any] = {"x": 1}
    pool.put("a", outputs)

    pool.set(("a", "x"), 2)

    assert outputs == {"x": 1}


# ---------------------------------------------------------------- going on after a crash


def told(events: Sequence[Event]) -> list[tuple[str, str, int]]:
    """What was told, place by place, in an order that does not depend on time."""
    places: dict[str, str] = {}
    found: list[tuple[str, str, int]] = []
    for event in events:
        if isinstance(event, NodeStarted | NodeFinished):
            places[event.execution_id] = place_of(event.scope) + event.node_id
        if isinstance(event, NodeStarted | NodeFinished | ContainerStarted | ContainerAdvanced | ContainerFinished):
            index = event.index if isinstance(event, ContainerAdvanced) else -1
            found.append((type(event).__name__, places[event.execution_id], index))
    return sorted(found)


def with_work(*, is_parallel: bool) -> tuple[Any, ...]:
    """Two rounds of: a loop of two rounds over a node with an effect, then an answer."""
    children = (
        spec("inner", "loop", "box", start_node_id="deep", loop_count=2),
        spec("deep", "loop-start", "inner"),
        spec("work", "probe-work", "inner", text=["w"]),
        say("o", "{{#box.index#}}{{#inner.loop_round#}} "),
    )
    lines = ("begin > inner > o", "deep > work")
    return iteration(
        ["a", "b"], *children, lines=lines, output_selector=["inner", "loop_round"], is_parallel=is_parallel
    )


@pytest.mark.parametrize("is_parallel", [False, True])
async def test_a_run_cut_off_anywhere_in_its_containers_ends_as_if_it_had_not_been(is_parallel: bool):
    whole = await run(with_work(is_parallel=is_parallel))
    assert whole.finished.status == "succeeded"

    for cut in range(1, len(whole.events)):
        nodes, lines, values = with_work(is_parallel=is_parallel)
        gates, journal = Gates(), MemoryJournal()
        again = Run(
            Graph.build(nodes, lines),
            pool_of(values),
            info=RunInfo(run_id="run"),
            ports={Gates: gates},
            journal=journal,
            past=Past.going_on(whole.events[:cut]),
        )
        finished = await again.execute()

        log = [*whole.events[:cut], *journal.events]
        ended = {event.execution_id for event in whole.events[:cut] if isinstance(event, NodeFinished)}
        done = sum(event.node_id == "work" for event in whole.events[:cut] if isinstance(event, NodeFinished))
        assert (finished.status, finished.outputs) == ("succeeded", whole.finished.outputs), cut
        assert finished.answer == whole.finished.answer, cut
        assert [event.seq for event in log] == list(range(1, len(log) + 1)), cut
        assert told(log) == told(whole.events), cut
        assert gates.calls.get("work", 0) == 4 - done, cut
        assert not ended & {event.execution_id for event in journal.events if isinstance(event, NodeFinished)}, cut
        assert finished.total_steps == whole.finished.total_steps, cut
