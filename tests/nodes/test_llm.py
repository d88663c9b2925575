"""The LLM node's call, outputs and errors (reference `workflow-dsl.md`, 5.4)."""

import asyncio
from typing import Any

import pytest

from nodes.doubles import Echo, OneModel, Script
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import Event, ModelCalled, ReasoningDelta, ResourcesRetrieved
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Run
from tidemill.engine.testing import NodeInspection, inspect_node, run_graph
from tidemill.engine.values import Value, VariablePool
from tidemill.llm.errors import (
    BadCredential,
    BadRequest,
    ModelUnavailable,
    QuotaExceeded,
    RateLimited,
    StreamBroken,
)
from tidemill.llm.types import ChatDelta, ChatRequest, ModelRef
from tidemill.nodes.llm import LLM
from tidemill.ports import Models, Templates

MODEL = {"provider": "langgenius/openai/openai", "name": "gpt-4o-mini", "mode": "chat", "completion_params": {}}
ASK = [{"role": "user", "text": "{{#sys.query#}}"}]


async def ask(
    script: Script, config: dict[str, Any] | None = None, *, model: OneModel | None = None, **values: Value
) -> tuple[dict[str, Any], NodeInspection]:
    pool: dict[tuple[str, ...], Value] = {("sys", "query"): "Hi"}
    pool |= {("n", name): value for name, value in values.items()}
    return await inspect_node(
        LLM,
        {"model": MODEL, "prompt_template": ASK, **(config or {})},
        values=pool,
        ports={Models: model or OneModel(script), Templates: Echo()},
    )


def with_params(**params: Any) -> dict[str, Any]:
    return {"model": {**MODEL, "completion_params": params}}


async def request_of(config: dict[str, Any], *, model: OneModel | None = None, **values: Value) -> ChatRequest:
    script = Script()
    await ask(script, config, model=model or OneModel(script), **values)
    return script.requests[0]


def of(kind: type[Event], seen: NodeInspection) -> list[Any]:
    return [event for event in seen.events if isinstance(event, kind)]


# ---------------------------------------------------------------- outputs


async def test_it_gives_text_usage_and_finish_reason():
    output, seen = await ask(Script("Hel", "lo"))

    assert output["text"] == "Hello"
    assert output["reasoning_content"] == ""
    assert output["finish_reason"] == "stop"
    assert output["files"] == []
    assert "structured_output" not in output
    assert list(output["usage"]) == [
        "prompt_tokens",
        "prompt_unit_price",
        "prompt_price_unit",
        "prompt_price",
        "completion_tokens",
        "completion_unit_price",
        "completion_price_unit",
        "completion_price",
        "total_tokens",
        "total_price",
        "currency",
        "latency",
        "time_to_first_token",
        "time_to_generate",
    ]
    assert (output["usage"]["prompt_tokens"], output["usage"]["completion_tokens"]) == (7, 3)
    assert output["usage"]["total_tokens"] == 10
    assert output["usage"]["latency"] >= 0
    assert seen.ctx.usage is not None
    assert seen.ctx.usage.total_tokens == 10


async def test_the_model_is_asked_for_by_the_names_in_the_file():
    model = OneModel(Script())

    await ask(Script(), model=model)

    assert model.refs == [ModelRef("langgenius/openai/openai", "gpt-4o-mini")]


async def test_the_call_is_reported_with_its_budget():
    _, seen = await ask(Script(), with_params(max_tokens=100))

    (call,) = of(ModelCalled, seen)
    assert (call.provider, call.model) == ("openai", "gpt-4o-mini")
    assert call.window_tokens == 8192
    assert (call.requested_max_tokens, call.max_tokens) == (100, 100)
    assert 0 < call.prompt_tokens < 20
    assert call.is_exact is True
    assert call.is_usage_estimated is False
    assert call.usage.total_tokens == 10


