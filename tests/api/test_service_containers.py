"""Iterations and loops over the Service API: the events a client groups its rounds by (reference, 6.3)."""

from __future__ import annotations

import asyncio
from typing import Any

from dsl.samples import edge, node
from dsl.samples import workflow as document
from support.served import Served

ITEMS = {"variable": "items", "label": "Items", "type": "json_object", "required": True}
SLOW = "mock-200tok-100ms"
MODEL = {"provider": "langgenius/openai/openai", "name": SLOW, "mode": "chat", "completion_params": {}}


def shouting(**config: Any) -> dict[str, Any]:
    """A workflow that shouts every word of `items.words`."""
    nodes = [
        node("start", "start", variables=[ITEMS]),
        node(
            "each",
            "iteration",
            iterator_selector=["start", "items", "words"],
            output_selector=["shout", "output"],
            start_node_id="begin",
            **config,
        ),
        node("begin", "iteration-start", parent="each"),
        node(
            "shout",
            "template-transform",
            parent="each",
            template="{{ word }}!",
            variables=[{"variable": "word", "value_selector": ["each", "item"]}],
        ),
        node("end", "end", outputs=[{"variable": "words", "value_selector": ["each", "output"]}]),
    ]
    return document(nodes, [edge("start", "each"), edge("begin", "shout"), edge("each", "end")])


def counting() -> dict[str, Any]:
    """A workflow whose loop adds 1 to `n` twice."""
    add = {"variable_selector": ["loop", "n"], "operation": "+=", "input_type": "constant", "value": 1}
    nodes = [
        node("start", "start", variables=[]),
        node(
            "loop",
            "loop",
            loop_count=2,
            start_node_id="begin",
            loop_variables=[{"label": "n", "var_type": "number", "value_type": "constant", "value": "1"}],
        ),
        node("begin", "loop-start", parent="loop"),
        node("add", "assigner", parent="loop", version="2", items=[add]),
        node("end", "end", outputs=[{"variable": "n", "value_selector": ["loop", "n"]}]),
    ]
    return document(nodes, [edge("start", "loop"), edge("begin", "add"), edge("loop", "end")])


async def test_an_iteration_tells_its_rounds_and_its_children_where_they_ran(served: Served):
    app = await served.publish(shouting())

    answer = await app.run({"items": {"words": ["a", "b"]}}, response_mode="streaming")

    assert answer.names == [
        *("workflow_started", "node_started", "node_finished"),
        *("node_started", "iteration_started"),
        *("iteration_next", "node_started", "node_finished") * 2,
        *("iteration_completed", "text_chunk", "node_finished"),
        *("node_started", "node_finished", "workflow_finished"),
    ]
    inside = [event["data"] for event in answer.events if event.get("data", {}).get("node_id") == "shout"]
    assert {data["iteration_id"] for data in inside} == {"each"}
    ended = [data for data in inside if "execution_metadata" in data]
    assert [data["execution_metadata"]["iteration_index"] for data in ended] == [0, 1]
    (completed,) = [event["data"] for event in answer.events if event["event"] == "iteration_completed"]
    assert (completed["status"], completed["outputs"], completed["steps"]) == ("succeeded", {"output": ["a!", "b!"]}, 2)
    assert answer.events[-1]["data"]["outputs"] == {"words": ["a!", "b!"]}


async def test_parallel_rounds_are_told_apart_by_their_index(served: Served):
    app = await served.publish(shouting(is_parallel=True, parallel_nums=3))

    answer = await app.run({"items": {"words": list("abcdef")}}, response_mode="streaming")

    ended = [event["data"] for event in answer.events if event["event"] == "node_finished"]
    indexes = [data["execution_metadata"]["iteration_index"] for data in ended if data["node_id"] == "shout"]
    assert sorted(indexes) == [0, 1, 2, 3, 4, 5]
    assert answer.events[-1]["data"]["outputs"] == {"words": [f"{letter}!" for letter in "abcdef"]}


async def test_a_loop_tells_only_the_rounds_after_the_first(served: Served):
    app = await served.publish(counting())

    answer = await app.run({}, response_mode="streaming")

    loops = [event for event in answer.events if event["event"].startswith("loop_")]
    assert [event["event"] for event in loops] == ["loop_started", "loop_next", "loop_completed"]
    assert (loops[0]["data"]["metadata"], loops[1]["data"]["index"]) == ({"loop_length": 2}, 1)
    assert loops[1]["data"]["pre_loop_output"] == {"n": 2}
    assert loops[2]["data"]["outputs"] == {"n": 3, "loop_round": 2}
    assert loops[2]["data"]["execution_metadata"]["completed_reason"] == "loop_completed"
    assert answer.events[-1]["data"]["outputs"] == {"n": 3}


async def test_a_stopped_iteration_ends_long_before_its_models_have_spoken(served: Served):
    await served.add_models(SLOW)
    slow = shouting(is_parallel=True)
    for item in slow["workflow"]["graph"]["nodes"]:
        if item["id"] == "shout":
            prompt = [{"role": "user", "text": "{{#each.item#}}"}]
            item["data"] = {"type": "llm", "title": "LLM", "model": MODEL, "prompt_template": prompt}
    app = await served.publish(slow)

    body = {"inputs": {"items": {"words": ["a", "b"]}}, "user": "ada", "response_mode": "streaming"}
    async with app.stream("/workflows/run", body) as reader:
        started = await reader.until("iteration_next")
        async with asyncio.timeout(5):
            stopped = await app.post(f"/workflows/tasks/{started['task_id']}/stop", {"user": "ada"})
            names = await reader.rest()

    assert stopped.status == 200
    assert names[-1] == "workflow_finished"
    assert "iteration_completed" in names


async def test_a_flow_that_begins_with_a_webhook_takes_its_payload_as_inputs(served: Served):
    body = [{"name": "amount", "type": "number", "required": True}]
    outputs = [{"variable": name, "value_selector": ["hook", *name.split(".")]} for name in ("amount", "sys.timestamp")]
    nodes = [node("hook", "trigger-webhook", method="post", body=body), node("end", "end", outputs=outputs)]
    app = await served.publish(document(nodes, [edge("hook", "end")]))

    taken = await app.run({"amount": 5})
    refused = await app.run({"amount": "many"})

    assert taken.json()["data"]["outputs"]["amount"] == 5
    assert taken.json()["data"]["outputs"]["sys.timestamp"] > 1_700_000_000
    assert (refused.status, refused.json()["code"]) == (400, "invalid_param")
