"""List operator (reference `workflow-dsl.md`, 5.18)."""

from __future__ import annotations

from typing import Any

import pytest

from tidemill.engine.errors import NodeFailed, VariableNotFound
from tidemill.engine.testing import inspect_node, run_node
from tidemill.engine.values import File, FileKind
from tidemill.nodes.list_operator import ListOperator

NUMBERS = [3, 1, 2.5]
TEXTS = ["pear", "apple", "", "fig"]


def file(name: str, kind: FileKind, size: int) -> File:
    return File(
        type=kind,
        transfer_method="remote_url" if kind == "image" else "local_file",
        filename=name,
        extension="." + name.rpartition(".")[2],
        mime_type=f"{kind}/x",
        size_bytes=size,
        url=f"https://files.example/{name}",
        related_id=f"id-{name}",
    )


PHOTO, REPORT, CLIP = file("b.png", "image", 30), file("a.pdf", "document", 10), file("c.mp4", "video", 20)
FILES = [PHOTO, REPORT, CLIP]


async def operate(value: Any, **config: Any) -> dict[str, Any]:
    return dict(await run_node(ListOperator, {"variable": ["n", "list"], **config}, values={("n", "list"): value}))


async def filtered(value: Any, operator: str, expected: Any = "", key: str = "") -> Any:
    condition = {"key": key, "comparison_operator": operator, "value": expected}
    return (await operate(value, filter_by={"enabled": True, "conditions": [condition]}))["result"]


async def test_with_nothing_enabled_the_list_passes_through():
    assert await operate(NUMBERS) == {"result": NUMBERS, "first_record": 3, "last_record": 2.5}


@pytest.mark.parametrize("nothing", [None, []])
async def test_nothing_gives_an_empty_list_and_no_records(nothing: Any):
    config = {"extract_by": {"enabled": True, "serial": "5"}}

    assert await operate(nothing, **config) == {"result": [], "first_record": None, "last_record": None}


async def test_a_list_that_does_not_exist_fails():
    with pytest.raises(VariableNotFound):
        await run_node(ListOperator, {"variable": ["n", "gone"]})


@pytest.mark.parametrize("value", ["", "text", 3, {"a": 1}, PHOTO, [{"a": 1}], [1, "a"], [[1]], [None]])
async def test_what_is_no_list_of_one_accepted_type_fails(value: Any):
    with pytest.raises(NodeFailed, match="Choose a list"):
        await operate(value)


@pytest.mark.parametrize(
    ("operator", "expected", "left"),
    [
        ("contains", "p", ["pear", "apple"]),
        ("not contains", "p", ["", "fig"]),
        ("start with", "a", ["apple"]),
        ("end with", "g", ["fig"]),
        ("is", "fig", ["fig"]),
        ("is not", "fig", ["pear", "apple", ""]),
        ("empty", "", [""]),
        ("not empty", "", ["pear", "apple", "fig"]),
        ("in", ["fig", "pear"], ["pear", "fig"]),
        ("not in", ["fig", "pear"], ["apple", ""]),
    ],
)
async def test_texts_are_filtered_by(operator: str, expected: Any, left: list[str]):
    assert await filtered(TEXTS, operator, expected) == left


async def test_in_a_text_means_being_a_part_of_it():
    assert await filtered(["fig", "pear"], "in", "figs and dates") == ["fig"]
    assert await filtered(["fig", "pear"], "not in", "figs and dates") == ["pear"]


@pytest.mark.parametrize(
    ("operator", "left"),
    [
        ("=", [2.5]),
        ("≠", [3, 1]),
        ("!=", [3, 1]),
        ("<", [1]),
        ("≤", [1, 2.5]),
        ("<=", [1, 2.5]),
        (">", [3]),
        ("≥", [3, 2.5]),
    ],
)
async def test_numbers_are_filtered_by(operator: str, left: list[float]):
    assert await filtered(NUMBERS, operator, "2.5") == left
    assert await filtered(NUMBERS, operator, 2.5) == left


