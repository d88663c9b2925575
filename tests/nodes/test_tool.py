"""The tool node: reference, section 5.11."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import pytest

from tidemill.adapters.tools import EnvironmentTools
from tidemill.engine.errors import NodeFailed
from tidemill.engine.graph import EdgeSpec, NodeSpec, RetryPolicy
from tidemill.engine.testing import Result, inspect_node, run_graph, run_node
from tidemill.engine.values import File, Selector, Value
from tidemill.nodes.tool import Tool
from tidemill.ports import (
    Http,
    ToolCall,
    ToolFailed,
    ToolMessage,
    ToolMissing,
    ToolParameter,
    ToolRef,
    Tools,
    ToolSpec,
)

FILE = File(type="image", transfer_method="tool_file", related_id="1", filename="a.png")
PARAMETERS = (
    ToolParameter(name="query", is_required=True),
    ToolParameter(name="count", type="number", form="form", default=5),
    ToolParameter(name="deep", type="boolean", form="form"),
    ToolParameter(name="extra", type="any"),
    ToolParameter(name="key", type="secret-input", form="form"),
)


class Shop:
    """One tool, of a provider that is there: keeps what it was called with and says what it was told to say."""

    def __init__(self, *messages: ToolMessage | ToolFailed, failures: int = 0) -> None:
        self.spec = ToolSpec(provider="acme", name="look", label="Look", description="", parameters=PARAMETERS)
        self.refs: list[ToolRef] = []
        self.calls: list[tuple[dict[str, Value], ToolCall]] = []
        self._messages = messages or (ToolMessage(kind="text", text="found"),)
        self._failures = failures

    async def find(self, ref: ToolRef) -> "Shop":
        self.refs.append(ref)
        if ref.provider != "acme":
            raise ToolMissing(f"The provider {ref.provider} with its tool {ref.name} is not installed here.")
        return self

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        self.calls.append((dict(arguments), call))
        if len(self.calls) <= self._failures:
            raise ToolFailed("The vendor is away.")
        for message in self._messages:
            if isinstance(message, ToolFailed):
                raise message
            yield message


def config(**changes: Any) -> dict[str, Any]:
    return {
        "provider_id": "acme",
        "provider_type": "builtin",
        "provider_name": "acme",
        "tool_name": "look",
        "tool_parameters": {"query": {"type": "mixed", "value": "about {{#start.word#}}"}},
        "tool_configurations": {},
        **changes,
    }


VALUES: dict[Selector, Value] = {("start", "word"): "lakes", ("start", "list"): ["a", 1], ("start", "none"): None}


async def called_with(shop: Shop, **changes: Any) -> dict[str, Value]:
    await run_node(Tool, config(**changes), values=VALUES, ports={Tools: shop})
    return shop.calls[0][0]


async def test_a_template_a_variable_and_a_literal_are_given():
    given = await called_with(
        Shop(),
        tool_parameters={
            "query": {"type": "mixed", "value": "about {{#start.word#}}"},
            "extra": {"type": "variable", "value": ["start", "list"]},
            "count": {"type": "constant", "value": "7"},
        },
    )

    assert given == {"query": "about lakes", "extra": ["a", 1], "count": 7}


async def test_settings_are_read_bare_and_wrapped_and_nulls_are_left_out():
    bare = await called_with(Shop(), tool_configurations={"count": 3, "deep": 1, "key": None})
    wrapped = await called_with(
        Shop(),
        tool_configurations={
            "count": {"type": "constant", "value": 3},
            "deep": {"type": "mixed", "value": "true"},
            "key": {"type": "constant", "value": None},
        },
    )

    assert bare == wrapped == {"query": "about lakes", "count": 3, "deep": True}


async def test_defaults_fill_in_and_unknown_parameters_are_left_out():
    given = await called_with(Shop(), tool_configurations={"nonsense": "x"})

    assert given == {"query": "about lakes", "count": 5}


async def test_a_variable_that_is_not_there_is_left_out_unless_it_is_required():
    lost = {"type": "variable", "value": ["gone", "x"]}

    given = await called_with(Shop(), tool_parameters={"query": {"type": "mixed", "value": "a"}, "extra": lost})
    with pytest.raises(NodeFailed, match=r"#gone\.x# not found.*query.*look") as caught:
        await called_with(Shop(), tool_parameters={"query": lost})

    assert "extra" not in given
    assert (caught.value.error_type, caught.value.is_retryable) == ("ToolParameterError", False)


async def test_a_required_parameter_without_a_value_is_named():
    with pytest.raises(NodeFailed, match="needs a value for query") as caught:
        await called_with(Shop(), tool_parameters={"query": {"type": "variable", "value": ["start", "none"]}})

    assert caught.value.error_type == "ToolParameterError"


async def test_messages_become_outputs():
    shop = Shop(
        ToolMessage(kind="text", text="Hello"),
        ToolMessage(kind="json", data={"a": 1}),
        ToolMessage(kind="file", file=FILE),
        ToolMessage(kind="variable", name="result", data=[1]),
    )

    output = await run_node(Tool, config(), values=VALUES, ports={Tools: shop})

    assert output == {"text": "Hello", "json": [{"a": 1}], "files": [FILE], "result": [1]}


async def test_the_trace_shows_the_arguments_and_hides_secrets():
    _, inspection = await inspect_node(
        Tool, config(tool_configurations={"key": "hush-hush"}), values=VALUES, ports={Tools: Shop()}
    )

    assert inspection.inputs == {"query": "about lakes", "count": 5, "key": "********"}


async def test_a_missing_provider_fails_naming_it_and_the_tool_and_is_not_retried():
    with pytest.raises(NodeFailed, match=r"acme/crm/crm.*look") as caught:
        await run_node(Tool, config(provider_id="acme/crm/crm"), values=VALUES, ports={Tools: Shop()})

    assert (caught.value.error_type, caught.value.is_retryable) == ("ToolNodeError", False)


async def test_without_a_server_a_foreign_tool_fails_with_what_to_do():
    with pytest.raises(NodeFailed, match=r"acme/crm/crm.*look.*not installed.*OpenAPI"):
        await run_node(Tool, config(provider_id="acme/crm/crm"), values=VALUES, ports={Tools: EnvironmentTools({})})


async def test_the_reference_says_what_the_file_says():
    shop = Shop()

    await run_node(
        Tool, config(provider_type="api", credential_id="c-1", provider_name="Acme"), values=VALUES, ports={Tools: shop}
    )

    (ref,) = shop.refs
    assert ref == ToolRef(kind="api", provider="acme", name="look", credential_id="c-1", provider_name="Acme")


async def test_the_same_place_of_a_run_keeps_its_key_and_another_has_another():
    shop = Shop()

    for _ in range(2):
        await run_node(Tool, config(), values=VALUES, ports={Tools: shop})

    first, second = (call.idempotency_key for _, call in shop.calls)
    assert first == second
    assert len(first) == 32


async def test_the_tool_asks_the_run_s_ports_and_is_told_when_there_is_none():
    shop = Shop()
    http = object()

    await run_node(Tool, config(), values=VALUES, ports={Tools: shop, Http: http})

    _, call = shop.calls[0]
    assert call.port(Http) is http
    with pytest.raises(ToolFailed, match=r"no tools|no shop"):
        call.port(Shop)


RETRY = RetryPolicy(max_retries=2, interval_s=0)
EDGES = [
    EdgeSpec("start", "tool"),
    EdgeSpec("tool", "answer"),
    EdgeSpec("tool", "sorry", "fail-branch"),
]


async def run(
    shop: Shop,
    *,
    retry: RetryPolicy | None = None,
    error_strategy: Literal["fail-branch"] | None = None,
    **changes: Any,
) -> Result:
    data = config(tool_parameters={"query": "x"}, **changes)
    nodes = [
        NodeSpec(id="start", type="start", data={"variables": []}),
        NodeSpec(id="tool", type="tool", data=data, retry=retry, error_strategy=error_strategy),
        NodeSpec(id="answer", type="answer", data={"answer": "{{#tool.text#}}"}),
        NodeSpec(id="sorry", type="answer", data={"answer": "Sorry: {{#tool.error_message#}}"}),
    ]
    # Without the strategy nothing leads to the second answer, and it would be said.
    count = 4 if error_strategy else 3
    return await run_graph(nodes[:count], EDGES[: count - 1], ports={Tools: shop})


async def test_text_is_streamed_piece_by_piece():
    result = await run(Shop(ToolMessage(kind="text", text="One "), ToolMessage(kind="text", text="two")))

    assert result.pieces == ["One ", "two"]
    assert result.finished.outputs["answer"] == "One two"


async def test_a_failing_tool_is_called_again_when_retries_are_on():
    shop = Shop(failures=1)

    result = await run(shop, retry=RETRY)

    assert result.finished.status == "succeeded"
    assert len(shop.calls) == 2
    assert shop.calls[0][1].idempotency_key == shop.calls[1][1].idempotency_key


async def test_a_missing_tool_is_not_asked_for_again():
    shop = Shop()

    result = await run(shop, provider_id="gone", retry=RETRY)

    assert result.finished.status == "failed"
    assert len(shop.refs) == 1


async def test_a_failing_tool_takes_its_fail_branch():
    result = await run(Shop(ToolFailed("The vendor is away.")), error_strategy="fail-branch")

    assert result.finished.outputs["answer"] == "Sorry: The vendor is away."
    (node,) = result.nodes("tool")
    assert node.error_type == "ToolInvokeError"
