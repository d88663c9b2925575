"""Arguments and results of tools: reference, section 5.11."""

from typing import Any

import pytest

from tidemill.engine.values import File, Value
from tidemill.ports import ParameterType, ToolMessage, ToolParameter, ToolSpec
from tidemill.tools.call import Collected, ToolParameterError, cast_arguments, json_schema

FILE = File(type="image", transfer_method="tool_file", related_id="1", filename="a.png")


def spec(*parameters: ToolParameter) -> ToolSpec:
    return ToolSpec(provider="p", name="tool", label="Tool", description="", parameters=parameters)


def cast(kind: ParameterType, value: Value, **rest: Any) -> Value:
    return cast_arguments(spec(ToolParameter(name="x", type=kind, **rest)), {"x": value}).get("x")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", 5, "5"),
        ("string", "", ""),
        ("string", {"a": 1}, '{"a": 1}'),
        ("number", "5", 5),
        ("number", "5.5", 5.5),
        ("number", 7, 7),
        ("boolean", "true", True),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", "no", False),
        ("boolean", 1, True),
        ("boolean", 0, False),
        ("array", '["a", 1]', ["a", 1]),
        ("array", "a", ["a"]),
        ("array", [1], [1]),
        ("object", '{"a": 1}', {"a": 1}),
        ("object", {"a": 1}, {"a": 1}),
        ("file", FILE, FILE),
        ("file", [FILE], FILE),
        ("files", FILE, [FILE]),
        ("file", FILE.to_wire(), FILE),
        ("any", [1, "b"], [1, "b"]),
        ("model-selector", '{"provider": "p"}', {"provider": "p"}),
    ],
)
def test_values_are_cast_to_the_declared_type(kind: ParameterType, value: Value, expected: Value):
    assert cast(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [("number", "five"), ("boolean", "perhaps"), ("object", "[1]"), ("file", "a.png"), ("file", [FILE, FILE])],
)
def test_a_value_of_another_type_is_refused_naming_the_parameter(kind: ParameterType, value: Value):
    with pytest.raises(ToolParameterError, match=r"parameter x .*tool tool"):
        cast(kind, value)


def test_a_choice_outside_the_options_is_refused_naming_them():
    with pytest.raises(ToolParameterError, match="one of big, small"):
        cast("select", "huge", options=("big", "small"))


def test_defaults_fill_in_what_is_absent_null_or_left_empty():
    declared = spec(
        ToolParameter(name="a", type="number", default=3),
        ToolParameter(name="b", default="x"),
        ToolParameter(name="c", type="select", options=("u", "v"), default="u"),
    )

    assert cast_arguments(declared, {"a": "", "b": None, "c": ""}) == {"a": 3, "b": "x", "c": "u"}


def test_all_missing_required_parameters_are_named():
    declared = spec(ToolParameter(name="a", is_required=True), ToolParameter(name="b", is_required=True))

    with pytest.raises(ToolParameterError, match="a, b") as caught:
        cast_arguments(declared, {"c": 1})

    assert caught.value.error_type == "ToolParameterError"


def test_a_model_is_told_the_parameters_it_fills_in():
    declared = spec(
        ToolParameter(name="query", description="What to find.", is_required=True),
        ToolParameter(name="size", type="select", options=("s", "l"), default="s", is_required=True),
        ToolParameter(name="tags", type="array", schema={"items": {"type": "string"}}),
        ToolParameter(name="fixed", type="number"),
        ToolParameter(name="key", form="form"),
        ToolParameter(name="picture", type="file"),
    )

    assert json_schema(declared, fixed=frozenset({"fixed"})) == {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to find."},
            "size": {"type": "string", "enum": ["s", "l"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["query"],
    }


def collected(*messages: ToolMessage) -> Collected:
    found = Collected()
    for message in messages:
        found.add(message)
    return found


def test_messages_become_outputs():
    found = collected(
        ToolMessage(kind="text", text="Hello "),
        ToolMessage(kind="text", text="there"),
        ToolMessage(kind="json", data={"a": 1}),
        ToolMessage(kind="json", data={"b": 2}),
        ToolMessage(kind="file", file=FILE),
        ToolMessage(kind="variable", name="total", data=3),
        ToolMessage(kind="variable", name="story", text="Once ", is_piece=True),
        ToolMessage(kind="variable", name="story", text="upon", is_piece=True),
        ToolMessage(kind="log", name="step", data={}),
    )

    assert found.outputs() == {
        "text": "Hello there",
        "files": [FILE],
        "json": [{"a": 1}, {"b": 2}],
        "total": 3,
        "story": "Once upon",
    }


def test_without_a_json_message_the_output_has_an_empty_one():
    assert collected(ToolMessage(kind="text", text="x")).outputs()["json"] == [{"data": []}]


def test_a_link_is_text_and_its_file_is_listed():
    outputs = collected(ToolMessage(kind="link", text="https://a.example/b", file=FILE)).outputs()

    assert outputs["text"] == "Link: https://a.example/b\n"
    assert outputs["files"] == [FILE]


def test_an_agent_is_told_text_json_and_that_files_were_made():
    found = collected(
        ToolMessage(kind="text", text="Done. "),
        ToolMessage(kind="json", data={"a": "ä"}),
        ToolMessage(kind="file", file=FILE),
    )

    assert found.observation() == 'Done. {"a": "ä"}The file a.png was made and is shown to the user.'
