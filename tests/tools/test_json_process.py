"""JSON found by JSONPath and changed."""

import json
from typing import Any

import pytest

from tidemill.ports import ToolFailed
from tools.vendors import Bench

SHOP = json.dumps({"name": "Ärger", "items": [{"id": 1, "tags": ["a"]}, {"id": 2, "tags": []}], "open": True})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.items[0].id", "1"),
        ("items[1].id", "2"),
        ("open", "True"),
        ("$.items[*].id", "[1, 2]"),
        ("$..id", "[1, 2]"),
        ("$.items[0]", '{"id": 1, "tags": ["a"]}'),
        ("$.nothing", "[]"),
        ("$.items[?@.id > 1].id", "2"),
        ("$.items[-1].id", "2"),
    ],
)
async def test_parts_are_found_by_path(bench: Bench, path: str, expected: str):
    assert (await bench.run("json_process", "parse", {"content": SHOP, "json_filter": path})).text == expected


async def test_letters_are_escaped_only_when_asked(bench: Bench):
    arguments = {"content": '{"a": ["ä"]}', "json_filter": "a"}

    assert (await bench.run("json_process", "parse", {**arguments, "ensure_ascii": 1})).text == '["\\u00e4"]'
    assert (await bench.run("json_process", "parse", {**arguments, "ensure_ascii": 0})).text == '["ä"]'


async def test_json_inside_a_fence_of_a_model_is_read(bench: Bench):
    found = await bench.run("json_process", "parse", {"content": '```json\n{"a": "b"}\n```', "json_filter": "a"})

    assert found.text == "b"


async def changed(bench: Bench, tool: str, **arguments: Any) -> Any:
    return json.loads((await bench.run("json_process", tool, {"content": SHOP, **arguments})).text)


async def test_values_are_added_to_objects_lists_and_in_place_of_others(bench: Bench):
    merged = await changed(bench, "insert", query="$.items[0]", new_value='{"price": 5}')
    appended = await changed(bench, "insert", query="$.items[0].tags", new_value="b")
    placed = await changed(bench, "insert", query="$.items[0].tags", new_value="b", index=0)
    replaced = await changed(bench, "insert", query="$.name", new_value="Shop")

    assert merged["items"][0] == {"id": 1, "tags": ["a"], "price": 5}
    assert appended["items"][0]["tags"] == ["a", "b"]
    assert placed["items"][0]["tags"] == ["b", "a"]
    assert replaced["name"] == "Shop"


async def test_a_path_is_made_when_asked(bench: Bench):
    made = await changed(bench, "insert", query="$.owner.names[1]", new_value="Ada", create_path=True)
    kept = await changed(bench, "insert", query="$.owner.name", new_value="Ada", create_path=False)

    assert made["owner"] == {"names": [{}, "Ada"]}
    assert "owner" not in kept


async def test_a_path_far_outside_a_list_is_not_made(bench: Bench):
    with pytest.raises(ToolFailed, match="cannot be made"):
        await changed(bench, "insert", query="$.items[99999999]", new_value="x", create_path=True)


async def test_parts_are_taken_out(bench: Bench):
    assert await changed(bench, "delete", query="$.items[*]") == {"name": "Ärger", "items": [], "open": True}
    assert (await changed(bench, "delete", query="$..tags"))["items"] == [{"id": 1}, {"id": 2}]


async def test_keys_values_and_characters_are_replaced(bench: Bench):
    keys = await changed(bench, "replace", query="$.items[*].id", replace_model="key", replace_value="number")
    values = await changed(bench, "replace", query="$.items[*].id", replace_model="value", replace_value="x")
    decoded = await changed(
        bench, "replace", query="$.name", replace_model="value", replace_value="[1]", value_decode=True
    )
    characters = await changed(bench, "replace", query="$.name", replace_pattern="Ä", replace_value="Ae")

    assert [sorted(item) for item in keys["items"]] == [["number", "tags"]] * 2
    assert [item["id"] for item in values["items"]] == ["x", "x"]
    assert decoded["name"] == [1]
    assert characters["name"] == "Aerger"


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("parse", {"content": "{oops", "json_filter": "a"}, "is not JSON"),
        ("parse", {"content": SHOP, "json_filter": "$.items["}, "cannot be used"),
        ("parse", {"content": SHOP, "json_filter": "$[?@.a =~ /x/]"}, "Regular expressions"),
        ("parse", {"content": SHOP, "json_filter": "$[?match(@.name, '(a+)+$')]"}, "cannot be used"),
        ("insert", {"content": SHOP, "query": "$", "new_value": "5"}, "Only an object|Only a JSON object"),
        ("replace", {"content": SHOP, "query": "$.name", "replace_value": "x"}, "replace_pattern"),
        ("replace", {"content": SHOP, "query": "$.open", "replace_value": "x", "replace_pattern": "T"}, "texts only"),
        ("parse", {"content": "[" * 200_000, "json_filter": "a"}, "is not JSON"),
    ],
)
async def test_bad_input_is_refused_with_a_sentence(bench: Bench, tool: str, arguments: dict[str, str], sentence: str):
    with pytest.raises(ToolFailed, match=sentence):
        await bench.run("json_process", tool, arguments)


async def test_the_tool_of_an_old_test_graph_reads_its_json(bench: Bench):
    found = await bench.run("builtin", "json_parse", {"json_string": '{"a": 1}'})

    assert found.outputs()["json"] == [{"a": 1}]
    assert found.outputs()["result"] == {"a": 1}
