"""The agent node, against the reference's sections 5.12 and 7.6."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from agent.doubles import FakeTool, Lines, ScriptedModels, Shed, calls, model_of, picture
from nodes.doubles import Past as Conversation
from nodes.doubles import Shelf
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import (
    AgentLogged,
    AgentThought,
    CallRecorded,
    Event,
    FileProduced,
    ModelCalled,
    NodeFinished,
    RunFinished,
    TextDelta,
    TextReplaced,
)
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.past import NOTHING, Past
from tidemill.engine.scheduler import Run
from tidemill.engine.testing import NodeInspection, inspect_node, pool_of
from tidemill.engine.values import Value
from tidemill.llm.types import Feature, MediaPart
from tidemill.nodes.agent import Agent, BoundAgent
from tidemill.ports import (
    Files,
    History,
    Knowledge,
    McpServers,
    Models,
    Passage,
    PastCall,
    PastThought,
    ToolFailed,
    ToolMessage,
    ToolParameter,
    Tools,
    Turn,
)

MODEL = {"provider": "langgenius/openai/openai", "model": "gpt-4o-mini", "mode": "chat", "completion_params": {}}
WEATHER = ("weather", '{"city": "Oslo"}')
ENTRY = {"enabled": True, "type": "builtin", "provider_name": "p", "tool_name": "weather", "tool_label": "Weather"}


def constant(**values: Any) -> dict[str, Any]:
    return {name: {"type": "constant", "value": value} for name, value in values.items()}


def settings(*entries: dict[str, Any], **values: Any) -> dict[str, Any]:
    given = {"model": MODEL, "tools": list(entries), "instruction": "Be brief.", "query": "How is Oslo?", **values}
    return {"agent_strategy_name": "function_calling", "agent_parameters": constant(**given)}


async def run_agent(
    config: Mapping[str, Any],
    wire: Lines,
    *tools: FakeTool,
    features: Sequence[Feature] = ("tool-call",),
    values: Mapping[tuple[str, ...], Value] | None = None,
    ports: Mapping[type, object] | None = None,
    kind: Any = Agent,
    secrets: Sequence[str] = (),
) -> tuple[dict[str, Any], NodeInspection]:
    model = model_of(wire, *features, window_tokens=64_000)
    given = {Models: ScriptedModels(model), Tools: Shed(*tools), **(ports or {})}
    return await inspect_node(kind, config, values=values, ports=given, secrets=secrets)


async def test_an_agent_calls_a_tool_and_gives_text_files_json_and_usage():
    made = [ToolMessage(kind="json", data={"degrees": 12}), ToolMessage(kind="file", file=picture())]
    tool, wire = FakeTool(messages=made), Lines(calls(WEATHER), "It is sunny.")

    outputs, seen = await run_agent(settings(ENTRY), wire, tool)

    assert outputs["text"] == "It is sunny."
    assert [file.filename for file in outputs["files"]] == ["chart.png"]
    assert outputs["json"][-1] == {"degrees": 12}
    assert [entry["label"] for entry in outputs["json"][:-1]] == [
        *("ROUND 1", "gpt-4o-mini Thought", "CALL weather"),
        *("ROUND 2", "gpt-4o-mini Thought"),
    ]
    assert {entry["status"] for entry in outputs["json"][:-1]} == {"success"}
    assert outputs["usage"]["total_tokens"] == 30
    assert seen.ctx.usage is not None
    assert seen.ctx.usage.total_tokens == 30
    assert tool.calls == [{"city": "Oslo"}]


async def test_its_steps_are_logged_under_one_id_each_as_they_fill_in():
    _, seen = await run_agent(settings(ENTRY), Lines(calls(WEATHER), "It is sunny."), FakeTool())

    logs = [event for event in seen.events if isinstance(event, AgentLogged)]
    told: dict[str, list[str]] = {}
    for log in logs:
        told.setdefault(log.log_id, []).append(log.status)
    assert list(told.values()) == [["start", "success"]] * 5
    first = logs[0]
    assert (first.label, first.parent_id) == ("ROUND 1", None)
    assert {log.parent_id for log in logs[1:3]} == {first.log_id}
    call = next(log for log in logs if log.label == "CALL weather" and log.status == "success")
    assert call.data["output"] == "sunny"
    assert call.data["tool_call_args"] == {"city": "Oslo"}
    assert not [event for event in seen.events if isinstance(event, AgentThought)]


async def test_every_model_call_is_told_with_its_budget():
    _, seen = await run_agent(settings(ENTRY), Lines(calls(WEATHER), "It is sunny."), FakeTool())

    called = [event for event in seen.events if isinstance(event, ModelCalled)]
    assert len(called) == 2
    assert all(event.prompt_tokens + event.max_tokens <= event.window_tokens == 64_000 for event in called)


async def test_texts_are_templates_and_fixed_arguments_may_be_variables():
    city = ToolParameter(name="city", is_required=True)
    units = ToolParameter(name="units", form="form")
    days = ToolParameter(name="days", type="number")
    tool = FakeTool("weather", city, units, days)
    entry = {
        **ENTRY,
        "settings": {"units": {"value": {"type": "mixed", "value": "{{#start.units#}}"}}},
        "parameters": {
            "city": {"auto": 1, "value": None},
            "days": {"auto": 0, "value": {"type": "variable", "value": ["start", "days"]}},
        },
        "extra": {"description": "Ask it for {{weather}}"},
    }
    wire = Lines(calls(WEATHER), "Fine.")
    config = settings(entry, query="In {{#start.city#}}?", instruction="Speak {{#start.language#}}.")
    values = {
        ("start", "city"): "Oslo",
        ("start", "language"): "Norwegian",
        ("start", "units"): "metric",
        ("start", "days"): 3,
    }

    await run_agent(config, wire, tool, values=values)

    said = wire.requests[0].messages
    assert [message.content for message in said] == ["Speak Norwegian.", "In Oslo?"]
    assert list(wire.requests[0].tools[0].parameters["properties"]) == ["city"]
    assert wire.requests[0].tools[0].description == "Ask it for {{weather}}"
    assert tool.calls == [{"city": "Oslo", "units": "metric", "days": 3}]


async def test_plain_values_of_older_files_fill_the_form_and_leave_the_rest_to_the_model():
    limit = ToolParameter(name="max_results", type="number", form="form")
    query = ToolParameter(name="query", is_required=True)
    tool = FakeTool("search", query, limit)
    entry = {**ENTRY, "tool_name": "search", "parameters": {"max_results": 5, "query": ""}}

    await run_agent(settings(entry), Lines(calls(("search", '{"query": "tide"}')), "Found."), tool)

    assert tool.calls == [{"query": "tide", "max_results": 5}]


async def test_tools_that_are_off_are_not_offered():
    wire = Lines("Fine.")

    await run_agent(settings(ENTRY, {**ENTRY, "enabled": False, "tool_name": "gone"}), wire, FakeTool())

    assert [spec.name for spec in wire.requests[0].tools] == ["weather"]


async def test_two_tools_of_one_name_are_told_apart():
    wire = Lines("Fine.")

    await run_agent(settings(ENTRY, ENTRY), wire, FakeTool())

    assert [spec.name for spec in wire.requests[0].tools] == ["weather", "weather_2"]


async def test_a_tool_that_is_missing_fails_a_node_and_is_named():
    with pytest.raises(NodeFailed, match="The tool weather of p is not installed"):
        await run_agent(settings(ENTRY), Lines("Fine."))


async def test_an_agent_app_goes_without_a_missing_tool_and_says_so_in_its_trace():
    wire = Lines("Fine.")

    outputs, seen = await run_agent({**settings(ENTRY), "is_app": True}, wire)

    assert outputs["text"] == "Fine."
    assert not wire.requests[0].tools
    assert seen.process["missing_tools"] == ["The tool weather of p is not installed. Install it."]


@pytest.mark.parametrize(
    ("strategy", "features", "is_app", "calls_tools"),
    [
        ("function_calling", (), False, True),
        ("function_calling", (), True, True),
        ("ReAct", ("tool-call",), False, False),
        ("ReAct", ("tool-call",), True, True),
        ("ReAct", ("multi-tool-call",), True, True),
        ("ReAct", (), True, False),
        ("mcp_sse_function_calling", (), False, True),
        ("mcp_sse_ReAct", ("tool-call",), False, False),
        ("something_new", ("tool-call",), False, True),
        ("something_new", (), False, False),
    ],
)
async def test_the_strategy_decides_and_apps_upgrade_to_function_calling(
    strategy: str, features: tuple[Feature, ...], is_app: bool, calls_tools: bool
):
    wire = Lines("Fine.")
    config = {**settings(ENTRY), "agent_strategy_name": strategy, "is_app": is_app}

    await run_agent(config, wire, FakeTool(), features=features)

    assert bool(wire.requests[0].tools) is calls_tools


async def test_too_many_rounds_end_the_node_with_the_error_s_name():
    config = settings(ENTRY, maximum_iterations=1)

    with pytest.raises(NodeFailed, match="limit of 1 iterations") as caught:
        await run_agent(config, Lines(calls(WEATHER)), FakeTool())

    assert caught.value.error_type == "AgentMaxIterationError"


async def test_an_agent_without_instruction_and_query_is_refused():
    with pytest.raises(NodeFailed, match="nothing to do"):
        await run_agent(settings(instruction="", query=" "), Lines("Fine."))


async def test_a_context_is_told_with_the_instruction():
    wire = Lines("Fine.")
    passages = [{"content": "Oslo is by the sea.", "metadata": {"_source": "knowledge"}}]
    config = settings()
    config["agent_parameters"]["context"] = {"type": "variable", "value": ["k", "result"]}

    await run_agent(config, wire, values={("k", "result"): passages})

    assert "<context>\nOslo is by the sea.\n</context>" in str(wire.requests[0].messages[0].content)


async def test_secrets_are_masked_in_what_is_logged_and_not_in_what_the_tool_gets():
    city, key = ToolParameter(name="city"), ToolParameter(name="key", form="form")
    tool = FakeTool("weather", city, key, answer="the key is tide-secret-1")
    entry = {**ENTRY, "settings": {"key": {"value": "{{#env.KEY#}}"}}}
    wire = Lines(calls(WEATHER), "Fine.")

    _, seen = await run_agent(
        {**settings(entry), "is_app": True},
        wire,
        tool,
        values={("env", "KEY"): "tide-secret-1"},
        secrets=["tide-secret-1"],
    )

    assert tool.calls[0]["key"] == "tide-secret-1"
    shown = [event for event in seen.events if isinstance(event, AgentLogged | AgentThought | CallRecorded)]
    assert "tide-secret-1" not in repr(shown)


# ---------------------------------------------------------------- agent apps


async def test_an_agent_app_tells_a_thought_for_each_round_and_its_files():
    made = [ToolMessage(kind="file", file=picture()), ToolMessage(kind="text", text="drawn")]
    wire = Lines(calls(WEATHER, text="Let me look."), "It is sunny.")

    outputs, seen = await run_agent({**settings(ENTRY), "is_app": True}, wire, FakeTool(messages=made))

    thoughts = [event for event in seen.events if isinstance(event, AgentThought)]
    assert [thought.position for thought in thoughts] == [1, 1, 1, 2, 2]
    assert len({thought.thought_id for thought in thoughts}) == 2
    first, last = thoughts[2], thoughts[-1]
    assert (first.thought, first.tool) == ("Let me look.", "weather")
    assert json.loads(first.tool_input) == {"weather": {"city": "Oslo"}}
    assert json.loads(first.observation)["weather"].endswith("drawn")
    assert first.tool_labels == {"weather": {"en_US": "Weather", "zh_Hans": "Weather"}}
    (file,) = [event.file for event in seen.events if isinstance(event, FileProduced)]
    assert first.file_ids == [file["id"]]
    assert (last.thought, last.tool, last.observation) == ("It is sunny.", "", "")
    assert outputs["text"] == "Let me look.\n\nIt is sunny."


async def test_calls_of_one_tool_in_one_answer_are_told_as_lists():
    wire = Lines(calls(("weather", '{"city": "Oslo"}'), ("weather", '{"city": "Rome"}')), "Both.")
    tool = FakeTool(answer=lambda given: f"{given['city']} is fine")

    _, seen = await run_agent({**settings(ENTRY), "is_app": True}, wire, tool)

    thought = next(event for event in seen.events if isinstance(event, AgentThought) and event.observation)
    assert thought.tool == "weather;weather"
    assert json.loads(thought.tool_input) == {"weather": [{"city": "Oslo"}, {"city": "Rome"}]}
    assert json.loads(thought.observation) == {"weather": ["Oslo is fine", "Rome is fine"]}


async def test_history_is_told_with_tool_calls_and_results():
    call = PastCall(name="weather", arguments='{"city": "Rome"}', observation="rain")
    thoughts = (PastThought(thought="Look.", calls=(call,)), PastThought(thought="It rains."))

    class Thinking(Conversation):
        async def turns(self, limit: int) -> Sequence[Turn]:
            return [Turn(query="And Rome?", answer="Look.\n\nIt rains.", thoughts=thoughts)]

    wire = Lines("Sunny.")
    config = {**settings(ENTRY), "memory": {"window": {"enabled": False}}}

    await run_agent(config, wire, FakeTool(), ports={History: Thinking()})

    said = wire.requests[0].messages
    assert [message.role for message in said] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert [message.content for message in said[1:5]] == ["And Rome?", "Look.", "rain", "It rains."]
    assert said[2].tool_calls[0].arguments == '{"city": "Rome"}'


async def test_pictures_of_the_message_reach_a_model_that_sees():
    file = picture("x.png")
    wire = Lines("A cat.")
    config = {**settings(), "is_app": True, "vision": {"enabled": True, "configs": {"detail": "low"}}}

    await run_agent(
        config,
        wire,
        features=("vision",),
        values={("sys", "files"): [file]},
        ports={Files: Shelf(x_png=b"png")},
    )

    part = wire.requests[0].messages[-1].content[0]
    assert isinstance(part, MediaPart)
    assert part.detail == "low"


class Library:
    """`ports.Knowledge` with one passage."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def retrieve(
        self, *, query: str, dataset_ids: Sequence[str], options: Mapping[str, Any]
    ) -> Sequence[Passage]:
        self.asked.append((query, tuple(dataset_ids)))
        return [Passage(content="Mills grind.", title="Mills", metadata={"dataset_id": dataset_ids[0]})]


