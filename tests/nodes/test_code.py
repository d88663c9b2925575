"""Rules: reference `workflow-dsl.md`, sections 3.7 and 5.8."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tidemill.engine.errors import NodeFailed
from tidemill.engine.testing import inspect_node, run_node
from tidemill.engine.values import File, ValueType
from tidemill.nodes.code import Code
from tidemill.ports import CodeFailed, CodeLimits, CodeRequest, Sandbox


class Answering:
    """A sandbox whose programs return what the test says."""

    def __init__(self, result: Any, limits: CodeLimits | None = None) -> None:
        self.requests: list[CodeRequest] = []
        self.limits = limits or CodeLimits()
        self._result = result

    async def run(self, request: CodeRequest) -> Any:
        self.requests.append(request)
        if isinstance(self._result, CodeFailed):
            raise self._result
        return self._result


async def outputs(result: Any, limits: CodeLimits | None = None, /, **declared: Any) -> dict[str, Any]:
    """What the node gives when its program returns `result`."""
    kinds = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in declared.items()}
    return await run_node(Code, {"outputs": kinds}, ports={Sandbox: Answering(result, limits)})


async def fault(result: Any, limits: CodeLimits | None = None, /, **declared: Any) -> tuple[str, str]:
    """The class and the sentence of the node's failure."""
    with pytest.raises(NodeFailed) as failed:
        await outputs(result, limits, **declared)
    return failed.value.error_type, str(failed.value)


# ---------------------------------------------------------------- inputs


async def test_inputs_are_values_by_name_and_what_is_missing_is_none():
    sandbox = Answering({"x": 1})
    config = {
        "code_language": "javascript",
        "code": "function main({a}) {}",
        "variables": [
            {"variable": "a", "value_selector": ["n", "a"]},
            {"variable": "none", "value_selector": ["n", "nothing"]},
            {"variable": "deep", "value_selector": ["n", "o", "k"]},
            {"variable": "文", "value_selector": ["n", "a"]},
        ],
        "outputs": {"x": {"type": "number"}},
    }

    _, seen = await inspect_node(
        Code, config, values={("n", "a"): [1, "b", None], ("n", "o"): {"k": 1.5}}, ports={Sandbox: sandbox}
    )

    expected = {"a": [1, "b", None], "none": None, "deep": 1.5, "文": [1, "b", None]}
    (request,) = sandbox.requests
    assert (request.language, request.code, request.inputs) == ("javascript", "function main({a}) {}", expected)
    assert seen.inputs == expected


async def test_files_are_objects_and_a_list_of_none_is_null():
    sandbox = Answering({})
    file = File(type="image", transfer_method="remote_url", remote_url="https://a.example/x.png", filename="x.png")
    variables = [{"variable": name, "value_selector": ["n", name]} for name in ("one", "some", "no")]

    await run_node(
        Code,
        {"variables": variables},
        values={("n", "one"): file, ("n", "some"): [file], ("n", "no"): []},
        types={("n", "no"): ValueType.ARRAY_FILE},
        ports={Sandbox: sandbox},
    )

    inputs = sandbox.requests[0].inputs
    assert inputs["one"]["dify_model_identity"] == "__dify__file__"
    assert inputs["some"] == [inputs["one"]]
    assert inputs["no"] is None


async def test_other_empty_lists_stay_empty_lists():
    sandbox = Answering({})

    await run_node(
        Code,
        {"variables": [{"variable": "a", "value_selector": ["n", "a"]}]},
        values={("n", "a"): []},
        ports={Sandbox: sandbox},
    )

    assert sandbox.requests[0].inputs == {"a": []}


# ---------------------------------------------------------------- failures of the program


async def test_the_interpreters_message_is_the_nodes_error():
    assert await fault(CodeFailed("ValueError: no (line 2)")) == ("CodeExecutionError", "ValueError: no (line 2)")


@pytest.mark.parametrize("result", [None, "text", 3, [1], True])
async def test_the_result_must_be_an_object(result: Any):
    kind, message = await fault(result)

    assert kind == "CodeExecutionError"
    assert "must return a dict" in message


# ---------------------------------------------------------------- declared outputs