async def test_the_prompt_as_sent_is_kept_for_the_trace():
    _, seen = await ask(
        Script(), {"prompt_template": [{"role": "system", "text": "Be {{#n.mood#}}."}, *ASK]}, mood="kind"
    )

    assert seen.process["prompts"] == [
        {"role": "system", "text": "Be kind.", "files": []},
        {"role": "user", "text": "Hi", "files": []},
    ]
    assert seen.process["model_mode"] == "chat"
    assert seen.process["model_provider"] == MODEL["provider"]
    assert seen.process["model_name"] == "gpt-4o-mini"
    assert seen.process["budget"]["window_tokens"] == 8192
    assert seen.process["usage"]["total_tokens"] == 10
    assert seen.inputs == {"#n.mood#": "kind", "#sys.query#": "Hi"}


async def test_a_secret_in_the_prompt_is_masked_in_the_trace_and_sent_as_it_is():
    script = Script()
    pool = VariablePool({"sys": {"query": "Hi"}, "env": {"token": "sk-1234567890abcd"}}, secrets=["sk-1234567890abcd"])
    journal = MemoryJournal()
    config = {"model": MODEL, "prompt_template": [{"role": "user", "text": "Use {{#env.token#}}"}]}
    nodes = [NodeSpec(id="s", type="start", data={}), NodeSpec(id="m", type="llm", data=config)]
    run = Run(
        Graph.build(nodes, [EdgeSpec("s", "m")]),
        pool,
        info=RunInfo(run_id="r"),
        ports={Models: OneModel(script)},
        journal=journal,
    )

    finished = await run.execute()

    assert finished.status == "succeeded"
    assert script.requests[0].messages[0].text == "Use sk-1234567890abcd"
    assert "sk-1234567890abcd" not in repr(journal.events)


async def test_text_streams_to_the_answer_as_it_arrives():
    nodes = [
        NodeSpec(id="s", type="start", data={}),
        NodeSpec(id="m", type="llm", data={"model": MODEL, "prompt_template": ASK}),
        NodeSpec(id="a", type="answer", data={"answer": "> {{#m.text#}}"}),
    ]

    result = await run_graph(
        nodes,
        [EdgeSpec("s", "m"), EdgeSpec("m", "a")],
        {("sys", "query"): "Hi", ("s", "sys.query"): "Hi"},
        ports={Models: OneModel(Script("one ", "two ", "three"))},
    )

    assert result.finished.answer == "> one two three"
    assert result.pieces == ["> ", "one ", "two ", "three"]


# ---------------------------------------------------------------- parameters


async def test_parameters_are_sorted_into_the_request():
    request = await request_of(
        with_params(
            temperature=0.5,
            max_tokens=64,
            stop=["a", "b", "", "c", "d", "e"],
            top_k=None,
            response_format="json_object",
            seed=7,
        )
    )

    assert request.max_tokens == 64
    assert request.stop == ("a", "b", "c", "d")
    assert request.json_object is True
    assert dict(request.params) == {"temperature": 0.5, "seed": 7}


async def test_parameters_may_be_templates_and_get_their_type():
    request = await request_of(
        with_params(temperature="{{#n.t#}}", max_tokens="{{#n.m#}}", enable_thinking="{{#n.b#}}", user="u-{{#n.m#}}"),
        t="0.25",
        m=128,
        b=True,
    )

    assert request.max_tokens == 128
    assert dict(request.params) == {"temperature": 0.25, "enable_thinking": True, "user": "u-128"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"temperature": "{{#n.t#}}"}, 'temperature is "warm", which is not a number'),
        ({"user": "{{#n.long#}}"}, "user has 2000 characters"),
        ({"response_format": "json_schema", "json_schema": "{"}, "json_schema is not JSON"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(params: dict[str, Any], message: str):
    with pytest.raises(NodeFailed, match=message) as failure:
        await ask(Script(), with_params(**params), t="warm", long="x" * 2000)

    assert failure.value.is_retryable is False


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string"}}},
        '{"type": "object", "properties": {"a": {"type": "string"}}}',
        {"name": "x", "strict": True, "schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
    ],
)
async def test_a_schema_among_the_parameters_is_sent(schema: Any):
    script = Script()
    model = OneModel(script, "json-schema")

    await ask(script, with_params(response_format="json_schema", json_schema=schema), model=model)

    assert script.requests[0].json_schema == {"type": "object", "properties": {"a": {"type": "string"}}}


async def test_without_max_tokens_the_answer_gets_what_is_left():
    script = Script()
    _, seen = await ask(script, model=OneModel(script, window_tokens=200))

    (call,) = of(ModelCalled, seen)
    assert call.requested_max_tokens is None
    assert call.max_tokens == 200 - call.prompt_tokens