async def test_knowledge_bases_are_tools_one_for_all_or_one_for_each():
    library, wire = Library(), Lines(calls(("dataset_retrieval", '{"query": "mills"}')), "They grind.")
    config = {**settings(), "dataset_ids": ["a", "b"], "retrieval": {"retrieval_model": "multiple"}}

    _, seen = await run_agent(config, wire, ports={Knowledge: library})

    assert library.asked == [("mills", ("a", "b"))]
    assert wire.requests[1].messages[-1].content == "Mills grind."
    cited = [event for event in seen.events if type(event).__name__ == "ResourcesRetrieved"]
    assert cited[0].resources[0]["title"] == "Mills"  # type: ignore[attr-defined]

    single = Lines("Fine.")
    await run_agent({**config, "retrieval": {"retrieval_model": "single"}}, single, ports={Knowledge: library})

    assert [spec.name for spec in single.requests[0].tools] == ["dataset_retrieval", "dataset_retrieval_2"]


async def test_without_knowledge_here_the_agent_says_so_in_its_trace():
    wire = Lines("Fine.")

    _, seen = await run_agent({**settings(), "dataset_ids": ["a"]}, wire)

    assert not wire.requests[0].tools
    assert seen.process["missing_knowledge"] == ["a"]


# ---------------------------------------------------------------- MCP servers


