"""The parameter extractor (reference `workflow-dsl.md`, 5.15)."""

import json
from typing import Any

import pytest

from nodes.doubles import OneModel, Past, Script
from tidemill.engine.errors import GraphInvalid, NodeFailed, VariableNotFound
from tidemill.engine.events import ModelCalled
from tidemill.engine.testing import NodeInspection, inspect_node
from tidemill.engine.values import Value
from tidemill.llm.errors import RateLimited
from tidemill.llm.types import ChatDelta, Feature, ToolCallDelta
from tidemill.nodes.parameter_extractor import ParameterExtractor
from tidemill.ports import History, Models

MODEL = {"provider": "openai", "name": "gpt-4o-mini", "mode": "chat", "completion_params": {}}
CITY = {"name": "city", "type": "string", "description": "城市名", "required": True}
BUDGET = {"name": "budget", "type": "number", "description": "预算", "required": True}


def call(*pieces: str) -> list[ChatDelta]:
    """A tool call whose arguments arrive in pieces."""
    first = ToolCallDelta(index=0, id="1", name="extract_parameters")
    return [
        ChatDelta(tool_calls=(first,)),
        *(ChatDelta(tool_calls=(ToolCallDelta(index=0, arguments=piece),)) for piece in pieces),
    ]


async def extract(
    script: Script, *features: Feature, parameters: list[dict[str, Any]] | None = None, past: Past | None = None,
    window_tokens: int = 8192, **config: Any,
) -> tuple[dict[str, Value], NodeInspection]:  # fmt: skip
    ports: dict[type, object] = {Models: OneModel(script, *features, window_tokens=window_tokens)}
    if past is not None:
        ports[History] = past
    return await inspect_node(
        ParameterExtractor,
        {"model": MODEL, "query": ["start", "query"], "parameters": parameters or [CITY, BUDGET], **config},
        values={("start", "query"): "去青岛，预算五千", ("start", "hint"): "yuan"},
        ports=ports,
    )


async def value_of(given: Any, **parameter: Any) -> dict[str, Value]:
    """What becomes of one value that the model gives for one parameter `p`."""
    answer = json.dumps({"p": given})
    output, _ = await extract(Script(answer), parameters=[{"name": "p", **parameter}])
    return output


# ---------------------------------------------------------------- the two modes


async def test_a_model_with_tools_is_asked_for_a_call_of_the_schema():
    script = Script(*call('{"city": "青', '岛", "budget": 5000}'))

    output, seen = await extract(script, "tool-call")

    assert (output["city"], output["budget"]) == ("青岛", 5000)
    assert (output["__is_success"], output["__reason"]) == (1, "")
    (request,) = script.requests
    (tool,) = request.tools
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "城市名"},
            "budget": {"type": "number", "description": "预算"},
        },
        "required": ["city", "budget"],
    }
    assert seen.process["reasoning_mode"] == "function_call"


async def test_a_model_that_answers_in_text_though_it_has_the_tool_is_read_too():
    output, _ = await extract(Script('Here: {"city": "青岛", "budget": 5000}'), "multi-tool-call")

    assert (output["city"], output["budget"], output["__is_success"]) == ("青岛", 5000, 1)


async def test_a_model_without_tools_is_asked_by_prompt():
    script = Script('{"city": "青岛", "budget": 5000}')

    output, seen = await extract(script)

    assert output["__is_success"] == 1
    assert script.requests[0].tools == ()
    assert '"budget": {"type": "number", "description": "预算"}' in script.requests[0].messages[-1].text
    assert seen.process["reasoning_mode"] == "prompt"


async def test_prompt_mode_offers_no_tool_even_to_a_model_that_has_them():
    script = Script('{"city": "青岛", "budget": 5000}')

    await extract(script, "tool-call", reasoning_mode="prompt")

    assert script.requests[0].tools == ()


async def test_the_instruction_is_a_template_and_the_text_is_not():
    script = Script("{}")

    await extract(script, instruction="Budgets are in {{#start.hint#}}.", query=["start", "query"])

    assert "Budgets are in yuan." in script.requests[0].messages[0].text


async def test_history_stands_between_rules_and_text_and_is_trimmed_to_the_window():
    script = Script("{}")
    past = Past(*[(f"question {number} " + "word " * 300, "answer") for number in range(20)])

    _, seen = await extract(script, past=past, memory={"window": {"enabled": False}}, window_tokens=2048)

    (called,) = [event for event in seen.events if isinstance(event, ModelCalled)]
    assert called.prompt_tokens + called.max_tokens <= 2048
    assert called.trimmed_messages > 0
    assert script.requests[0].messages[-2].is_history


# ---------------------------------------------------------------- finding the object