# ---------------------------------------------------------------- reasoning

THINKING = ["<th", "ink>\nLet me", " see</TH", "INK>\n\nFour", " <b>", "<think>sure?", "</think>."]


async def test_reasoning_stays_in_the_text_by_default():
    output, _ = await ask(Script(*THINKING))

    assert output["text"] == "".join(THINKING)
    assert output["reasoning_content"] == ""


async def test_separated_reasoning_leaves_the_text():
    output, seen = await ask(Script(*THINKING), {"reasoning_format": "separated"})

    assert output["text"] == "Four <b>."
    assert output["reasoning_content"] == "Let me see\nsure?"
    pieces = of(ReasoningDelta, seen)
    assert "".join(piece.text for piece in pieces) == "Let me see\nsure?"
    assert [piece.is_final for piece in pieces][-2:] == [False, True]


@pytest.mark.parametrize(
    ("pieces", "text", "reasoning"),
    [
        (["no tags < at > all"], "no tags < at > all", ""),
        (["a <thin"], "a <thin", ""),
        (["a <think>never closed"], "a ", "never closed"),
        (["<think></think>x"], "x", ""),
        (["<think>a</think", ">b"], "b", "a"),
        (["<think>a</thin", "k b</think>c"], "c", "a</think b"),
        (list("<think>one</think>two"), "two", "one"),
        (["a</think>b"], "a</think>b", ""),
    ],
)
async def test_think_tags_may_span_pieces(pieces: list[str], text: str, reasoning: str):
    output, _ = await ask(Script(*pieces), {"reasoning_format": "separated"})

    assert (output["text"], output["reasoning_content"]) == (text, reasoning)


async def test_a_providers_own_reasoning_is_tagged_or_separated():
    deltas = (ChatDelta(reasoning="I "), ChatDelta(reasoning="think"), ChatDelta(text="Yes"), ChatDelta(text="."))

    tagged, _ = await ask(Script(*deltas))
    separated, _ = await ask(Script(*deltas), {"reasoning_format": "separated"})
    only, _ = await ask(Script(ChatDelta(reasoning="Hm")))

    assert tagged["text"] == "<think>\nI think\n</think>Yes."
    assert (separated["text"], separated["reasoning_content"]) == ("Yes.", "I think")
    assert only["text"] == "<think>\nHm\n</think>"


# ---------------------------------------------------------------- structured output

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}
STRUCTURED = {"structured_output_enabled": True, "structured_output": {"schema": SCHEMA}}


async def test_a_model_that_knows_schemas_is_sent_the_schema():
    script = Script('{"city": "Rome"}')

    output, _ = await ask(script, STRUCTURED, model=OneModel(script, "json-schema"))

    assert script.requests[0].json_schema == SCHEMA
    assert output["structured_output"] == {"city": "Rome"}
    assert output["text"] == '{"city": "Rome"}'


async def test_any_other_model_is_told_the_schema():
    script = Script('{"city": "Rome"}')

    output, _ = await ask(script, STRUCTURED, model=OneModel(script, "json-object"))

    (request,) = script.requests
    assert request.json_schema is None
    assert request.json_object is True
    assert any('"additionalProperties"' in message.text for message in request.messages if message.role == "system")
    assert output["structured_output"] == {"city": "Rome"}