class Servers:
    """`ports.McpServers` with one tool, or a fault."""

    def __init__(self, *tools: FakeTool, fault: str = "") -> None:
        self._tools = tools
        self._fault = fault
        self.configs: list[str] = []

    async def tools(self, config: str) -> Sequence[FakeTool]:
        self.configs.append(config)
        if self._fault:
            raise ToolFailed(self._fault)
        return self._tools


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mcp_server", "https://mcp.example/sse"),
        ("mcp_servers_config", '{"a": {"url": "https://mcp.example/mcp"}}'),
    ],
)
async def test_tools_of_mcp_servers_that_the_agent_names_are_offered(name: str, value: str):
    servers, wire = Servers(FakeTool("map")), Lines(calls(("map", '{"city": "Oslo"}')), "There.")

    await run_agent(settings(**{name: value}), wire, ports={McpServers: servers})

    assert servers.configs == [value]
    assert [spec.name for spec in wire.requests[0].tools] == ["map"]


async def test_an_mcp_server_that_cannot_be_reached_fails_the_node():
    servers = Servers(fault="The MCP server mcp.example did not answer. Try again later.")

    with pytest.raises(NodeFailed, match="did not answer"):
        await run_agent(settings(mcp_server="https://mcp.example"), Lines("x"), ports={McpServers: servers})


