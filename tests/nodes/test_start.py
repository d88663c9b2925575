"""What a start form accepts (reference `workflow-dsl.md`, 5.1)."""

from typing import Any

import pytest

from tidemill.engine.errors import InputInvalid
from tidemill.engine.testing import inspect_node
from tidemill.engine.values import File
from tidemill.nodes.start import InputVariable, Start, validate_inputs

ERROR = "error"
OBJECT_SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


def validate(field: dict[str, Any], raw: dict[str, Any]) -> Any:
    variable = InputVariable.model_validate({"variable": "x", "label": "X", **field})
    return validate_inputs([variable], raw)["x"]


# field, given, accepted value
TABLE: list[tuple[dict[str, Any], Any, Any]] = [
    ({"type": "text-input"}, "abc", "abc"),
    ({"type": "text-input"}, "a\x00b", "ab"),
    ({"type": "text-input"}, 5, ERROR),
    ({"type": "text-input", "max_length": 3}, "abc", "abc"),
    ({"type": "text-input", "max_length": 3}, "abcd", ERROR),
    ({"type": "text-input", "max_length": ""}, "abcd" * 99, "abcd" * 99),
    ({"type": "paragraph", "max_length": None}, "a\nb", "a\nb"),
    ({"type": "paragraph"}, ["a"], ERROR),
    ({"type": "string"}, "abc", "abc"),
    ({"type": "select", "options": ["a", "b"]}, "b", "b"),
    ({"type": "select", "options": ["a", "b"]}, "c", ERROR),
    ({"type": "select", "options": ["1", 2]}, "2", "2"),
    ({"type": "select", "options": ["a"]}, 1, ERROR),
    ({"type": "number"}, 5, 5),
    ({"type": "number"}, 1.5, 1.5),
    ({"type": "number"}, "5", 5),
    ({"type": "number"}, "1.5", 1.5),
    ({"type": "number"}, "", None),
    ({"type": "number"}, "five", ERROR),
    ({"type": "number"}, True, ERROR),
    ({"type": "checkbox"}, True, True),
    ({"type": "checkbox"}, " Yes ", True),
    ({"type": "checkbox"}, "ON", True),
    ({"type": "checkbox"}, "1", True),
    ({"type": "checkbox"}, "off", False),
    ({"type": "checkbox"}, "no", False),
    ({"type": "checkbox"}, 1, True),
    ({"type": "checkbox"}, 0, False),
    ({"type": "checkbox"}, "maybe", "maybe"),
    ({"type": "checkbox"}, 7, 7),
    ({"type": "json_object"}, {"a": 1}, {"a": 1}),
    ({"type": "json_object"}, '{"a": 1}', {"a": 1}),
    ({"type": "json_object"}, [1], ERROR),
    ({"type": "json_object"}, "{", ERROR),
    ({"type": "json_object", "json_schema": OBJECT_SCHEMA}, {"a": 1}, {"a": 1}),
    ({"type": "json_object", "json_schema": OBJECT_SCHEMA}, {"a": "one"}, ERROR),
    ({"type": "json_object", "json_schema": '{"required": ["b"]}'}, {"a": 1}, ERROR),
    ({"type": "json_object", "json_schema": "not json"}, {"a": 1}, ERROR),
    ({"type": "json_object", "json_schema": {"$ref": "http://127.0.0.1:9/s.json"}}, {"a": 1}, ERROR),
    ({"type": "external_data_tool"}, {"any": [1]}, {"any": [1]}),
]


@pytest.mark.parametrize(("field", "given", "accepted"), TABLE)
def test_an_input_is_checked_by_its_type(field: dict[str, Any], given: Any, accepted: Any):
    if accepted is ERROR:
        with pytest.raises(InputInvalid, match="`x` in input form") as refusal:
            validate(field, {"x": given})
        assert refusal.value.variable == "x"
    else:
        value = validate(field, {"x": given})
        assert value == accepted
        assert type(value) is type(accepted)


@pytest.mark.parametrize("kind", ["text-input", "paragraph", "select", "number", "checkbox", "file", "json_object"])
@pytest.mark.parametrize("raw", [{}, {"x": None}, {"x": ""}])
def test_a_required_input_that_is_missing_is_named(kind: str, raw: dict[str, Any]):
    with pytest.raises(InputInvalid, match=r"^`x` is required in input form$"):
        validate({"type": kind, "required": True}, raw)


def test_an_empty_required_file_list_is_missing():
    with pytest.raises(InputInvalid, match="is required in input form"):
        validate({"type": "file-list", "required": True}, {"x": []})


