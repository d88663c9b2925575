"""The flow that is killed: 30 nodes, eight counted side effects, two streamed model answers. And how logs compare."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from graph_builder import Graph, Selector
from tidemill.engine.events import Event, NodeFinished, NodeStarted, RunFinished, TextDelta, TextReplaced

MODEL = "mock-20tok-15ms"
PROVIDER = "langgenius/openai/openai"
EFFECTS = 8
NODES = 30

# What no two executions share: moments, durations, and names that are drawn.
_MOMENTS = frozenset(
    {
        *("at", "started_at", "elapsed_s", "created_at", "seq", "latency", "latency_s", "time_to_first_token"),
        *("time_to_first_token_s", "time_to_generate", "time_to_generate_s", "elapsed_time"),
    }
)
_NAMES = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


def flow(effects_url: str) -> dict[str, Any]:
    """A chatflow: templates and effects in turn, a model and an answer after four of them and at the end."""
    graph = Graph("killed", "advanced-chat")
    graph.node("start", "start", variables=[])
    last, value = "start", ("sys", "query")
    for number in range(EFFECTS):
        last, value = _effect(graph, effects_url, number, last, value)
        if number in (3, 7):
            last = _answer(graph, number, last, value)
    if len(graph.nodes) != NODES:
        raise AssertionError(f"{len(graph.nodes)} nodes")
    return graph.dsl()


def _effect(graph: Graph, url: str, number: int, last: str, value: Selector) -> tuple[str, Selector]:
    template = graph.template(f"t{number}", "{{ v }}." + str(number), v=value)
    graph.edge(last, template)
    http = graph.node(
        f"http{number}",
        "http-request",
        method="post",
        url=f"{url}/effect/{{{{#sys.workflow_run_id#}}}}/{number}",
        headers="",
        params="",
        body={"type": "raw-text", "data": [{"type": "text", "value": f"{{{{#t{number}.output#}}}}"}]},
        authorization={"type": "no-auth", "config": None},
        timeout={},
        variables=[],
        idempotency_key=True,
    )
    graph.edge(template, http)
    return http, (template, "output")


def _answer(graph: Graph, number: int, last: str, value: Selector) -> str:
    branch = graph.if_else(f"if{number}", value, "0")
    graph.edge(last, branch)
    llm = graph.llm(f"llm{number}", f"Say something of {{{{#{'.'.join(value)}#}}}}", MODEL, PROVIDER)
    graph.edge(branch, llm, "true")
    one = graph.aggregator(f"a{number}", (llm, "text"))
    graph.edge(llm, one)
    two = graph.aggregator(f"b{number}", (one, "output"))
    graph.edge(one, two)
    three = graph.template(f"c{number}", "{{ v }}!", v=(two, "output"))
    graph.edge(two, three)
    answer = graph.node(
        f"answer{number}",
        "answer",
        answer=f"[{{{{#{llm}.text#}}}}|{{{{#c{number}.output#}}}}]",
        variables=[],
    )
    graph.edge(three, answer)
    return answer if number == 7 else _tail(graph, number, answer)


def _tail(graph: Graph, number: int, last: str) -> str:
    tail = graph.template(f"d{number}", "{{ v }}", v=("sys", "query"))
    graph.edge(last, tail)
    return tail


def shape(events: Sequence[Event]) -> list[Any]:
    """Events without moments and drawn names; text pieces are told by what a reader has read in the end."""
    return [_plain(msgspec.to_builtins(event)) for event in events if not isinstance(event, TextDelta | TextReplaced)]


def text_of(events: Sequence[Event]) -> str:
    """What a reader of the whole stream has before them at its end."""
    text = ""
    for event in events:
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, TextReplaced):
            text = event.text
    return text


def replacements(events: Sequence[Event]) -> int:
    return sum(1 for event in events if isinstance(event, TextReplaced))


def ending(events: Sequence[Event]) -> RunFinished | None:
    return events[-1] if events and isinstance(events[-1], RunFinished) else None


def was_running(events: Sequence[Event], moment: float) -> bool:
    """Whether a node was running at a moment (Unix seconds), as far as the journal tells."""
    ends = {event.execution_id: event.at for event in events if isinstance(event, NodeFinished)}
    starts = [event for event in events if isinstance(event, NodeStarted)]
    return any(event.at <= moment < ends.get(event.execution_id, moment + 1) for event in starts)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in _MOMENTS}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _NAMES.sub("<name>", value) if isinstance(value, str) else value
