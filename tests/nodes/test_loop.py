"""Loop, loop-start, loop-end (reference `workflow-dsl.md`, 5.17 and 6.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.probes import Gates
from nodes.rounds import begun, completed, loop, rounds, run, spec, until
from tidemill.engine.errors import GraphInvalid
from tidemill.engine.events import NodeFinished, NodeStarted
from tidemill.nodes.loop import Loop

COUNTER = [{"label": "num", "var_type": "number", "value_type": "constant", "value": "1"}]


def add(amount: int = 1, name: str = "add"):
    item = {"variable_selector": ["box", "num"], "input_type": "constant", "operation": "+=", "value": amount}
    return spec(name, "assigner", "box", version="2", items=[item])


def condition(operator: str, value: str, *selector: str) -> dict[str, Any]:
    return {"variable_selector": list(selector or ("box", "num")), "comparison_operator": operator, "value": value}


def counting(**config: Any) -> Any:
    """A loop that adds 1 to `num`, which begins at 1."""
    given: dict[str, Any] = {"loop_variables": COUNTER, **config}
    return loop(add(), lines=("begin > add",), outputs=("num", "loop_round"), **given)


async def test_without_conditions_it_runs_as_often_as_it_says():
    result = await run(counting(loop_count=4))

    assert result.finished.outputs == {"num": 5, "loop_round": 4}
    assert completed(result)[0].metadata["completed_reason"] == "loop_completed"


async def test_a_condition_that_holds_after_a_round_ends_it():
    result = await run(counting(loop_count=10, break_conditions=[condition("≥", "5")]))

    assert result.finished.outputs == {"num": 5, "loop_round": 4}
    assert completed(result)[0].metadata["completed_reason"] == "loop_break"
    assert result.nodes("box")[0].metadata["completed_reason"] == "loop_break"


async def test_a_condition_that_holds_before_the_first_round_ends_it_with_none():
    result = await run(counting(break_conditions=[condition("=", "1")]))

    assert result.finished.outputs == {"num": 1, "loop_round": 0}
    assert result.nodes("add") == []
    assert completed(result)[0].metadata["completed_reason"] == "loop_break"


@pytest.mark.parametrize(
    ("operator", "count"),
    [("and", 3), ("or", 1)],
)
async def test_conditions_are_joined_by_the_loops_operator(operator: str, count: int):
    conditions = [condition("≥", "2"), condition("≥", "99")]

    result = await run(counting(break_conditions=conditions, logical_operator=operator))

    assert result.finished.outputs["loop_round"] == count


async def test_errors_of_a_condition_are_ignored_before_a_round_and_fail_the_loop_after_one():
    result = await run(counting(break_conditions=[condition("=", "1", "nobody", "x")]))

    assert result.finished.status == "failed"
    assert "nobody.x" in (result.finished.error or "")
    assert len(result.nodes("add")) == 1
    assert (completed(result)[0].status, completed(result)[0].metadata["completed_reason"]) == ("failed", "error")


async def test_a_condition_may_look_at_what_a_child_gives():
    children = (add(), spec("copy", "probe-copy", "box", source=["box", "num"]))

    result = await run(
        loop(
            *children,
            lines=("begin > add > copy",),
            outputs=("loop_round",),
            loop_variables=COUNTER,
            loop_count=9,
            break_conditions=[condition("=", "3", "copy", "output")],
        )
    )

    assert result.finished.outputs == {"loop_round": 2}


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("string", "text", "text"),
        ("string", "5", "5"),
        ("string", None, ""),
        ("number", "7", 7),
        ("number", "1.5", 1.5),
        ("number", 3, 3),
        ("number", "", 0),
        ("boolean", True, True),
        ("boolean", "false", False),
        ("object", '{"a": [1]}', {"a": [1]}),
        ("object", {"a": 1}, {"a": 1}),
        ("object", "", {}),
        ("array[string]", '["x", "y"]', ["x", "y"]),
        ("array[number]", "[1, 2.5]", [1, 2.5]),
        ("array[object]", '[{"a": 1}]', [{"a": 1}]),
        ("array[boolean]", "[true]", [True]),
        ("array[string]", None, []),
        ("Array[String]", "[]", []),
    ],
)
async def test_a_constant_is_read_as_the_type_it_is_declared_with(kind: str, given: Any, value: Any):
    variables = [{"label": "v", "var_type": kind, "value_type": "constant", "value": given}]
    child = spec("copy", "probe-copy", "box", source=["box", "v"])

    result = await run(loop(child, lines=("begin > copy",), outputs=("v",), loop_variables=variables, loop_count=1))

    assert result.finished.outputs == {"v": value}
    assert result.nodes("copy")[0].outputs == {"output": value}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("number", "many"),
        ("number", "NaN"),
        ("number", '"5"'),
        ("boolean", "maybe"),
        ("object", "[1]"),
        ("object", "{broken"),
        ("array[number]", '["x"]'),
        ("array[string]", "text"),
    ],
)
async def test_a_constant_of_another_type_fails_and_names_variable_and_type(kind: str, given: str):
    variables = [{"label": "v", "var_type": kind, "value_type": "constant", "value": given}]

    result = await run(loop(add(), lines=("begin > add",), loop_variables=variables))

    assert result.finished.status == "failed"
    assert '"v"' in (result.finished.error or "")
    assert kind in (result.finished.error or "")
    assert result.nodes("add") == []


async def test_a_variable_begins_with_the_value_of_another():
    variables = [{"label": "num", "var_type": "number", "value_type": "variable", "value": ["s", "n"]}]

    result = await run(counting(loop_variables=variables, loop_count=1), values={("s", "n"): 40})

    assert result.finished.outputs["num"] == 41
    assert result.pool.find(("s", "n")) == 40


async def test_a_variable_that_takes_what_does_not_exist_fails():
    variables = [{"label": "num", "var_type": "number", "value_type": "variable", "value": ["s", "gone"]}]

    result = await run(counting(loop_variables=variables))

    assert (result.finished.status, result.finished.error_type) == ("failed", "VariableNotFoundError")


async def test_a_variable_that_takes_a_value_of_another_type_fails():
    variables = [{"label": "num", "var_type": "number", "value_type": "variable", "value": ["s", "n"]}]

    result = await run(counting(loop_variables=variables), values={("s", "n"): "many"})

    assert result.finished.status == "failed"
    assert "string" in (result.finished.error or "")
    assert "number" in (result.finished.error or "")


async def test_outputs_of_children_are_forgotten_before_each_round():
    """`once` runs only while num is 1; the aggregator of the second round finds nothing of it."""
    cases = [{"case_id": "yes", "conditions": [condition("=", "1")]}]
    children = (
        spec("ask", "if-else", "box", cases=cases),
        spec("once", "probe-copy", "box", value="from once"),
        add(),
        spec("found", "variable-aggregator", "box", variables=[["once", "output"], ["box", "num"]]),
    )
    lines = ("begin > ask", "ask:yes > once > found", "ask:false > found", "found > add")

    result = await run(loop(*children, lines=lines, loop_variables=COUNTER, loop_count=2))

    assert [event.outputs for event in result.nodes("found")] == [{"output": "from once"}, {"output": 2}]


async def test_loop_end_finishes_the_loop_after_its_round():
    result = await run(
        loop(
            add(),
            spec("exit", "loop-end", "box"),
            lines=("begin > add > exit",),
            outputs=("num", "loop_round"),
            loop_variables=COUNTER,
            loop_count=9,
        )
    )

    assert result.finished.outputs == {"num": 2, "loop_round": 1}
    assert completed(result)[0].metadata["completed_reason"] == "loop_break"


async def test_loop_end_lets_running_nodes_finish_and_starts_no_others():
    gates = Gates()
    children = (
        spec("slow", "probe-work", "box", wait_for="go"),
        spec("exit", "loop-end", "box"),
        spec("after", "probe-copy", "box", value=1),
    )
    graph = loop(*children, lines=("begin > slow > after", "begin > exit"), outputs=("loop_round",))
    task = asyncio.create_task(run(graph, gates=gates))
    await until(lambda: gates.running == 1)
    gates.open("go")

    result = await task

    assert result.finished.outputs == {"loop_round": 1}
    assert [event.status for event in result.nodes("slow")] == ["succeeded"]
    assert result.nodes("after") == []


async def test_loop_end_on_a_branch_not_taken_does_not_end_the_loop():
    cases = [{"case_id": "out", "conditions": [condition("≥", "3")]}]
    children = (add(), spec("ask", "if-else", "box", cases=cases), spec("exit", "loop-end", "box"))

    result = await run(
        loop(
            *children,
            lines=("begin > add > ask", "ask:out > exit"),
            outputs=("num", "loop_round"),
            loop_variables=COUNTER,
            loop_count=9,
        )
    )

    assert result.finished.outputs == {"num": 3, "loop_round": 2}


async def test_any_failing_child_fails_the_loop_whatever_its_error_mode():
    child = spec("work", "probe-work", "box", fail_times=1)

    result = await run(loop(child, lines=("begin > work",), error_handle_mode="continue-on-error"))

    assert (result.finished.status, result.finished.error) == ("failed", "Attempt 1 failed.")
    (end,) = completed(result)
    assert (end.status, end.error, end.metadata["completed_reason"]) == ("failed", "Attempt 1 failed.", "error")


async def test_next_is_told_only_before_the_second_round_and_later_ones():
    result = await run(counting(loop_count=3))

    assert [event.index for event in rounds(result)] == [1, 2]
    assert [event.previous_output for event in rounds(result)] == [{"num": 2}, {"num": 3}]


async def test_the_events_name_the_count_the_outputs_and_every_rounds_variables():
    result = await run(counting(loop_count=2))

    (start,), (end,) = begun(result), completed(result)
    assert (start.kind, start.length, start.inputs) == ("loop", 2, {"loop_count": 2})
    assert (end.status, end.outputs, end.steps) == ("succeeded", {"num": 3, "loop_round": 2}, 2)
    assert end.metadata["loop_variable_map"] == {"0": {"num": 2}, "1": {"num": 3}}
    assert set(end.metadata["loop_duration_map"]) == {"0", "1"}
    assert [event.scope.index for event in result.nodes("add") if event.scope] == [0, 1]


async def test_its_start_is_not_told_but_its_exit_is():
    result = await run(loop(spec("exit", "loop-end", "box"), lines=("begin > exit",)))

    told = {event.node_id for event in result.events if isinstance(event, (NodeStarted, NodeFinished))}
    assert "begin" not in told
    assert "exit" in told


@pytest.mark.parametrize("count", [0, 101])
def test_the_count_is_between_one_and_a_hundred(count: int):
    with pytest.raises(GraphInvalid, match="loop_count"):
        Loop.parse("box", {"loop_count": count, "start_node_id": "begin"})