@pytest.mark.parametrize(
    ("kind", "default", "value"),
    [
        ("text-input", None, ""),
        ("paragraph", None, ""),
        ("select", None, ""),
        ("number", None, None),
        ("checkbox", None, None),
        ("file", None, None),
        ("json_object", None, None),
        ("text-input", "hi", "hi"),
        ("number", "5", 5),
        ("number", "", None),
        ("checkbox", "true", True),
        ("select", "a", "a"),
    ],
)
def test_an_optional_input_takes_its_default(kind: str, default: Any, value: Any):
    assert validate({"type": kind, "default": default, "options": ["a"]}, {}) == value


def test_unknown_inputs_are_dropped():
    variable = InputVariable.model_validate({"variable": "x"})

    assert validate_inputs([variable], {"x": "a", "y": "b"}) == {"x": "a"}


# ---------------------------------------------------------------- files

REMOTE = {"type": "image", "transfer_method": "remote_url", "url": "https://a.example/dir/cat%20one.png?x=1"}
UPLOAD = {"type": "document", "transfer_method": "local_file", "upload_file_id": "f1"}


def test_a_remote_file_is_named_after_its_address():
    file = validate({"type": "file"}, {"x": REMOTE})

    assert isinstance(file, File)
    assert (file.type, file.filename, file.extension, file.remote_url) == (
        "image",
        "cat one.png",
        ".png",
        REMOTE["url"],
    )


def test_an_uploaded_file_is_named_by_its_id():
    file = validate({"type": "file"}, {"x": UPLOAD})

    assert (file.type, file.transfer_method, file.related_id) == ("document", "local_file", "f1")


def test_a_file_that_is_resolved_already_is_kept():
    file = File(type="custom", transfer_method="local_file", related_id="f", filename="a.xyz", extension=".xyz")

    assert validate({"type": "file"}, {"x": file}) is file
    assert validate({"type": "file"}, {"x": file.to_wire()}) == file


@pytest.mark.parametrize(
    ("field", "given", "reason"),
    [
        ({}, "https://a.example/x.png", "give an object"),
        ({}, {"type": "image", "transfer_method": "pigeon"}, 'transfer_method "pigeon"'),
        ({}, {"type": "image", "transfer_method": "remote_url", "url": "ftp://a"}, "http:// or https://"),
        ({}, {"type": "image", "transfer_method": "local_file"}, "upload_file_id is missing"),
        ({}, {"type": "movie", "transfer_method": "local_file", "upload_file_id": "1"}, 'type "movie"'),
        ({"allowed_file_types": ["document"]}, REMOTE, "type image are not allowed"),
        ({"allowed_file_upload_methods": ["local_file"]}, REMOTE, "by remote_url are not allowed"),
        (
            {"allowed_file_types": ["custom"], "allowed_file_extensions": [".txt"]},
            {**REMOTE, "type": "custom"},
            'extension ".png" is not allowed',
        ),
    ],
)
def test_a_file_that_the_form_does_not_take_is_refused(field: dict[str, Any], given: Any, reason: str):
    with pytest.raises(InputInvalid, match=reason):
        validate({"type": "file", **field}, {"x": given})


@pytest.mark.parametrize(
    "field",
    [
        {"allowed_file_types": ["image"]},
        {"allowed_file_types": ["custom"], "allowed_file_extensions": ["PNG"]},
        {"allowed_file_types": ["image", "document"], "allowed_file_upload_methods": ["remote_url"]},
    ],
)
def test_a_file_that_the_form_takes_is_accepted(field: dict[str, Any]):
    assert validate({"type": "file", **field}, {"x": REMOTE}).filename == "cat one.png"


def test_a_list_holds_at_most_as_many_files_as_the_form_says():
    files = validate({"type": "file-list", "max_length": 2}, {"x": [REMOTE, UPLOAD]})
    assert [file.type for file in files] == ["image", "document"]

    with pytest.raises(InputInvalid, match="at most 1 files"):
        validate({"type": "file-list", "max_length": 1}, {"x": [REMOTE, UPLOAD]})
    with pytest.raises(InputInvalid, match="list of files"):
        validate({"type": "file-list"}, {"x": REMOTE})


# ---------------------------------------------------------------- the node


async def test_start_gives_back_its_inputs_and_the_system_variables():
    values = {("node", "topic"): "tea", ("node", "sys.query"): "hi", ("other", "x"): 1}

    output, seen = await inspect_node(
        Start, {"variables": [{"variable": "topic", "type": "text-input"}]}, values=values
    )

    assert output == {"topic": "tea", "sys.query": "hi"}
    assert seen.inputs == output