@pytest.mark.parametrize(
    ("kind", "value", "given"),
    [
        ("string", "a\0b", "ab"),
        ("string", "", ""),
        ("string", "half \ud83d", "half \ufffd"),
        ("number", 1, 1),
        ("number", 1.5, 1.5),
        ("number", True, 1),
        ("number", "1.5e+10", 1.5e10),
        ("number", "-2.5E-3", -0.0025),
        ("number", 2**63 - 1, 2**63 - 1),
        ("number", -(2**63), -(2**63)),
        ("boolean", False, False),
        ("object", {"a": [1, None], "b": {"c": None}}, {"a": [1, None], "b": {"c": None}}),
        ("array[string]", ["a\0", None], ["a", None]),
        ("array[number]", [1, 2.5, None, True], [1, 2.5, None, 1]),
        ("array[object]", [{"a": 1}, None], [{"a": 1}, None]),
        ("array[boolean]", [True, False], [True, False]),
        ("array[number]", [], []),
        *((kind, None, None) for kind in ("string", "number", "boolean", "object", "array[string]", "array[object]")),
    ],
)
async def test_a_value_of_the_declared_type_passes(kind: str, value: Any, given: Any):
    found = await outputs({"x": value}, x=kind)

    assert found == {"x": given}
    assert type(found["x"]) is type(given)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("string", 1, "Output x must be a string, got number instead."),
        ("string", ["a"], "Output x must be a string, got array instead."),
        ("number", "1", "Output x must be a number, got string instead."),
        ("number", [], "Output x must be a number, got array instead."),
        ("boolean", 0, "Output x must be a boolean, got number instead."),
        ("boolean", 1, "Output x must be a boolean, got number instead."),
        ("boolean", "true", "Output x must be a boolean, got string instead."),
        ("object", [], "Output x is not an object, got array instead."),
        ("array[string]", "abc", "Output x is not an array, got string instead."),
        ("array[string]", ["a", 1], "Output x[1] must be a string, got number instead."),
        ("array[number]", [1, "2"], "Output x[1] must be a number, got string instead."),
        ("array[object]", [{}, "a"], "Output x[1] is not an object, got string instead."),
        ("array[boolean]", [1], "Output x[0] must be a boolean, got number instead."),
        ("number", 2**63, "Output variable `x` is out of range, it must be between"),
        ("number", -(2**63) - 1, "Output variable `x` is out of range"),
        ("number", 1e19, "Output variable `x` is out of range"),
        ("number", math.inf, "Output variable `x` is out of range"),
        ("number", math.nan, "Output variable `x` is out of range"),
        ("number", 1e-21, "Output variable `x` has too high precision, it must be less than 20 digits."),
        ("array[number]", [0, 2**70], "Output variable `x[1]` is out of range"),
        ("string", "a" * 400_001, "The length of output variable `x` must be less than 400000 characters"),
        ("array[string]", ["a"] * 31, "The length of output variable `x` must be less than 30 elements; it has 31."),
        ("array[object]", [{}] * 31, "The length of output variable `x` must be less than 30 elements"),
        ("array[number]", [1] * 1001, "The length of output variable `x` must be less than 1000 elements"),
        ("object", {"a": [1, "b"]}, "Output x.a is not a valid array."),
        ("object", {"a": {"b": 10**30}}, "Output variable `x.a.b` is out of range"),
    ],
)
async def test_a_value_of_another_type_or_size_fails(kind: str, value: Any, message: str):
    error_type, told = await fault({"x": value}, x=kind)

    assert error_type == "OutputValidationError"
    assert told.startswith(message)


async def test_every_declared_output_must_be_there():
    assert await fault({"a": 1}, a="number", b="string") == ("OutputValidationError", "Output b is missing.")


async def test_other_outputs_are_refused():
    error_type, message = await fault({"a": 1, "more": 2}, a="number")

    assert error_type == "CodeNodeError"
    assert message.startswith("Not all output parameters are validated.")
    assert "'more'" in message


async def test_declared_fields_of_objects_are_checked_all_the_way_down():
    inner = {"type": "object", "children": {"b": {"type": "array[number]"}, "c": {"type": "string"}}}
    declared = {"type": "object", "children": {"o": inner}}

    assert await outputs({"a": {"o": {"b": [True], "c": "x\0", "more": 1}}}, a=declared) == {
        "a": {"o": {"b": [1], "c": "x", "more": 1}}
    }
    assert (await fault({"a": {"o": {"b": [1]}}}, a=declared))[1] == "Output a.o.c is missing."
    assert (await fault({"a": {}}, a=declared))[1] == "Output a.o is missing."
    assert (await fault({"a": {"o": {"b": ["1"], "c": ""}}}, a=declared))[1].startswith("Output a.o.b[0] must be")


def nested(depth: int) -> dict[str, Any]:
    """An object of `depth` levels."""
    value: dict[str, Any] = {"end": 1}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


async def test_the_depth_is_limited_with_and_without_declarations():
    assert await outputs(nested(5)) == nested(5)
    assert await fault(nested(6)) == ("DepthLimitError", "Depth limit 5 reached, object too deep.")
    assert await outputs({"x": nested(4)}, x="object") == {"x": nested(4)}
    assert (await fault({"x": nested(5)}, x="object"))[0] == "DepthLimitError"
    assert (await fault({"x": [nested(5)]}, x="array[object]"))[0] == "DepthLimitError"


async def test_without_declared_outputs_the_structure_is_checked():
    good = {"s": "a", "n": 1.5, "b": True, "z": None, "l": [1, 2.5, None], "o": {"k": ["a"]}, "e": []}

    assert await outputs(good) == good
    assert (await fault({"l": [1, "a"]}))[1].startswith("Output l is not a valid array.")
    assert (await fault({"o": {"n": 2**64}}))[1].startswith("Output variable `o.n` is out of range")
    assert await outputs({"s": "1e+20", "t": "a\0b"}) == {"s": "1e+20", "t": "ab"}


async def test_the_limits_are_the_installations():
    limits = CodeLimits(string_chars=3, number_items=1, depth=1, precision_digits=2, largest_number=9)

    assert await outputs({"a": "abc"}, limits, a="string") == {"a": "abc"}
    for value, kind in (("abcd", "string"), ([1, 2], "array[number]"), (0.125, "number"), (10, "number")):
        assert (await fault({"a": value}, limits, a=kind))[0] == "OutputValidationError"
    assert (await fault({"a": {}}, limits, a="object"))[0] == "DepthLimitError"
