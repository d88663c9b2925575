"""Runs that wait for a person: they cost nothing, survive restarts, and can be stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domains.runs.servers import running
from paused_runs import flow
from support.served import Api, Served
from tidemill.domains.runs import journals
from tidemill.domains.runs.models import Run
from tidemill.engine.events import RunFinished, RunPaused, RunStarted


async def paused(app: Api) -> dict[str, Any]:
    answer = (await app.run({"x": "sea"})).json()
    assert answer["data"]["status"] == "paused"
    return answer


async def submit(app: Api, answer: dict[str, Any]) -> None:
    token = answer["data"]["reasons"][0]["form_token"]
    body = {"inputs": {}, "action": "yes", "user": "ada"}
    assert (await app.post(f"/form/human_input/{token}", body)).status == 200


async def stored(served: Served, run_id: str) -> Run:
    async with served.desk.database.session() as db:
        return (await db.scalars(select(Run).where(Run.id == UUID(run_id)))).one()


async def test_a_paused_run_has_no_task_and_no_holder(served: Served):
    app = await served.publish(flow())
    answer = await paused(app)

    run = await stored(served, answer["workflow_run_id"])

    assert (run.status, run.executor_id) == ("paused", None)
    assert not served.desk.runner.is_running(answer["task_id"])
    assert [task for task in asyncio.all_tasks() if str(run.id) in task.get_name()] == []


async def test_a_paused_run_goes_on_with_its_answer(served: Served):
    app = await served.publish(flow())
    answer = await paused(app)
    run_id = answer["workflow_run_id"]

    await submit(app, answer)
    told = await app.get(f"/workflow/{run_id}/events?user=ada", headers={"Last-Event-ID": "0"})

    run = await stored(served, run_id)
    async with served.desk.database.session() as db:
        journal = await journals.read(db, run.id)
    assert (run.status, run.outputs) == ("succeeded", {"out": "sea"})
    assert [event.reason for event in journal if isinstance(event, RunStarted)] == ["initial", "resumption"]
    assert [event.seq for event in journal] == list(range(1, len(journal) + 1))
    assert "workflow_paused" in told.names


async def test_a_run_paused_before_a_restart_goes_on_in_another_process(
    served: Served, database_settings: dict[str, str], tmp_path: Path
):
    app = await served.publish(flow())
    async with running(served, database_settings, tmp_path) as server:
        there = Api(server.url, app.app_id, app.key, app.http)
        answer = await paused(there)
        await asyncio.to_thread(server.stop)

    await submit(app, answer)
    told = await app.get(f"/workflow/{answer['workflow_run_id']}/events?user=ada")

    assert told.events[-1]["data"]["status"] == "succeeded"
    assert (await stored(served, answer["workflow_run_id"])).status == "succeeded"


async def test_a_paused_run_can_be_stopped(served: Served):
    app = await served.publish(flow())
    answer = await paused(app)

    await app.post(f"/workflows/tasks/{answer['task_id']}/stop", {"user": "ada"})
    told = await app.get(f"/workflow/{answer['workflow_run_id']}/events?user=ada")
    run = await stored(served, answer["workflow_run_id"])
    token = answer["data"]["reasons"][0]["form_token"]
    late = await app.post(f"/form/human_input/{token}", {"inputs": {}, "action": "yes", "user": "ada"})

    async with served.desk.database.session() as db:
        journal = await journals.read(db, run.id)
    assert told.events[-1]["data"]["status"] == "stopped"
    assert run.status == "stopped"
    assert isinstance(journal[-1], RunFinished)
    assert late.status >= 400


async def test_a_stream_over_pauses_stays_open(served: Served):
    app = await served.publish(flow())
    answer = await paused(app)
    path = f"/workflow/{answer['workflow_run_id']}/events?user=ada&include_state_snapshot=true"

    closing = await app.get(path)
    staying = asyncio.create_task(app.get(f"{path}&continue_on_pause=true"))
    await submit(app, answer)

    assert closing.names[-1] == "workflow_paused"
    assert (await staying).names[-1] == "workflow_finished"
    assert (await staying).names.count("workflow_started") == 2


async def test_two_that_resume_at_once_resume_once(served: Served):
    app = await served.publish(flow())
    answer = await paused(app)
    run_id = UUID(answer["workflow_run_id"])

    outcomes = await asyncio.gather(*(served.desk.runner.resume(run_id) for _ in range(5)))
    # Without an answer it pauses again.
    while (await stored(served, str(run_id))).status == "running":
        await asyncio.sleep(0.02)

    async with served.desk.database.session() as db:
        journal = await journals.read(db, run_id)
    assert sorted(outcomes) == [False, False, False, False, True]
    assert len([event for event in journal if isinstance(event, RunPaused)]) == 2