async def test_the_older_name_of_the_switch_works():
    script = Script('{"city": "Rome"}')
    config = {"structured_output_switch_on": True, "structured_output": {"schema": SCHEMA}}

    output, _ = await ask(script, config)

    assert output["structured_output"] == {"city": "Rome"}


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"city": "Rome"}\n```',
        "{'city': 'Rome'}",
        '{"city": "Rome"',
        '<think>{"city": "no"}</think>{"city": "Rome"}',
        '[{"city": "Rome"}, {"city": "Oslo"}]',
        'Sure! {"city": "Rome"}',
    ],
)
async def test_an_answer_is_repaired(text: str):
    output, _ = await ask(Script(text), STRUCTURED)

    assert output["structured_output"] == {"city": "Rome"}


@pytest.mark.parametrize("text", ["no idea", "[1]", '{"days": 3}', '{"city": 5}', '{"city": "Rome", "x": 1}', ""])
async def test_an_answer_of_another_shape_fails(text: str):
    with pytest.raises(NodeFailed) as failure:
        await ask(Script(text), STRUCTURED)

    assert failure.value.error_type == "OutputParserError"


@pytest.mark.parametrize("structured", [{}, {"schema": None}, {"schema": {}}, None])
async def test_structured_output_without_schema_fails(structured: Any):
    with pytest.raises(NodeFailed, match="JSON schema is missing"):
        await ask(Script(), {"structured_output_enabled": True, "structured_output": structured})


async def test_an_unusable_schema_fails_without_fetching_anything():
    schema = {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/a.json"}}}
    config = {"structured_output_enabled": True, "structured_output": {"schema": schema}}

    with pytest.raises(NodeFailed, match="remote schemas are not fetched"):
        await ask(Script('{"a": 1}'), config)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("error", "error_type", "is_retryable"),
    [
        (BadCredential("The key was refused."), "InvokeAuthorizationError", False),
        (RateLimited("Too many requests."), "InvokeRateLimitError", True),
        (BadRequest("The request was refused."), "InvokeBadRequestError", False),
        (ModelUnavailable("The provider did not answer."), "InvokeServerUnavailableError", True),
        (QuotaExceeded("No credit is left."), "QuotaExceededError", False),
        (StreamBroken("The stream ended early."), "StreamBroken", True),
    ],
)
async def test_a_providers_error_has_a_name(error: Any, error_type: str, is_retryable: bool):
    with pytest.raises(NodeFailed, match=str(error)) as failure:
        await ask(Script(error))

    assert failure.value.error_type == error_type
    assert failure.value.is_retryable is is_retryable


async def test_a_model_that_is_not_configured_is_named():
    with pytest.raises(NodeFailed, match="gpt-4o-mini of langgenius/openai/openai") as failure:
        await ask(Script(), model=OneModel(Script(), is_configured=False))

    assert failure.value.error_type == "ModelNotConfigured"


async def test_a_node_without_a_model_says_so():
    with pytest.raises(NodeFailed, match="has no model"):
        await ask(Script(), {"model": None})


async def test_a_prompt_over_the_window_fails_before_anything_is_sent():
    script = Script()

    with pytest.raises(NodeFailed, match="context window") as failure:
        await ask(
            script, model=OneModel(script, window_tokens=100), config={"prompt_template": [{"text": "a b " * 99}]}
        )

    assert failure.value.error_type == "ContextExceeded"
    assert failure.value.is_retryable is False
    assert script.requests == []


async def test_a_call_that_breaks_off_is_still_accounted_for():
    script = Script("Half an ", StreamBroken("The stream ended early."))
    config = {"model": MODEL, "prompt_template": ASK}
    nodes = [NodeSpec(id="s", type="start", data={}), NodeSpec(id="m", type="llm", data=config)]

    result = await run_graph(nodes, [EdgeSpec("s", "m")], {("sys", "query"): "Hi"}, ports={Models: OneModel(script)})

    (call,) = [event for event in result.events if isinstance(event, ModelCalled)]
    assert result.finished.status == "failed"
    assert call.is_usage_estimated is True
    assert call.usage.completion_tokens > 0
    assert result.finished.total_tokens == call.usage.total_tokens


async def test_stopping_closes_the_stream():
    script = Script("Half an ")
    script.hangs = True
    task = asyncio.create_task(ask(script))
    while not script.requests:
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert script.is_closed is True


# ---------------------------------------------------------------- citations


async def test_passages_of_a_knowledge_base_are_announced():
    passage = {
        "content": "Tea grows in Assam.",
        "title": "tea.md",
        "metadata": {"_source": "knowledge", "score": 0.9, "document_id": "d1"},
    }
    config = {
        "context": {"enabled": True, "variable_selector": ["n", "result"]},
        "prompt_template": [{"role": "user", "text": "{{#context#}}"}],
    }

    _, seen = await ask(Script(), config, result=[passage])

    (event,) = of(ResourcesRetrieved, seen)
    assert event.resources == [{"score": 0.9, "document_id": "d1", "content": "Tea grows in Assam.", "title": "tea.md"}]
