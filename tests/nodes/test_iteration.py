"""Iteration (reference `workflow-dsl.md`, 5.16 and 6.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.probes import Gates
from nodes.rounds import begun, completed, iteration, rounds, run, spec, until
from tidemill.engine.events import NodeFinished, NodeStarted, VariableAssigned
from tidemill.engine.testing import Result
from tidemill.engine.values import ValueType

both_ways = pytest.mark.parametrize("is_parallel", [False, True], ids=["sequential", "parallel"])


def statuses(result: Result, node_id: str) -> list[str]:
    return [event.status for event in result.nodes(node_id)]


@both_ways
async def test_every_item_has_its_round_and_results_keep_the_order(is_parallel: bool):
    result = await run(iteration(["a", "b", "c"], is_parallel=is_parallel))

    assert result.finished.status == "succeeded"
    assert result.finished.outputs == {"out": ["a", "b", "c"]}


async def test_a_round_knows_its_item_and_its_index_from_zero():
    children = (spec("i", "probe-copy", "box", source=["box", "index"]), spec("act", "probe-act", "box"))

    result = await run(iteration(["a", "b"], *children, lines=("begin > i > act",), output_selector=["i", "output"]))

    assert result.finished.outputs == {"out": [0, 1]}


async def test_an_attribute_of_an_object_item_can_be_the_result():
    config = {"output_selector": ["box", "item", "name"]}

    result = await run(iteration([{"name": "x", "give": 1}, {"name": "y", "give": 2}], **config))

    assert result.finished.outputs == {"out": ["x", "y"]}


async def test_parallel_results_keep_the_order_of_the_items_whichever_ends_first():
    gates = Gates()
    items = [{"wait": "late", "give": 1}, {"wait": "soon", "give": 2}]
    task = asyncio.create_task(run(iteration(items, is_parallel=True), gates=gates))
    gates.open("soon")
    await until(lambda: gates.running == 1 and "box[1]/act" in gates.calls)
    gates.open("late")

    result = await task

    assert result.finished.outputs == {"out": [1, 2]}
    ended = [event.scope.index for event in result.nodes("act") if event.scope]
    assert ended == [1, 0]


@pytest.mark.parametrize(("given", "most"), [({"parallel_nums": 2}, 2), ({}, 10), ({"is_parallel": False}, 1)])
async def test_no_more_rounds_run_at_a_time_than_the_node_says(given: dict[str, Any], most: int):
    gates = Gates()
    config: dict[str, Any] = {"is_parallel": True, **given}
    items = [{"wait": "go", "give": number} for number in range(12)]
    task = asyncio.create_task(run(iteration(items, **config), gates=gates))
    await until(lambda: gates.running >= most)
    gates.open("go")

    result = await task

    assert gates.most_running == most
    assert result.finished.outputs == {"out": list(range(12))}


async def test_parallel_rounds_start_in_the_order_of_the_items():
    result = await run(iteration(list("abcdef"), is_parallel=True, parallel_nums=3))

    assert [event.index for event in rounds(result)] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("nothing", [None, []])
async def test_an_empty_list_or_none_succeeds_with_no_rounds(nothing: Any):
    result = await run(iteration(nothing))

    assert result.finished.status == "succeeded"
    assert result.finished.outputs == {"out": []}
    assert rounds(result) == []
    assert statuses(result, "act") == []


async def test_a_list_that_does_not_exist_fails_and_is_named():
    result = await run(iteration(["a"], iterator_selector=["s", "gone"]))

    assert (result.finished.status, result.finished.error_type) == ("failed", "IteratorVariableNotFoundError")
    assert '"s.gone"' in (result.finished.error or "")


@pytest.mark.parametrize("value", ["abc", 3, {"a": 1}, True])
async def test_what_is_no_list_fails_and_its_type_is_named(value: Any):
    result = await run(iteration(value))

    assert (result.finished.status, result.finished.error_type) == ("failed", "InvalidIteratorValueError")
    assert "is not a list" in (result.finished.error or "")


@both_ways
async def test_a_round_without_the_result_gives_null(is_parallel: bool):
    result = await run(iteration([{"give": 1}, {"nothing": True}, {"give": 3}], is_parallel=is_parallel))

    assert result.finished.outputs == {"out": [1, None, 3]}


FAILING = [{"give": 1}, {"fail": "Second broke."}, {"give": 3}]


async def test_terminated_fails_with_the_childs_error_and_starts_no_further_round():
    result = await run(iteration(FAILING))

    assert (result.finished.status, result.finished.error) == ("failed", "Second broke.")
    assert result.finished.error_type == "ActFailed"
    assert statuses(result, "act") == ["succeeded", "failed"]
    assert statuses(result, "box") == ["failed"]
    assert [event.status for event in completed(result)] == ["failed"]
    assert completed(result)[0].error == "Second broke."


async def test_terminated_waits_for_the_rounds_that_run_and_tells_the_first_error():
    gates = Gates()
    items = [{"wait": "later", "give": 1}, {"fail": "First error."}, {"wait": "later", "fail": "Second error."}]
    task = asyncio.create_task(run(iteration([*items, {"give": 4}], is_parallel=True, parallel_nums=3), gates=gates))
    await until(lambda: gates.running == 2 and len(gates.calls) == 3)
    gates.open("later")

    result = await task

    assert (result.finished.status, result.finished.error) == ("failed", "First error.")
    assert sorted(statuses(result, "act")) == ["failed", "failed", "succeeded"]
    assert len(rounds(result)) == 3


@both_ways
async def test_continue_on_error_leaves_null_in_the_place_of_a_failed_round(is_parallel: bool):
    result = await run(iteration(FAILING, is_parallel=is_parallel, error_handle_mode="continue-on-error"))

    assert result.finished.status == "succeeded"
    assert result.finished.outputs == {"out": [1, None, 3]}


@both_ways
async def test_remove_abnormal_output_leaves_failed_rounds_out(is_parallel: bool):
    result = await run(iteration(FAILING, is_parallel=is_parallel, error_handle_mode="remove-abnormal-output"))

    assert result.finished.status == "succeeded"
    assert result.finished.outputs == {"out": [1, 3]}


LISTS = [{"give": [1, 2]}, {"give": [[3]]}, {"give": []}]


async def test_lists_are_joined_by_one_level_unless_told_otherwise():
    assert (await run(iteration(LISTS))).finished.outputs == {"out": [1, 2, [3]]}
    assert (await run(iteration(LISTS, flatten_output=True))).finished.outputs == {"out": [1, 2, [3]]}


async def test_lists_of_lists_stay_when_flattening_is_off():
    assert (await run(iteration(LISTS, flatten_output=False))).finished.outputs == {"out": [[1, 2], [[3]], []]}


async def test_joining_skips_nulls():
    config = {"error_handle_mode": "continue-on-error"}

    result = await run(iteration([{"give": [1]}, {"fail": "no"}, {"give": [2]}], **config))

    assert result.finished.outputs == {"out": [1, 2]}


async def test_a_mix_of_lists_and_others_is_not_joined():
    result = await run(iteration([{"give": [1]}, {"give": "x"}, {"nothing": True}]))

    assert result.finished.outputs == {"out": [[1], "x", None]}


async def test_nothing_but_nulls_is_kept():
    assert (await run(iteration([{"nothing": True}] * 2))).finished.outputs == {"out": [None, None]}


@both_ways
async def test_outputs_of_a_round_stay_in_that_round(is_parallel: bool):
    """The second round does not see what the first one made, nor does the outer graph."""
    children = (
        spec("act", "probe-act", "box"),
        spec("first", "variable-aggregator", "box", variables=[["act", "output"], ["box", "index"]]),
    )
    items = [{"give": "mine"}, {"nothing": True}]

    result = await run(
        iteration(
            items,
            *children,
            lines=("begin > act > first",),
            output_selector=["first", "output"],
            is_parallel=is_parallel,
        )
    )

    assert result.finished.outputs == {"out": ["mine", 1]}
    assert not result.pool.find(("act", "output"))


def noting(**config: Any) -> Any:
    """An iteration that writes each item into a conversation variable."""
    children = (
        spec("seen", "probe-copy", "box", source=["conversation", "last"]),
        spec(
            "note",
            "assigner",
            "box",
            items=[
                {
                    "variable_selector": ["conversation", "last"],
                    "input_type": "variable",
                    "operation": "over-write",
                    "value": ["box", "item"],
                }
            ],
        ),
        spec("act", "probe-act", "box"),
    )
    return iteration(
        ["a", "b"], *children, lines=("begin > seen > note > act",), output_selector=["seen", "output"], **config
    )


CONVERSATION: Any = {
    "values": {("conversation", "last"): "none"},
    "types": {("conversation", "last"): ValueType.STRING},
}


async def test_a_conversation_variable_written_in_a_round_is_seen_by_the_next_and_after_the_iteration():
    result = await run(noting(), **CONVERSATION)

    assert result.finished.outputs == {"out": ["none", "a"]}
    assert result.pool.find(("conversation", "last")) == "b"
    assert [event.value for event in result.events if isinstance(event, VariableAssigned)] == ["a", "b"]


async def test_of_parallel_rounds_the_one_that_finishes_last_wins():
    gates = Gates()
    children = (
        spec("act", "probe-act", "box"),
        spec(
            "note",
            "assigner",
            "box",
            items=[
                {
                    "variable_selector": ["conversation", "last"],
                    "input_type": "variable",
                    "operation": "over-write",
                    "value": ["act", "output"],
                }
            ],
        ),
    )
    items = [{"wait": "late", "give": "slow"}, {"give": "fast"}]
    graph = iteration(items, *children, lines=("begin > act > note",), is_parallel=True)
    task = asyncio.create_task(run(graph, gates=gates, **CONVERSATION))
    await until(lambda: gates.running == 1 and len(gates.calls) == 2)
    gates.open("late")

    result = await task

    assert result.pool.find(("conversation", "last")) == "slow"


async def test_the_start_of_a_round_is_not_told_and_its_first_child_follows_it():
    result = await run(iteration(["a"]))

    assert "begin" not in {event.node_id for event in result.events if isinstance(event, (NodeStarted, NodeFinished))}
    (child,) = [event for event in result.events if isinstance(event, NodeStarted) and event.node_id == "act"]
    assert child.predecessor_id == "begin"
    assert child.scope is not None
    assert (child.scope.kind, child.scope.node_id, child.scope.index) == (
        "iteration",
        "box",
        0,
    )


async def test_events_come_as_started_next_for_every_round_and_completed():
    result = await run(iteration(["a", "b"]))

    names = [(type(event).__name__, getattr(event, "node_id", "")) for event in result.events]
    assert names[3:13] == [
        ("NodeStarted", "box"),
        ("ContainerStarted", "box"),
        ("ContainerAdvanced", "box"),
        ("NodeStarted", "act"),
        ("NodeFinished", "act"),
        ("ContainerAdvanced", "box"),
        ("NodeStarted", "act"),
        ("NodeFinished", "act"),
        ("ContainerFinished", "box"),
        ("TextDelta", "box"),
    ]
    assert names[13] == ("NodeFinished", "box")
    assert [event.index for event in rounds(result)] == [0, 1]


async def test_the_events_name_the_node_its_list_and_what_came_of_it():
    result = await run(iteration(["a", "b"]))

    (start,), (end,) = begun(result), completed(result)
    execution = next(event for event in result.events if isinstance(event, NodeStarted) and event.node_id == "box")
    assert {start.execution_id, end.execution_id} == {execution.execution_id}
    assert (start.kind, start.node_type, start.title, start.length) == ("iteration", "iteration", "box", 2)
    assert start.inputs == end.inputs == {"iterator_selector": ["a", "b"]}
    assert (end.status, end.outputs, end.steps) == ("succeeded", {"output": ["a", "b"]}, 2)
    assert set(end.metadata["iteration_duration_map"]) == {"0", "1"}
    assert result.nodes("box")[0].inputs == {"iterator_selector": ["a", "b"]}


@both_ways
async def test_steps_are_those_of_the_children_even_in_parallel(is_parallel: bool):
    result = await run(iteration(["a", "b", "c"], is_parallel=is_parallel))

    assert completed(result)[0].steps == 3
    assert result.finished.total_steps == 6
