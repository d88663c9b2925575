"""Recorded runs, run again: forked from a node on with other values, or replayed without touching anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from support.installation import Person
from support.served import PROVIDER, Api, Served
from tidemill.domains.runs import journals
from tidemill.domains.runs.journal_codec import pack
from tidemill.domains.runs.models import Run, RunEventBatch
from tidemill.engine.events import Event, NodeFinished, RunFinished

ECHO = "mock-echo"


def node(node_id: str, **data: Any) -> dict[str, Any]:
    return {"id": node_id, "type": "custom", "data": {"title": node_id, **data}, "position": {"x": 0, "y": 0}}


def llm(node_id: str, prompt: str) -> dict[str, Any]:
    return node(
        node_id,
        type="llm",
        model={"provider": PROVIDER, "name": ECHO, "mode": "chat", "completion_params": {}},
        prompt_template=[{"id": "p", "role": "user", "text": prompt}],
        context={"enabled": False, "variable_selector": []},
        vision={"enabled": False},
    )


def flow() -> dict[str, Any]:
    """start -> first -> second -> end, and start -> aside -> end: three model calls, each echoing what it reads."""
    form = [
        {"variable": name, "label": name, "type": "text-input", "required": False, "max_length": 100, "options": []}
        for name in ("x", "y")
    ]
    outputs = [{"variable": name, "value_selector": [name, "text"]} for name in ("second", "aside")]
    nodes = [
        node("start", type="start", variables=form),
        llm("first", "1 {{#start.x#}}"),
        llm("second", "2 {{#first.text#}}"),
        llm("aside", "3 {{#start.y#}}"),
        node("end", type="end", outputs=outputs),
    ]
    lines = [("start", "first"), ("first", "second"), ("second", "end"), ("start", "aside"), ("aside", "end")]
    return {
        "app": {"mode": "workflow", "name": "Three", "description": "", "icon": "🤖", "icon_background": "#FFFFFF"},
        "kind": "app",
        "version": "0.5.0",
        "workflow": {
            "conversation_variables": [],
            "environment_variables": [],
            "features": {},
            "graph": {
                "nodes": nodes,
                "edges": [
                    {"id": f"{a}-{b}", "source": a, "target": b, "sourceHandle": "source", "targetHandle": "target"}
                    for a, b in lines
                ],
            },
        },
    }


async def recorded(served: Served) -> tuple[Api, str]:
    """A run of the flow, with x = sea and y = land, and the model's requests forgotten."""
    app = await served.publish(flow())
    answer = (await app.run({"x": "sea", "y": "land"})).json()
    assert answer["data"]["outputs"] == {"second": "2 1 sea", "aside": "3 land"}
    served.models.reset()
    return app, answer["workflow_run_id"]


async def forked(served: Served, run_id: str, **body: Any) -> tuple[str, dict[str, Any]]:
    """Fork and wait: the new run's id and its last event."""
    browser = served.owner.browser
    answer = await browser.post(f"/runs/{run_id}/fork", json=body)
    assert answer.status_code == 201, answer.text
    story = await browser.get(f"/runs/{answer.json()['run_id']}/events")
    events = [json.loads(line[6:]) for line in story.text.split("\n") if line.startswith("data: {")]
    return answer.json()["run_id"], events[-1]["data"]


def prompts(served: Served) -> list[str]:
    return [request.body["messages"][-1]["content"] for request in served.models.requests()]


async def test_a_fork_asks_models_only_behind_the_node_it_begins_at(served: Served):
    _, run_id = await recorded(served)

    fork_id, end = await forked(served, run_id, node_id="second")

    assert end["outputs"] == {"second": "2 1 sea", "aside": "3 land"}
    assert prompts(served) == ["2 1 sea"]
    async with served.desk.database.session() as db:
        fork = (await db.scalars(select(Run).where(Run.id == UUID(fork_id)))).one()
    assert (str(fork.forked_from), fork.source, fork.status) == (run_id, "console", "succeeded")


async def test_a_fork_with_another_output_uses_it_from_there_on(served: Served):
    _, run_id = await recorded(served)

    _, end = await forked(served, run_id, node_id="second", outputs={"first": {"text": "mountain"}})

    assert end["outputs"] == {"second": "2 mountain", "aside": "3 land"}
    assert prompts(served) == ["2 mountain"]