async def test_a_run_without_mcp_says_what_to_do():
    with pytest.raises(NodeFailed, match="MCP servers, and this run has no connection"):
        await run_agent(settings(mcp_server="https://mcp.example"), Lines("x"))


# ---------------------------------------------------------------- other strategies


async def test_a_dialogue_strategy_asks_for_its_facts_and_remembers():
    wire = Lines("Where to?")
    config = settings(task_schema='{"fields": [{"name": "destination"}]}', instruction="")
    config["agent_strategy_name"] = "TOD"

    await run_agent(config, wire, ports={History: Conversation(("Hi", "Hello"))})

    said = wire.requests[0].messages
    assert '"destination"' in str(said[0].content)
    assert [message.content for message in said[1:]] == ["Hi", "Hello", "How is Oslo?"]


# ---------------------------------------------------------------- crashes


async def whole_run(wire: Lines, tool: FakeTool, past: Sequence[Event] | None = None) -> list[Event]:
    """start -> agent -> answer, going on after `past`."""
    nodes = [
        NodeSpec(id="start", type="start", data={"variables": []}),
        NodeSpec(id="agent", type="agent", data={**settings(ENTRY), "is_app": True}),
        NodeSpec(id="answer", type="answer", data={"answer": "{{#agent.text#}}"}),
    ]
    journal = MemoryJournal()
    run = Run(
        Graph.build(nodes, [EdgeSpec("start", "agent"), EdgeSpec("agent", "answer")]),
        pool_of({("start", "x"): "y"}),
        info=RunInfo(run_id="run"),
        ports={Models: ScriptedModels(model_of(wire, "tool-call")), Tools: Shed(tool)},
        journal=journal,
        past=NOTHING if past is None else Past.going_on(past),
    )
    finished = await run.execute()
    assert finished.status == "succeeded"
    return journal.events


