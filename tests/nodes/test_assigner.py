"""Writing conversation and loop variables (reference `workflow-dsl.md`, 5.14)."""

from typing import Any

import pytest

from tidemill.engine.errors import GraphInvalid, NodeFailed, VariableNotFound
from tidemill.engine.events import VariableAssigned
from tidemill.engine.node import REGISTRY
from tidemill.engine.testing import inspect_node, run_node
from tidemill.engine.values import ValueType
from tidemill.nodes.assigner import Assigner

ERROR = "error"
TARGET: tuple[str, ...] = ("conversation", "x")


def item(operation: str, value: Any = None, kind: str = "variable", target: tuple[str, ...] = TARGET) -> dict[str, Any]:
    return {"variable_selector": list(target), "input_type": kind, "operation": operation, "value": value}


async def after(items: list[dict[str, Any]], current: Any, declared: str, **values: Any) -> Any:
    _, seen = await inspect_node(
        Assigner,
        {"version": "2", "items": items},
        values={TARGET: current, **{("n", name): value for name, value in values.items()}},
        types={TARGET: ValueType(declared)},
    )
    return seen.pool.find(TARGET)


# operation, input type, declared type, current value, given value, new value
TABLE: list[tuple[str, str, str, Any, Any, Any]] = [
    ("over-write", "variable", "string", "a", "b", "b"),
    ("over-write", "variable", "string", "a", 5, ERROR),
    ("over-write", "variable", "number", 1, 2, 2),
    ("over-write", "variable", "number", 1, 2.5, 2.5),
    ("over-write", "variable", "integer", 1, 2.5, 2.5),
    ("over-write", "variable", "number", 1, True, 1),
    ("over-write", "variable", "number", 1, "2", ERROR),
    ("over-write", "variable", "boolean", True, False, False),
    ("over-write", "variable", "boolean", True, 1, ERROR),
    ("over-write", "variable", "object", {}, {"a": 1}, {"a": 1}),
    ("over-write", "variable", "object", {}, [], ERROR),
    ("over-write", "variable", "array[string]", ["a"], ["b"], ["b"]),
    ("over-write", "variable", "array[string]", ["a"], [], []),
    ("over-write", "variable", "array[string]", ["a"], [1], ERROR),
    ("over-write", "variable", "array[any]", ["a"], [1, "b"], [1, "b"]),
    ("over-write", "constant", "string", "a", "b", "b"),
    ("over-write", "constant", "number", 1, 2, 2),
    ("over-write", "constant", "boolean", True, False, False),
    ("over-write", "constant", "object", {}, {"a": 1}, {"a": 1}),
    ("over-write", "constant", "array[string]", ["a"], ["b"], ERROR),
    ("set", "constant", "string", "a", "b", "b"),
    ("set", "constant", "number", 1, 2.5, 2.5),
    ("set", "constant", "boolean", False, True, True),
    ("set", "constant", "boolean", False, 1, ERROR),
    ("set", "constant", "object", {}, '{"a": [1]}', {"a": [1]}),
    ("set", "constant", "object", {}, "{", ERROR),
    ("set", "constant", "object", {}, "[1]", ERROR),
    ("set", "constant", "string", "a", None, ERROR),
    ("set", "constant", "string", "a", 5, ERROR),
    ("set", "constant", "array[string]", [], ["a"], ERROR),
    ("set", "variable", "string", "a", "b", ERROR),
    ("append", "variable", "array[string]", ["a"], "b", ["a", "b"]),
    ("append", "variable", "array[string]", ["a"], 1, ERROR),
    ("append", "variable", "array[number]", [1], 2.5, [1, 2.5]),
    ("append", "variable", "array[number]", [1], "2", ERROR),
    ("append", "variable", "array[object]", [], {"a": 1}, [{"a": 1}]),
    ("append", "variable", "array[boolean]", [True], False, [True, False]),
    ("append", "variable", "array[any]", [], "a", ["a"]),
    ("append", "variable", "array[any]", [], {"a": 1}, [{"a": 1}]),
    ("append", "variable", "array[any]", [], ["a"], ERROR),
    ("append", "variable", "string", "a", "b", ERROR),
    ("append", "constant", "array[string]", ["a"], "b", ERROR),
    ("extend", "variable", "array[string]", ["a"], ["b", "c"], ["a", "b", "c"]),
    ("extend", "variable", "array[string]", ["a"], [], ["a"]),
    ("extend", "variable", "array[string]", ["a"], [1], ERROR),
    ("extend", "variable", "array[string]", ["a"], "b", ERROR),
    ("extend", "constant", "array[string]", ["a"], ["b"], ERROR),
    ("extend", "variable", "number", 1, [2], ERROR),
    ("+=", "constant", "number", 1, 2, 3),
    ("+=", "constant", "number", 1, 0.5, 1.5),
    ("+=", "variable", "number", 1, 2, 3),
    ("+=", "constant", "number", 1, True, 2),
    ("+=", "constant", "number", 1, "2", ERROR),
    ("+=", "constant", "string", "a", "b", ERROR),
    ("-=", "constant", "number", 5, 2, 3),
    ("*=", "constant", "number", 5, 2, 10),
    ("/=", "constant", "number", 6, 2, 3.0),
    ("/=", "constant", "number", 6, 0, ERROR),
    ("*=", "constant", "number", 1e308, 10, ERROR),
    ("/=", "constant", "number", 10**400, 3, ERROR),
]