async def test_a_fork_with_another_input_asks_again_whatever_reads_it(served: Served):
    _, run_id = await recorded(served)

    _, end = await forked(served, run_id, node_id="end", inputs={"y": "sky"})

    assert end["outputs"] == {"second": "2 1 sea", "aside": "3 sky"}
    assert prompts(served) == ["3 sky"]


async def test_a_fork_at_the_end_asks_nothing(served: Served):
    _, run_id = await recorded(served)

    _, end = await forked(served, run_id, node_id="end")

    assert end["status"] == "succeeded"
    assert prompts(served) == []


async def test_a_forked_run_can_be_forked(served: Served):
    _, run_id = await recorded(served)

    fork_id, _ = await forked(served, run_id, node_id="second", outputs={"first": {"text": "hill"}})
    served.models.reset()
    _, end = await forked(served, fork_id, node_id="end", inputs={"y": "sky"})

    assert end["outputs"] == {"second": "2 hill", "aside": "3 sky"}
    assert prompts(served) == ["3 sky"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"node_id": "nowhere"}, 404, "node_not_found"),
        ({"node_id": "second", "outputs": {"nowhere": {"text": ""}}}, 404, "node_not_found"),
        ({"node_id": "second", "outputs": {"first": {"words": ""}}}, 400, "invalid_param"),
        ({"node_id": "second", "outputs": {"end": {"second": ""}}}, 400, "invalid_param"),
        ({"node_id": "second", "inputs": {"x": ["no text"]}}, 400, "invalid_param"),
    ],
)
async def test_a_fork_that_does_not_fit_is_refused(served: Served, body: dict[str, Any], status: int, code: str):
    _, run_id = await recorded(served)

    answer = await served.owner.browser.post(f"/runs/{run_id}/fork", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_runs_of_other_workspaces_cannot_be_run_again(served: Served, stranger: Person):
    _, run_id = await recorded(served)

    answers = [
        await stranger.browser.post(f"/runs/{run_id}/fork", json={"node_id": "end"}),
        await stranger.browser.post(f"/runs/{run_id}/replay"),
        await stranger.browser.get(f"/runs/{run_id}/events"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_a_replay_says_the_same_and_asks_nobody(served: Served):
    _, run_id = await recorded(served)

    answer = (await served.owner.browser.post(f"/runs/{run_id}/replay")).json()

    assert answer == {
        "is_same": True,
        "status": "succeeded",
        "outputs": {"second": "2 1 sea", "aside": "3 land"},
        "answer": answer["answer"],
        "taken": 3,
        "divergences": [],
    }
    assert prompts(served) == []


async def test_a_replay_names_what_comes_out_otherwise(served: Served):
    _, run_id = await recorded(served)
    async with served.desk.database.session() as db:
        # As if the record had been made by a program that joined the texts in another way.
        events = await journals.read(db, UUID(run_id))
        changed = [_with_other_output(event) for event in events]
        await rewrite(db, UUID(run_id), changed)

    answer = (await served.owner.browser.post(f"/runs/{run_id}/replay")).json()

    assert not answer["is_same"]
    assert {(item["place"], item["what"]) for item in answer["divergences"]} == {("end", "outputs")}


async def rewrite(db: AsyncSession, run_id: UUID, events: Sequence[Event]) -> None:
    """Give a run another journal."""
    await db.execute(delete(RunEventBatch).where(RunEventBatch.run_id == run_id))
    db.add(RunEventBatch(run_id=run_id, first_seq=1, last_seq=len(events), payload=pack(events)))


def _with_other_output(event: Any) -> Any:
    if isinstance(event, NodeFinished) and event.node_id == "end":
        event.outputs["second"] = "otherwise"  # type: ignore[index] - it has outputs
    return event


async def test_a_replay_refuses_what_the_record_does_not_hold(served: Served):
    _, run_id = await recorded(served)
    async with served.desk.database.session() as db:
        events = await journals.read(db, UUID(run_id))
        kept = [event for event in events if not (isinstance(event, NodeFinished) and event.node_id == "aside")]
        numbered = [event for event in kept if not isinstance(event, RunFinished)]
        numbered = [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(numbered, 1)]
        await rewrite(db, UUID(run_id), numbered)

    answer = (await served.owner.browser.post(f"/runs/{run_id}/replay")).json()

    assert answer["status"] == "failed"
    assert ("aside", "status") in {(item["place"], item["what"]) for item in answer["divergences"]}
    assert prompts(served) == []
