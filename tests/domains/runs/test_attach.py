"""Attaching to a run again: who may, and what they are told."""

from __future__ import annotations

import asyncio

import pytest

from domains.runs.servers import numbered
from support.served import Answer, Api, Served, chatflow, model_app, model_workflow


async def events_of(app: Api, run_id: str, query: str = "", **headers: str) -> Answer:
    return await app.get(f"/workflow/{run_id}/events?user=ada{query}", headers=headers)


async def ran(app: Api) -> tuple[str, Answer]:
    answer = await app.run({"x": "hi"}, response_mode="streaming")
    return answer.events[0]["workflow_run_id"], answer


async def test_a_finished_workflow_tells_its_end_alone(served: Served):
    app = await served.publish(model_workflow("mock-5tok-0ms"))
    run_id, told = await ran(app)

    answer = await events_of(app, run_id)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.events == [told.events[-1]]


async def test_a_finished_chatflow_tells_its_end_alone(served: Served):
    app = await served.publish(chatflow())
    told = await app.chat(response_mode="streaming")

    answer = await events_of(app, told.events[0]["workflow_run_id"])

    assert answer.names == ["workflow_finished"]


async def test_a_snapshot_tells_everything_again_byte_for_byte(served: Served):
    app = await served.publish(chatflow())
    told = await app.chat(response_mode="streaming")

    answer = await events_of(app, told.events[0]["workflow_run_id"], "&include_state_snapshot=true")

    assert answer.body == told.body
    assert b"id: " not in answer.body


@pytest.mark.parametrize("seen", [1, 3, 6])
async def test_a_last_event_id_leaves_out_what_was_seen(served: Served, seen: int):
    app = await served.publish(model_workflow("mock-5tok-0ms"))
    run_id, _ = await ran(app)
    whole = await events_of(app, run_id, **{"Last-Event-ID": "0"})
    ids = [int(line[4:]) for line in whole.body.decode().split("\n") if line.startswith("id: ")]

    rest = await events_of(app, run_id, **{"Last-Event-ID": str(ids[seen - 1])})

    assert rest.events == whole.events[seen:]


async def test_who_attaches_to_a_running_run_sees_what_follows(served: Served):
    app = await served.publish(model_workflow("mock-50tok-20ms"))
    async with app.stream("/workflows/run", {"inputs": {"x": "hi"}}) as stream:
        run_id = (await stream.until("text_chunk"))["workflow_run_id"]
        later = asyncio.create_task(events_of(app, run_id))
        whole = asyncio.create_task(events_of(app, run_id, "&include_state_snapshot=true"))
        await stream.rest()

    assert (await whole).events == stream.seen
    assert (await later).events == stream.seen[-len((await later).events) :]
    assert (await later).names[-1] == "workflow_finished"
    assert "workflow_started" not in (await later).names


async def test_a_reader_elsewhere_sees_the_same(served: Served):
    app = await served.publish(model_workflow("mock-50tok-20ms"))
    async with numbered(app, app.base, "/workflows/run", {"inputs": {"x": "hi"}}) as stream:
        await stream.until("text_chunk")
        # With pauses left behind, a run is followed through its journal, as it is from another process.
        following = events_of(app, stream.run_id, "&continue_on_pause=true", **{"Last-Event-ID": "0"})
        followed = asyncio.create_task(following)
        await stream.rest()

    assert (await followed).events == stream.seen


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?user=eve", 404, "not_found"),
        ("", 400, "invalid_param"),
        ("?user=ada&continue_on_pause=2", 400, "invalid_param"),
    ],
)
async def test_who_may_not_attach(served: Served, query: str, status: int, code: str):
    app = await served.publish(model_workflow("mock-5tok-0ms"))
    run_id, _ = await ran(app)

    answer = await app.get(f"/workflow/{run_id}/events{query}")

    assert (answer.status, answer.json()["code"]) == (status, code)


async def test_a_last_event_id_must_be_a_number(served: Served):
    app = await served.publish(model_workflow("mock-5tok-0ms"))
    run_id, _ = await ran(app)

    answer = await events_of(app, run_id, **{"Last-Event-ID": "seven"})

    assert (answer.status, answer.json()["params"]) == (400, "Last-Event-ID")


async def test_runs_of_other_apps_do_not_exist(served: Served):
    app, other = [await served.publish(model_workflow("mock-5tok-0ms")) for _ in range(2)]
    run_id, _ = await ran(app)

    assert (await events_of(other, run_id)).status == 404


async def test_apps_without_a_workflow_have_no_events(served: Served):
    app, chat = await served.publish(model_workflow("mock-5tok-0ms")), await served.publish(model_app("chat"))
    run_id, _ = await ran(app)

    answer = await events_of(chat, run_id)

    assert (answer.status, answer.json()["code"]) == (400, "not_workflow_app")
