"""Every operator of the reference's table (`workflow-dsl.md`, 5.7), with its type errors."""

from typing import Any

import pytest

from tidemill.engine.errors import GraphInvalid, NodeFailed, VariableNotFound
from tidemill.engine.testing import inspect_node, run_node
from tidemill.engine.values import File
from tidemill.nodes.if_else import IfElse

ERROR = "error"


def case(operator: str, value: Any = "", *, selector: tuple[str, ...] = ("n", "x"), **more: Any) -> dict[str, Any]:
    condition = {"variable_selector": list(selector), "comparison_operator": operator, "value": value, **more}
    return {"cases": [{"case_id": "yes", "logical_operator": "and", "conditions": [condition]}]}


async def holds(operator: str, actual: Any, expected: Any = "", **more: Any) -> bool:
    output, seen = await inspect_node(IfElse, case(operator, expected, **more), values={("n", "x"): actual})
    assert seen.handle == ("yes" if output["result"] else "false")
    assert output["selected_case_id"] == seen.handle
    return bool(output["result"])


# operator, actual, expected, result
TABLE: list[tuple[str, Any, Any, Any]] = [
    ("contains", "", "a", False),
    ("contains", None, "a", False),
    ("contains", [], "a", False),
    ("contains", 0, "a", False),
    ("contains", "banana", "nan", True),
    ("contains", "banana", "x", False),
    ("contains", ["1", "2"], "1", True),
    ("contains", [1, 2], "1", False),
    ("contains", [True, False], "true", True),
    ("contains", [True], "0", False),
    ("contains", 5, "5", ERROR),
    ("contains", {"a": 1}, "a", ERROR),
    ("not contains", "", "a", True),
    ("not contains", [], "a", True),
    ("not contains", "banana", "nan", False),
    ("not contains", [1, 2], "1", True),
    ("not contains", 5, "5", ERROR),
    ("start with", "", "a", False),
    ("start with", "banana", "ba", True),
    ("start with", "banana", "na", False),
    ("start with", 5, "5", ERROR),
    ("start with", "banana", ["ba"], ERROR),
    ("end with", "", "a", False),
    ("end with", "banana", "na", True),
    ("end with", "banana", "ba", False),
    ("end with", ["a"], "a", ERROR),
    ("is", None, "", False),
    ("is", "a", "a", True),
    ("is", "a", "b", False),
    ("is", "", "", True),
    ("is", True, "true", True),
    ("is", False, "0", True),
    ("is", True, False, False),
    ("is", True, "True", ERROR),
    ("is", 1, "1", ERROR),
    ("is", ["a"], "a", ERROR),
    ("is not", None, "x", False),
    ("is not", "a", "b", True),
    ("is not", "a", "a", False),
    ("is not", True, "false", True),
    ("is not", {"a": 1}, "a", ERROR),
    ("empty", "", "", True),
    ("empty", [], "", True),
    ("empty", {}, "", True),
    ("empty", 0, "", True),
    ("empty", False, "", True),
    ("empty", None, "", True),
    ("empty", "x", "", False),
    ("not empty", "x", "", True),
    ("not empty", 0, "", False),
    ("not empty", [0], "", True),
    ("=", None, "0", False),
    ("=", 3, "3", True),
    ("=", 3, "4", False),
    ("=", 3, "1.5", ERROR),
    ("=", 3, "", ERROR),
    ("=", 1.5, "1.5", True),
    ("=", 1.5, "x", ERROR),
    ("=", True, "true", True),
    ("=", True, "false", False),
    ("=", "3", "3", ERROR),
    ("=", [3], "3", ERROR),
    ("≠", None, "0", False),
    ("≠", 3, "4", True),
    ("≠", 3, "3", False),
    ("≠", "3", "4", ERROR),
    (">", None, "0", False),
    (">", 3, "2.5", True),
    (">", 3, "3", False),
    (">", 3, "x", ERROR),
    (">", "3", "2", ERROR),
    ("<", 2, "2.5", True),
    ("<", 3, "3", False),
    ("<", None, "3", False),
    ("≥", 3, "3", True),
    ("≥", 2.9, "3", False),
    ("≥", None, "0", False),
    ("≤", 3, "3", True),
    ("≤", 3.1, "3", False),
    ("≤", ["a"], "3", ERROR),
    ("null", None, "", True),
    ("null", "", "", False),
    ("not null", None, "", False),
    ("not null", 0, "", True),
    ("exists", None, "", False),
    ("exists", "", "", True),
    ("not exists", None, "", True),
    ("not exists", "", "", False),
    ("in", "", ["a"], False),
    ("in", "a", ["a", "b"], True),
    ("in", "c", ["a", "b"], False),
    ("in", "a", "abc", ERROR),
    ("not in", "", ["a"], True),
    ("not in", "a", ["a"], False),
    ("not in", "c", ["a"], True),
    ("not in", "a", "abc", ERROR),
    ("all of", [], ["a"], False),
    ("all of", ["a", "b", "c"], ["a", "b"], True),
    ("all of", ["a"], ["a", "b"], False),
    ("all of", "banana", ["ba", "na"], True),
    ("all of", ["a"], "a", ERROR),
    ("all of", ["a"], ["a", 1], ERROR),
    ("all of", 5, ["a"], ERROR),
    # Spellings of older files.
    ("is null", None, "", True),
    ("is not null", 1, "", True),
    ("is empty", "", "", True),
    ("is not empty", "x", "", True),
    (">=", 3, "3", True),
    ("<=", 3, "3", True),
    ("!=", 3, "4", True),
]