def told(events: Sequence[Event]) -> str:
    text = ""
    for event in events:
        match event:
            case TextDelta():
                text += event.text
            case TextReplaced():
                text = event.text
            case _:
                pass
    return text


def final_thoughts(events: Sequence[Event]) -> dict[str, tuple[Any, ...]]:
    return {
        event.thought_id: (event.position, event.thought, event.tool, event.tool_input, event.observation)
        for event in events
        if isinstance(event, AgentThought)
    }


async def test_a_run_cut_off_after_any_event_ends_as_if_it_had_not_been():
    answers = (calls(WEATHER, text="Let me look."), calls(("weather", '{"city": "Rome"}')), "Both are sunny.")
    first_tool = FakeTool()
    unbroken = await whole_run(Lines(*answers), first_tool)
    ended = next(event for event in unbroken if isinstance(event, RunFinished))

    for cut in range(1, len(unbroken)):
        kept = unbroken[:cut]
        asked = sum(1 for event in kept if isinstance(event, CallRecorded) and "budget" in event.response)
        done = sum(1 for event in kept if isinstance(event, CallRecorded) and "budget" not in event.response)
        wire, tool = Lines(*answers[asked:] or ("never",)), FakeTool()

        resumed = await whole_run(wire, tool, kept)

        both = [*kept, *resumed]
        again = next(event for event in both if isinstance(event, RunFinished))
        assert told(both) == told(unbroken), cut
        assert final_thoughts(both) == final_thoughts(unbroken), cut
        assert (again.answer, again.usage.total_tokens) == (ended.answer, ended.usage.total_tokens), cut
        assert len(wire.requests) == (0 if _has_ended(kept) else 3 - asked), cut
        assert set(tool.keys) <= set(first_tool.keys), cut
        assert len(tool.keys) == (0 if _has_ended(kept) else 2 - done), cut