@pytest.mark.parametrize(("operation", "kind", "declared", "current", "given", "result"), TABLE)
async def test_operation_follows_the_table(
    operation: str, kind: str, declared: str, current: Any, given: Any, result: Any
):
    change = item(operation, ["n", "v"] if kind == "variable" else given, kind)
    if result is ERROR:
        with pytest.raises(NodeFailed) as failure:
            await after([change], current, declared, v=given)
        assert failure.value.is_retryable is False
    else:
        value = await after([change], current, declared, v=given)
        assert value == result
        assert type(value) is type(result)


@pytest.mark.parametrize(
    ("declared", "current", "zero"),
    [
        ("string", "a", ""),
        ("number", 5, 0),
        ("boolean", True, False),
        ("object", {"a": 1}, {}),
        ("array[string]", ["a"], []),
        ("array[object]", [{}], []),
    ],
)
async def test_clear_writes_the_zero_value(declared: str, current: Any, zero: Any):
    assert await after([item("clear")], current, declared) == zero


@pytest.mark.parametrize(
    ("operation", "current", "result"),
    [
        ("remove-first", ["a", "b"], ["b"]),
        ("remove-last", ["a", "b"], ["a"]),
        ("remove-first", [], []),
        ("remove-last", [], []),
    ],
)
async def test_removing_from_an_empty_list_leaves_it_empty(operation: str, current: Any, result: Any):
    assert await after([item(operation)], current, "array[string]") == result


async def test_removing_from_a_string_fails():
    with pytest.raises(NodeFailed, match="Operation remove-first is not supported for type string"):
        await after([item("remove-first")], "a", "string")


@pytest.mark.parametrize(
    ("change", "declared", "message"),
    [
        (item("append", ["n", "v"]), "number", "Operation append is not supported for type number"),
        (item("set", ["n", "v"]), "number", "Input type variable is not supported"),
        (item("append", 1, "constant"), "array[number]", "Input type constant is not supported"),
        (item("over-write", "x", "constant"), "number", 'Invalid input value "x"'),
        (item("over-write", "x"), "number", 'Invalid input value "x"'),
    ],
)
async def test_errors_say_what_is_wrong(change: dict[str, Any], declared: str, message: str):
    with pytest.raises(NodeFailed, match=message):
        await after([change], [] if "array" in declared else 1, declared, v=1)


async def test_later_items_see_earlier_writes():
    items = [item("+=", 1, "constant"), item("*=", ["conversation", "x"])]

    assert await after(items, 2, "number") == 9


async def test_one_error_leaves_everything_as_it_was():
    config = {"items": [item("+=", 1, "constant"), item("/=", 0, "constant")]}
    with pytest.raises(NodeFailed, match="divided by 0"):
        await run_node(Assigner, config, values={TARGET: 1}, types={TARGET: ValueType.NUMBER})

    values = {TARGET: 1, ("conversation", "y"): "a"}
    items = [item("+=", 1, "constant"), item("+=", 1, "constant", ("conversation", "y"))]
    with pytest.raises(NodeFailed) as failure:
        await inspect_node(Assigner, {"items": items}, values=values)
    assert "not supported for type string" in str(failure.value)


async def test_a_source_that_is_null_is_skipped():
    items = [item("over-write", ["n", "v"]), item("append", ["n", "v"])]

    assert await after(items, ["a"], "array[string]", v=None) == ["a"]


async def test_a_missing_source_fails():
    with pytest.raises(VariableNotFound, match=r"#n\.gone#"):
        await after([item("over-write", ["n", "gone"])], "a", "string")