@pytest.mark.parametrize(("operator", "actual", "expected", "result"), TABLE)
async def test_operator_follows_the_table(operator: str, actual: Any, expected: Any, result: Any):
    if result is ERROR:
        with pytest.raises(NodeFailed) as failure:
            await holds(operator, actual, expected)
        assert failure.value.is_retryable is False
    else:
        assert await holds(operator, actual, expected) is result


@pytest.mark.parametrize("operator", ["empty", "exists", "not exists", "null", "is", "contains"])
async def test_a_missing_variable_fails_the_node_for_every_operator(operator: str):
    with pytest.raises(VariableNotFound, match=r"#n\.gone# not found"):
        await run_node(IfElse, case(operator, "a", selector=("n", "gone")), values={("n", "x"): 1})


async def test_the_expected_value_may_be_a_template():
    config = case("is", "{{#m.name#}}!")

    assert (await run_node(IfElse, config, values={("n", "x"): "Ada!", ("m", "name"): "Ada"}))["result"] is True


async def test_the_first_case_that_holds_wins():
    def one(case_id: str, value: str) -> dict[str, Any]:
        condition = {"variable_selector": ["n", "x"], "comparison_operator": "contains", "value": value}
        return {"case_id": case_id, "conditions": [condition]}

    config = {"cases": [one("1", "z"), one("2", "a"), one("3", "a")]}
    output, seen = await inspect_node(IfElse, config, values={("n", "x"): "abc"})

    assert output == {"result": True, "selected_case_id": "2"}
    assert seen.handle == "2"
    assert [step["final_result"] for step in seen.process["condition_results"]] == [False, True]


@pytest.mark.parametrize(("logic", "expected"), [("and", "both"), ("or", "false")])
async def test_a_case_without_conditions_holds_for_and_only(logic: str, expected: str):
    config = {"cases": [{"case_id": "both", "logical_operator": logic, "conditions": []}]}

    assert (await run_node(IfElse, config))["selected_case_id"] == expected


@pytest.mark.parametrize(("logic", "result"), [("and", False), ("or", True)])
async def test_conditions_stop_at_the_first_that_decides(logic: str, result: bool):
    first = "is" if logic == "or" else "is not"
    conditions = [
        {"variable_selector": ["n", "x"], "comparison_operator": first, "value": "a"},
        {"variable_selector": ["n", "gone"], "comparison_operator": "is", "value": "a"},
    ]
    config = {"cases": [{"case_id": "t", "logical_operator": logic, "conditions": conditions}]}

    assert (await run_node(IfElse, config, values={("n", "x"): "a"}))["result"] is result