@pytest.mark.parametrize(("operator", "left"), [("is", [True, True]), ("is not", [False])])
@pytest.mark.parametrize("expected", [True, "true"])
async def test_booleans_are_filtered_by(operator: str, left: list[bool], expected: Any):
    assert await filtered([True, False, True], operator, expected) == left


@pytest.mark.parametrize(
    ("key", "operator", "expected", "left"),
    [
        ("type", "in", ["image", "video"], [PHOTO, CLIP]),
        ("type", "not in", ["image", "video"], [REPORT]),
        ("transfer_method", "in", ["remote_url"], [PHOTO]),
        ("name", "contains", ".p", [PHOTO, REPORT]),
        ("name", "start with", "c", [CLIP]),
        ("extension", "is", ".pdf", [REPORT]),
        ("extension", "is", "pdf", [REPORT]),
        ("extension", "in", ["png", ".mp4"], [PHOTO, CLIP]),
        ("mime_type", "is not", "image/x", [REPORT, CLIP]),
        ("url", "end with", "mp4", [CLIP]),
        ("related_id", "is", "id-a.pdf", [REPORT]),
        ("size", "≥", "20", [PHOTO, CLIP]),
        ("size", "<", 20, [REPORT]),
    ],
)
async def test_files_are_filtered_by(key: str, operator: str, expected: Any, left: list[File]):
    assert await filtered(FILES, operator, expected, key) == left


@pytest.mark.parametrize("operator", ["=", "≠", "<", "≤", ">", "≥", "all of", "exists", "not exists", "null"])
async def test_operators_of_other_types_do_not_filter_texts(operator: str):
    with pytest.raises(NodeFailed, match="cannot filter texts"):
        await filtered(TEXTS, operator, "1")


@pytest.mark.parametrize("operator", ["contains", "start with", "is", "is not", "in", "not in", "empty", "not empty"])
async def test_operators_of_other_types_do_not_filter_numbers(operator: str):
    with pytest.raises(NodeFailed, match="cannot filter numbers"):
        await filtered(NUMBERS, operator, "1")


@pytest.mark.parametrize("operator", ["contains", "=", "≠", ">", "in", "not in", "empty", "end with"])
async def test_operators_of_other_types_do_not_filter_booleans(operator: str):
    with pytest.raises(NodeFailed, match="cannot filter booleans"):
        await filtered([True], operator, True)


@pytest.mark.parametrize(
    ("key", "operator"),
    [("type", "contains"), ("type", ">"), ("size", "is"), ("size", "in"), ("name", ">"), ("extension", "=")],
)
async def test_operators_that_do_not_fit_an_attribute_are_refused(key: str, operator: str):
    with pytest.raises(NodeFailed, match=key):
        await filtered(FILES, operator, "1", key)


@pytest.mark.parametrize("expected", ["many", "", None, True, [1]])
async def test_numbers_are_compared_with_numbers_only(expected: Any):
    with pytest.raises(NodeFailed, match="compares numbers with a number"):
        await filtered(NUMBERS, "=", expected)


@pytest.mark.parametrize("expected", [1, ["a"], True])
async def test_texts_are_compared_with_texts_only(expected: Any):
    with pytest.raises(NodeFailed, match="compares texts with a text"):
        await filtered(TEXTS, "contains", expected)


async def test_texts_are_looked_for_in_a_list_or_a_text_only():
    with pytest.raises(NodeFailed, match="in a list or a text"):
        await filtered(TEXTS, "in", 5)


async def test_booleans_are_compared_with_booleans_only():
    with pytest.raises(NodeFailed, match="not a boolean"):
        await filtered([True], "is", "maybe")


async def test_an_unknown_attribute_of_files_is_named():
    with pytest.raises(NodeFailed, match='"colour"'):
        await filtered(FILES, "is", "red", "colour")


async def test_all_conditions_must_hold():
    conditions = [{"comparison_operator": ">", "value": "1"}, {"comparison_operator": "<", "value": "3"}]

    assert (await operate(NUMBERS, filter_by={"enabled": True, "conditions": conditions}))["result"] == [2.5]