async def test_a_run_that_is_cut_off_twice_ends_as_if_it_had_not_been():
    answers = (calls(WEATHER), calls(("weather", '{"city": "Rome"}')), calls(WEATHER), "All fine.")
    unbroken = await whole_run(Lines(*answers), FakeTool())
    ends = [number for number, event in enumerate(unbroken) if isinstance(event, CallRecorded)]

    for first in ends:
        kept = unbroken[: first + 1]
        for _ in range(2):
            asked = sum(1 for event in kept if isinstance(event, CallRecorded) and "budget" in event.response)
            wire = Lines(*answers[asked:] or ("never",))
            resumed = await whole_run(wire, FakeTool(), kept)
            assert len(wire.requests) == (0 if _has_ended(kept) else len(answers) - asked)
            assert told([*kept, *resumed]) == told(unbroken)
            assert final_thoughts([*kept, *resumed]) == final_thoughts(unbroken)
            kept = [*kept, *resumed[: len(resumed) // 2]]


def _has_ended(events: Sequence[Event]) -> bool:
    return any(isinstance(event, NodeFinished) and event.node_id == "agent" for event in events)


# ---------------------------------------------------------------- version 2

PACKAGE = {
    "soul": {
        "prompt": {"system_prompt": "You write."},
        "model": {"model_provider": "langgenius/openai/openai", "model": "gpt-4o", "model_settings": {}},
        "tools": {"dify_tools": [ENTRY]},
    }
}


def bound(*outputs: dict[str, Any], **job: Any) -> dict[str, Any]:
    given = {"workflow_prompt": "Write about {{#s.topic#}}.", "declared_outputs": list(outputs), **job}
    return {"agent_binding": {"package_ref": "w"}, "agent_job": given, "package": PACKAGE}


TOPIC = {("s", "topic"): "tides"}


async def test_a_bound_agent_gives_text_files_and_json():
    wire = Lines(calls(WEATHER), "Tides rise.")

    outputs, seen = await run_agent(bound(), wire, FakeTool(), kind=BoundAgent, values=TOPIC)

    assert outputs["text"] == "Tides rise."
    assert set(outputs) >= {"text", "files", "json"}
    assert [message.content for message in wire.requests[0].messages] == ["You write.", "Write about tides."]
    assert seen.handle == "source"


async def test_a_bound_agent_is_told_of_earlier_outputs_and_of_the_outputs_it_owes():
    wire = Lines('{"title": "Tides", "n": 3}')
    declared = [{"name": "title", "description": "Headline"}, {"name": "n", "type": "number"}]
    config = bound(*declared, previous_node_output_refs=[{"selector": ["s", "topic"]}])

    outputs, _ = await run_agent(config, wire, FakeTool(), kind=BoundAgent, values=TOPIC)

    assert outputs == {"title": "Tides", "n": 3}
    system, user = wire.requests[0].messages
    assert '"title":{"type":"string","description":"Headline"}' in str(system.content)
    assert str(user.content).endswith("s.topic:\ntides")


async def test_an_output_of_the_wrong_type_is_asked_for_again():
    wire = Lines('{"n": "three"}', "no json", '{"n": 3}')
    retry = {"enabled": True, "max_retries": 2, "retry_interval_ms": 0}
    declared = {"name": "n", "type": "number", "failure_strategy": {"retry": retry}}

    outputs, _ = await run_agent(bound(declared), wire, FakeTool(), kind=BoundAgent, values=TOPIC)

    assert outputs == {"n": 3}
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("strategy", "handle", "value"),
    [
        ({"on_failure": "default_value", "default_value": 7}, "source", 7),
        ({"on_failure": "fail_branch"}, "fail-branch", None),
    ],
)
async def test_an_output_that_stays_wrong_follows_its_strategy(strategy: dict[str, Any], handle: str, value: object):
    declared = {"name": "n", "type": "number", "failure_strategy": strategy}

    outputs, seen = await run_agent(bound(declared), Lines("{}"), FakeTool(), kind=BoundAgent, values=TOPIC)

    assert outputs["n"] == value
    assert seen.handle == handle
    assert ("error_message" in outputs) is (handle == "fail-branch")
    assert seen.process["output_faults"] == ["n: it is missing"]


async def test_an_output_that_stays_wrong_stops_the_node_by_default():
    config = bound({"name": "n", "type": "number"})

    with pytest.raises(NodeFailed, match='the output "n" as declared: it must be of type number') as caught:
        await run_agent(config, Lines('{"n": true}'), FakeTool(), kind=BoundAgent, values=TOPIC)

    assert caught.value.error_type == "AgentOutputError"


async def test_an_output_that_is_not_required_may_be_missing():
    declared = [{"name": "a"}, {"name": "b", "type": "array", "array_item": {"type": "string"}, "required": False}]

    outputs, _ = await run_agent(bound(*declared), Lines('{"a": "x"}'), FakeTool(), kind=BoundAgent, values=TOPIC)

    assert outputs == {"a": "x", "b": None}


@pytest.mark.parametrize(("verdict", "is_good"), [("PASS", True), ("FAIL: it shows a dog", False)])
async def test_a_file_output_is_one_that_a_tool_made_and_its_check_passed(verdict: str, is_good: bool):
    made = FakeTool(messages=[ToolMessage(kind="file", file=picture())])
    check = {"enabled": True, "prompt": "It shows a cat."}
    declared = {"name": "image", "type": "file", "file": {"mime_types": ["image/png"]}, "check": check}
    wire = Lines(calls(WEATHER), "Drawn.", verdict)
    ports = {Files: Shelf(chart_png=b"png")}

    if is_good:
        outputs, _ = await run_agent(bound(declared), wire, made, kind=BoundAgent, values=TOPIC, ports=ports)
        assert outputs["image"].filename == "chart.png"
    else:
        with pytest.raises(NodeFailed, match="its check says: FAIL: it shows a dog"):
            await run_agent(bound(declared), wire, made, kind=BoundAgent, values=TOPIC, ports=ports)


async def test_an_agent_of_a_roster_is_refused_in_words():
    config = {"agent_binding": {"binding_type": "roster_agent", "agent_id": "a-1"}}

    with pytest.raises(NodeFailed, match="uses the agent a-1 of a roster"):
        await run_agent(config, Lines("x"), kind=BoundAgent)


async def test_a_package_that_the_file_does_not_hold_is_named():
    config = {"agent_binding": {"package_ref": "gone"}}

    with pytest.raises(NodeFailed, match='the agent package "gone"'):
        await run_agent(config, Lines("x"), kind=BoundAgent)