async def test_the_flat_form_of_old_files_is_one_case_named_true():
    config = {
        "logical_operator": "or",
        "conditions": [{"id": "1", "variable_selector": ["n", "x"], "comparison_operator": "is", "value": "a"}],
    }
    output, seen = await inspect_node(IfElse, config, values={("n", "x"): "a"})

    assert seen.handle == "true"
    assert output == {"result": True, "selected_case_id": "true"}


def test_handles_are_the_case_ids_and_false():
    node = IfElse.parse("n", {"cases": [{"case_id": "a"}, {"id": "b", "conditions": None}]})

    assert node.handles() == ("a", "b", "false")


def test_it_reads_what_its_conditions_look_at():
    assert IfElse.parse("n", case("is", "a")).reads() == (("n", "x"),)


def test_an_unknown_operator_is_refused_when_the_file_is_read():
    with pytest.raises(GraphInvalid, match="IF/ELSE"):
        IfElse.parse("n", case("resembles"))


# ---------------------------------------------------------------- lists of files


def file(name: str, *, kind: Any = "image", size: int = 10) -> File:
    return File(
        type=kind,
        transfer_method="remote_url",
        remote_url=f"https://a.example/{name}",
        filename=name,
        extension="." + name.rpartition(".")[2],
        mime_type="image/png",
        size_bytes=size,
    )


FILES = [file("a.png"), file("b.pdf", kind="document", size=2000)]

# key, operator, value, result
FILE_TABLE: list[tuple[str, str, Any, bool]] = [
    ("extension", "is", "png", True),
    ("extension", "is", ".pdf", True),
    ("extension", "is", "doc", False),
    ("extension", "is not", "doc", True),
    ("extension", "is not", "png", False),
    ("extension", "in", ["doc", "pdf"], True),
    ("type", "in", ["image", "video"], True),
    ("type", "not in", ["image", "video"], False),
    ("type", "not in", ["audio"], True),
    ("size", ">", "1000", True),
    ("size", "<", "5", False),
    ("size", "≤", "10", True),
    ("name", "contains", "b.", True),
    ("name", "not contains", "b.", False),
    ("name", "start with", "a", True),
    ("url", "contains", "a.example", True),
    ("mime_type", "is", "image/png", True),
    ("transfer_method", "is", "remote_url", True),
    ("related_id", "exists", "", False),
    ("related_id", "not exists", "", True),
]


def with_sub(key: str, operator: str, value: Any) -> dict[str, Any]:
    return {
        "sub_variable_condition": {
            "case_id": "s",
            "logical_operator": "and",
            "conditions": [{"key": key, "comparison_operator": operator, "value": value}],
        }
    }


@pytest.mark.parametrize(("key", "operator", "value", "result"), FILE_TABLE)
@pytest.mark.parametrize("outer", ["contains", "not contains", "all of"])
async def test_not_operators_need_all_files_and_others_any(
    outer: str, key: str, operator: str, value: Any, result: bool
):
    assert await holds(outer, FILES, "", **with_sub(key, operator, value)) is result


async def test_files_in_their_wire_form_are_files_too():
    wire = [item.to_wire() for item in FILES]

    assert await holds("contains", wire, "", **with_sub("name", "is", "a.png")) is True


@pytest.mark.parametrize(("logic", "result"), [("and", False), ("or", True)])
async def test_sub_conditions_are_joined_by_their_operator(logic: str, result: bool):
    sub = {
        "logical_operator": logic,
        "conditions": [
            {"key": "name", "comparison_operator": "is", "value": "{{#m.name#}}"},
            {"key": "size", "comparison_operator": ">", "value": "99999"},
        ],
    }
    config = case("contains", "", sub_variable_condition=sub)
    values = {("n", "x"): FILES, ("m", "name"): "a.png"}

    assert (await run_node(IfElse, config, values=values))["result"] is result


async def test_a_list_of_files_without_sub_condition_fails():
    with pytest.raises(NodeFailed, match="condition on their attributes"):
        await holds("contains", FILES, "a")


async def test_an_unknown_file_attribute_fails():
    with pytest.raises(NodeFailed, match='no attribute "colour"'):
        await holds("contains", FILES, "", **with_sub("colour", "is", "red"))