async def test_a_value_may_be_a_template():
    config = {
        "variable": ["n", "list"],
        "filter_by": {"enabled": True, "conditions": [{"comparison_operator": "is", "value": "{{#n.want#}}"}]},
    }

    output = await run_node(ListOperator, config, values={("n", "list"): TEXTS, ("n", "want"): "fig"})

    assert output["result"] == ["fig"]


async def test_filtering_everything_away_leaves_an_empty_list():
    condition = {"comparison_operator": ">", "value": "9"}

    output = await operate(NUMBERS, filter_by={"enabled": True, "conditions": [condition]})

    assert output == {"result": [], "first_record": None, "last_record": None}


@pytest.mark.parametrize(("serial", "item"), [("1", 3), ("3", 2.5), (" 2 ", 1), (2, 1)])
async def test_an_item_is_taken_by_its_number_from_one(serial: Any, item: float):
    output = await operate(NUMBERS, extract_by={"enabled": True, "serial": serial})

    assert output == {"result": [item], "first_record": item, "last_record": item}


async def test_the_number_may_be_a_template():
    config = {"variable": ["n", "list"], "extract_by": {"enabled": True, "serial": "{{#n.at#}}"}}

    output = await run_node(ListOperator, config, values={("n", "list"): NUMBERS, ("n", "at"): 2})

    assert output["result"] == [1]


@pytest.mark.parametrize("serial", ["0", "-1", "4"])
async def test_a_number_outside_the_list_fails_and_tells_the_length(serial: str):
    with pytest.raises(NodeFailed, match="3 items"):
        await operate(NUMBERS, extract_by={"enabled": True, "serial": serial})


@pytest.mark.parametrize("serial", ["", "first", "1.5"])
async def test_what_is_no_whole_number_fails(serial: str):
    with pytest.raises(NodeFailed, match="whole number"):
        await operate(NUMBERS, extract_by={"enabled": True, "serial": serial})


@pytest.mark.parametrize(
    ("value", "ascending"),
    [(NUMBERS, [1, 2.5, 3]), (TEXTS, ["", "apple", "fig", "pear"]), ([True, False], [False, True])],
)
async def test_lists_are_put_in_order(value: Any, ascending: list[Any]):
    up = await operate(value, order_by={"enabled": True, "key": "", "value": "asc"})
    down = await operate(value, order_by={"enabled": True, "key": "", "value": "desc"})

    assert up["result"] == ascending
    assert down["result"] == ascending[::-1]


@pytest.mark.parametrize(("key", "first"), [("name", REPORT), ("size", REPORT), ("type", REPORT), ("extension", CLIP)])
async def test_files_are_put_in_order_by_an_attribute(key: str, first: File):
    output = await operate(FILES, order_by={"enabled": True, "key": key, "value": "asc"})

    assert output["first_record"] == first


async def test_files_cannot_be_put_in_order_by_an_unknown_attribute():
    with pytest.raises(NodeFailed, match='"colour"'):
        await operate(FILES, order_by={"enabled": True, "key": "colour", "value": "asc"})


@pytest.mark.parametrize(("size", "left"), [(1, [3]), (2, [3, 1]), (9, NUMBERS)])
async def test_a_limit_keeps_the_first_items(size: int, left: list[float]):
    assert (await operate(NUMBERS, limit={"enabled": True, "size": size}))["result"] == left


async def test_it_filters_then_takes_then_orders_then_limits():
    """Taking before filtering, or limiting before ordering, would give something else."""
    config = {
        "filter_by": {"enabled": True, "conditions": [{"comparison_operator": "<", "value": "5"}]},
        "order_by": {"enabled": True, "key": "", "value": "desc"},
        "limit": {"enabled": True, "size": 2},
    }

    assert (await operate([9, 1, 4, 3], **config))["result"] == [4, 3]
    assert (await operate([9, 1, 4, 3], **config, extract_by={"enabled": True, "serial": "1"}))["result"] == [1]


async def test_the_trace_shows_the_list_before_and_after():
    config = {"variable": ["n", "list"], "limit": {"enabled": True, "size": 1}}

    _, seen = await inspect_node(ListOperator, config, values={("n", "list"): NUMBERS})

    assert (seen.inputs, seen.process) == ({"variable": NUMBERS}, {"variable": [3]})