@pytest.mark.parametrize(
    "answer",
    [
        '```json\n{"city": "青岛", "budget": 5000}\n```',
        'Sure!\n{"city": "青岛", "budget": 5000}\nAnything else?',
        "{'city': '青岛', 'budget': 5000}",
        '<think>{"city": "x"}</think>{"city": "青岛", "budget": 5000}',
        '{"city": "青岛", "budget": 5000',
    ],
    ids=["fenced", "amid prose", "python quotes", "after reasoning", "cut off"],
)
async def test_the_object_is_found_and_repaired(answer: str):
    output, _ = await extract(Script(answer))

    assert (output["city"], output["budget"], output["__is_success"]) == ("青岛", 5000, 1)


# ---------------------------------------------------------------- validation


async def test_an_answer_without_an_object_is_no_failure_of_the_node():
    output, _ = await extract(Script("I cannot tell."))

    assert output["__is_success"] == 0
    assert output["__reason"] == "The model's answer holds no JSON object with the parameters."
    assert (output["city"], output["budget"]) == ("", 0)


async def test_a_missing_required_parameter_is_named_and_the_others_are_kept():
    output, _ = await extract(Script('{"city": "青岛"}'))

    assert output["__is_success"] == 0
    assert output["__reason"] == "The required parameter budget is missing."
    assert (output["city"], output["budget"]) == ("青岛", 0)


async def test_leaving_out_an_optional_parameter_fails_the_validation_too():
    output, _ = await extract(Script('{"city": "青岛"}'), parameters=[CITY, {**BUDGET, "required": False}])

    assert output["__is_success"] == 0
    assert output["__reason"] == "The model gave 1 parameters where 2 are declared."


async def test_a_key_nobody_asked_for_fails_the_validation():
    output, _ = await extract(Script('{"city": "青岛", "budget": 1, "mood": "good"}'))

    assert output["__is_success"] == 0
    assert "mood" not in output


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "empty"),
    [
        ("string", "a", 1, ""),
        ("number", 1.5, [], 0),
        ("number", 2, True, 0),
        ("boolean", True, "perhaps", False),
        ("array[string]", ["a"], "a", []),
        ("array[number]", [1, 2.5], {}, []),
        ("array[boolean]", [True], 1, []),
        ("array[object]", [{"a": 1}], None, []),
    ],
)
async def test_each_type_is_checked_and_has_an_empty_value(kind: str, right: Any, wrong: Any, empty: Any):
    good = await value_of(right, type=kind)
    bad = await value_of(wrong, type=kind)

    assert (good["p"], good["__is_success"]) == (right, 1)
    assert (bad["p"], bad["__is_success"]) == (empty, 0)
    assert bad["__reason"] == f"The parameter p is not of type {kind}."


@pytest.mark.parametrize(
    ("kind", "given", "converted"),
    [
        ("number", "5000", 5000),
        ("number", " 2.5 ", 2.5),
        ("number", "1e3", 1000.0),
        ("number", "five", 0),
        ("number", "1e999", 0),
        ("number", "9" * 5000, 0),
        ("boolean", "TRUE", True),
        ("boolean", "false", False),
        ("boolean", 1, True),
        ("array[number]", ["1", "x", 2], [1, 2]),
        ("array[string]", ["a", 1, None], ["a"]),
        ("array[object]", [{"a": 1}, "b"], [{"a": 1}]),
    ],
)
async def test_what_fails_validation_is_converted_where_it_can_be(kind: str, given: Any, converted: Any):
    output = await value_of(given, type=kind)

    assert (output["p"], output["__is_success"]) == (converted, 0)
    assert type(output["p"]) is type(converted)


async def test_a_string_with_options_is_one_of_them():
    inside = await value_of("red", type="select", options=["red", "blue"])
    outside = await value_of("green", type="select", options=["red", "blue"])

    assert inside["__is_success"] == 1
    assert (outside["__is_success"], outside["__reason"]) == (0, "The parameter p is none of its options.")


# ---------------------------------------------------------------- failures of the node


async def test_a_text_that_does_not_exist_fails_the_node():
    with pytest.raises(VariableNotFound):
        await extract(Script("{}"), query=["skipped", "text"])


async def test_a_model_that_cannot_be_asked_fails_the_node():
    with pytest.raises(NodeFailed) as failure:
        await extract(Script(*[RateLimited("Too many requests.")]))

    assert failure.value.error_type == "InvokeRateLimitError"


@pytest.mark.parametrize("name", ["__is_success", "__reason"])
def test_reserved_names_are_refused(name: str):
    with pytest.raises(GraphInvalid, match="reserved"):
        ParameterExtractor.parse("p", {"parameters": [{"name": name, "type": "string"}]})


async def test_no_parameters_is_said_before_asking():
    with pytest.raises(NodeFailed, match="no parameters"):
        await inspect_node(
            ParameterExtractor, {"model": MODEL, "query": ["s", "q"]}, values={("s", "q"): "x"}, ports={}
        )