async def test_a_missing_target_fails():
    with pytest.raises(VariableNotFound, match=r"#conversation\.gone#"):
        await after([item("clear", target=("conversation", "gone"))], "a", "string")


@pytest.mark.parametrize("namespace", ["sys", "env"])
async def test_system_and_environment_variables_are_read_only(namespace: str):
    with pytest.raises(NodeFailed, match="read-only"):
        await run_node(Assigner, {"items": [item("clear", target=(namespace, "q"))]}, values={(namespace, "q"): "a"})


async def test_a_loop_variable_is_written_without_an_event():
    target = ("loop1", "n")
    _, seen = await inspect_node(
        Assigner,
        {"items": [item("+=", 1, "constant", target)]},
        values={target: 1},
        types={target: ValueType.NUMBER},
    )

    assert seen.pool.find(target) == 2
    assert seen.events == []


async def test_a_conversation_variable_is_announced_once_with_its_last_value():
    _, seen = await inspect_node(
        Assigner, {"items": [item("+=", 1, "constant"), item("+=", 1, "constant")]}, values={TARGET: 1}
    )

    (event,) = seen.events
    assert isinstance(event, VariableAssigned)
    assert (event.selector, event.value) == (TARGET, 3)
    assert seen.process["updated_variables"] == [{"name": "x", "selector": list(TARGET), "new_value": 3}]


async def test_writing_a_list_does_not_change_the_list_it_came_from():
    source = ["b"]
    _, seen = await inspect_node(
        Assigner,
        {"items": [item("over-write", ["n", "v"]), item("append", ["n", "w"])]},
        values={TARGET: ["a"], ("n", "v"): source, ("n", "w"): "c"},
        types={TARGET: ValueType.ARRAY_STRING},
    )

    assert seen.pool.find(TARGET) == ["b", "c"]
    assert source == ["b"]


# ---------------------------------------------------------------- version 1


def old(mode: str, source: tuple[str, ...] = ("n", "v")) -> dict[str, Any]:
    return {
        "assigned_variable_selector": list(TARGET),
        "write_mode": mode,
        "input_variable_selector": list(source),
    }


@pytest.mark.parametrize(
    ("mode", "declared", "current", "given", "result"),
    [
        ("over-write", "string", "a", "b", "b"),
        ("over-write", "number", 1, 2, 2),
        ("over-write", "string", "a", 2, ERROR),
        ("append", "array[string]", ["a"], "b", ["a", "b"]),
        ("append", "array[string]", ["a"], 1, ERROR),
        ("append", "string", "a", "b", ERROR),
        ("clear", "array[string]", ["a"], "b", []),
        ("clear", "string", "a", "b", ""),
    ],
)
async def test_version_1_writes_one_variable(mode: str, declared: str, current: Any, given: Any, result: Any):
    values = {TARGET: current, ("n", "v"): given}
    types: dict[tuple[str, ...], ValueType] = {TARGET: ValueType(declared)}
    if result is ERROR:
        with pytest.raises(NodeFailed):
            await run_node(Assigner, old(mode), values=values, types=types)
    else:
        _, seen = await inspect_node(Assigner, old(mode), values=values, types=types)
        assert seen.pool.find(TARGET) == result


async def test_version_1_fails_without_its_input():
    with pytest.raises(VariableNotFound):
        await run_node(Assigner, old("over-write", ("n", "gone")), values={TARGET: "a"})


@pytest.mark.parametrize("config", [{"version": "2", "items": []}, {"version": "2"}, {"items": [], **old("clear")}])
async def test_nothing_to_do_succeeds(config: dict[str, Any]):
    output, seen = await inspect_node(Assigner, config, values={TARGET: "a"})

    assert output == {}
    assert seen.pool.find(TARGET) == "a"


def test_both_versions_are_one_class_and_say_what_they_touch():
    node = Assigner.parse("n", {"items": [item("over-write", ["n", "v"]), item("clear")]})

    assert REGISTRY["assigner", "1"] is REGISTRY["assigner", "2"] is Assigner
    assert node.reads() == (("n", "v"),)
    assert node.writes() == (TARGET, TARGET)
    assert Assigner.parse("n", old("append")).writes() == (TARGET,)


def test_an_unknown_operation_is_refused_when_the_file_is_read():
    with pytest.raises(GraphInvalid, match="operation"):
        Assigner.parse("n", {"items": [item("double")]})
