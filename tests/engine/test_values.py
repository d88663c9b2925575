from __future__ import annotations

import pytest

from tidemill.engine.errors import ValueMismatch
from tidemill.engine.values import (
    MISSING,
    File,
    Value,
    ValueType,
    VariablePool,
    as_file,
    coerce,
    fits,
    kind_of,
    mask_secret,
    plain,
    to_json,
    to_text,
    zero_of,
)

PICTURE = File(type="image", transfer_method="remote_url", filename="a.png", extension=".png", url="http://h/a.png")
REPORT = File(type="document", transfer_method="local_file", filename="b.pdf", related_id="7", remote_url="http://h/b")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "none"),
        (True, "boolean"),
        ("a", "string"),
        (1, "integer"),
        (1.5, "float"),
        ({}, "object"),
        (PICTURE, "file"),
        (PICTURE.to_wire(), "file"),
        (["a"], "array[string]"),
        ([1, 2.5], "array[number]"),
        ([{}], "array[object]"),
        ([PICTURE, REPORT], "array[file]"),
        ([True, False], "array[boolean]"),
        ([], "array[any]"),
        ([None], "array[any]"),
        ([["a"]], "array[any]"),
        (["a", 1], "array[any]"),
        ([1, True], "array[any]"),
    ],
)
def test_a_raw_value_has_the_type_of_its_content(value: Value, kind: str):
    assert kind_of(value).value == kind


@pytest.mark.parametrize(
    ("value", "text", "markdown", "log"),
    [
        ("x", "x", "x", "x"),
        (None, "", "", ""),
        (True, "True", "True", "True"),
        (1, "1", "1", "1"),
        (1.5, "1.5", "1.5", "1.5"),
        (1e20, "1e+20", "1e+20", "1e+20"),
        ({"a": 1, "é": "雪"}, '{"a": 1, "é": "雪"}', '{\n  "a": 1,\n  "é": "雪"\n}', '{\n  "a": 1,\n  "é": "雪"\n}'),
        (["a", "雪"], '["a", "雪"]', "- a\n- 雪", '["a", "雪"]'),
        ([1, 2], "[1, 2]", "- 1\n- 2", "[1, 2]"),
        ([{"a": 1}], "[{'a': 1}]", '- {\n  "a": 1\n}', "[{'a': 1}]"),
        ([], "", "", ""),
        (PICTURE, "", "![a.png](http://h/a.png)", ""),
        (REPORT, "", "[b.pdf](http://h/b)", ""),
        (REPORT.to_wire(), "", "[b.pdf](http://h/b)", ""),
        ([PICTURE, REPORT], "", "![a.png](http://h/a.png)\n[b.pdf](http://h/b)", ""),
    ],
)
def test_a_value_reads_as_the_reference_says(value: Value, text: str, markdown: str, log: str):
    assert (to_text(value), to_text(value, "markdown"), to_text(value, "log")) == (text, markdown, log)


@pytest.mark.parametrize(
    ("value", "kind", "fitting"),
    [
        (1, "number", True),
        (1.5, "number", True),
        (True, "number", False),
        ("1", "number", False),
        ([], "array[file]", True),
        (["a"], "array[any]", True),
        (["a", 1], "array[string]", False),
        ([1, 2], "array[number]", True),
        ("s", "secret", True),
        ({"a": 1}, "object", True),
        ("x", "any", True),
        (None, "string", False),
    ],
)
def test_a_value_fits_a_declared_type_or_not(value: Value, kind: str, fitting: bool):
    assert fits(value, ValueType(kind)) is fitting


def test_nothing_is_kept_for_a_declared_type_except_numbers():
    assert coerce(None, ValueType.STRING) is None
    with pytest.raises(ValueMismatch, match=r"none was given where number is declared"):
        coerce(None, ValueType.NUMBER)


def test_a_mismatch_names_both_types():
    with pytest.raises(ValueMismatch, match=r"type string was given where array\[number\] is declared"):
        coerce("x", ValueType.ARRAY_NUMBER)


@pytest.mark.parametrize(
    ("kind", "zero"),
    [("string", ""), ("number", 0), ("boolean", False), ("object", {}), ("array[any]", []), ("file", None)],
)
def test_each_type_has_its_zero(kind: str, zero: Value):
    assert zero_of(ValueType(kind)) == zero


def test_a_file_survives_its_wire_form():
    assert File.from_wire(REPORT.to_wire()) == REPORT
    assert as_file(REPORT.to_wire()) == REPORT
    assert as_file({"a": 1}) is None


def test_files_inside_containers_become_their_wire_form():
    assert plain({"a": [PICTURE, {"b": REPORT}]}) == {"a": [PICTURE.to_wire(), {"b": REPORT.to_wire()}]}
    assert '"filename": "a.png"' in to_json([PICTURE])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "image"),
        ("size", -1),
        ("name", "a.png"),
        ("mime_type", ""),
        ("transfer_method", "remote_url"),
        ("url", "http://h/a.png"),
        ("extension", ".png"),
        ("related_id", None),
        ("colour", MISSING),
    ],
)
def test_a_selector_reads_a_files_attributes(name: str, value: Value):
    pool = VariablePool({"start": {"picture": PICTURE}})

    assert pool.find(("start", "picture", name)) == value


def test_a_selector_walks_objects_but_not_lists():
    pool = VariablePool({"n": {"o": {"a": {"b": 1}}, "l": [1, 2], "none": None}})

    assert pool.find(("n", "o", "a", "b")) == 1
    assert pool.find(("n", "o", "x")) is MISSING
    assert pool.find(("n", "l", "0")) is MISSING
    assert pool.find(("n", "none")) is None
    assert pool.find(("n",)) is MISSING
    assert pool.find(("other", "o")) is MISSING


def test_declared_types_outlive_values():
    pool = VariablePool()
    pool.declare(("conversation", "n"), ValueType.ARRAY_STRING, [])

    assert pool.type_of(("conversation", "n")) is ValueType.ARRAY_STRING
    assert pool.type_of(("conversation", "other")) is ValueType.NONE


def test_a_fork_shares_no_later_write():
    pool = VariablePool({"n": {"a": 1}})
    child = pool.fork()
    child.set(("n", "a"), 2)
    child.put("m", {"b": 3})

    assert pool.find(("n", "a")) == 1
    assert pool.find(("m", "b")) is MISSING


def test_dropped_nodes_are_forgotten():
    pool = VariablePool({"n": {"a": 1}, "m": {"a": 1}})
    pool.drop(["n", "unknown"])

    assert pool.find(("n", "a")) is MISSING
    assert pool.outputs_of("m") == {"a": 1}


def test_secrets_are_masked_wherever_they_stand():
    pool = VariablePool(secrets=["sk-123456789", ""])

    assert pool.masked("key sk-123456789!") == "key sk-123************89!"
    assert mask_secret("short") == "*" * 20
