"""Runs whose process is gone go on elsewhere: once, from where they were, with what they began with."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from domains.runs.servers import Numbered, Server, numbered, running
from support.served import Api, Served, chatflow, checked, model_workflow
from tidemill.domains.conversations.models import Message
from tidemill.domains.runs import journals
from tidemill.domains.runs.executors import Executors, this_host
from tidemill.domains.runs.journal_codec import pack
from tidemill.domains.runs.models import Run, RunEventBatch, RunExecutor
from tidemill.engine.events import NodeFinished, RunFinished
from tidemill.kit.db import Database, new_id, now

HANGING = "mock-hang3"
# A second long: it can be killed in the middle of its answer.
SLOW = "mock-50tok-20ms"


async def stored(served: Served, run_id: str) -> Run:
    async with served.desk.database.session() as db:
        return (await db.scalars(select(Run).where(Run.id == UUID(run_id)))).one()


async def ended(served: Served, api: Api, run_id: str) -> tuple[Run, list[dict[str, Any]]]:
    """The run once it is over, with all its events."""
    async with numbered(api, api.base, f"/workflow/{run_id}/events") as stream:
        await stream.rest()
    return await stored(served, run_id), stream.seen


@asynccontextmanager
async def speaking(
    served: Served, api: Api, server: Server, path: str, body: dict[str, Any]
) -> AsyncGenerator[Numbered]:
    """A run in another process whose model has begun to speak."""
    async with numbered(api, server.url, path, body) as stream:
        # A literal text comes before it, and from no variable.
        while not _is_of_model(await stream.until("text_chunk" if path == "/workflows/run" else "message")):
            continue
        yield stream


def _is_of_model(event: dict[str, Any]) -> bool:
    return bool(event.get("data", event)["from_variable_selector"])


async def test_a_run_of_a_killed_process_goes_on_in_another_one(
    served: Served, database_settings: dict[str, str], tmp_path: Path
):
    app = await served.publish(chatflow(SLOW, answer="It says: {{#llm.text#}}"))
    usual = (await app.chat("hi")).json()["answer"]
    async with running(served, database_settings, tmp_path) as server:
        async with speaking(served, app, server, "/chat-messages", {"query": "hi"}) as stream:
            await asyncio.to_thread(server.kill)
            await stream.rest()
        run, story = await ended(served, app, stream.run_id)

    names = [event["event"] for event in story]
    async with served.desk.database.session() as db:
        message = (await db.scalars(select(Message).where(Message.run_id == run.id))).one()
    assert (run.status, run.generation, run.losses) == ("succeeded", 2, 1)
    assert (message.status, message.answer) == ("normal", usual)
    assert story[: len(stream.seen)] == stream.seen
    replaced = next(event for event in story if event["event"] == "message_replace")
    assert (replaced["answer"], replaced["reason"]) == ("It says: ", "recovery")
    assert names[-2:] == ["message_end", "workflow_finished"]
    assert names.count("workflow_started") == 1
    assert [event["data"]["id"] for event in story if event["event"] == "node_started"] == [
        event["data"]["id"] for event in story if event["event"] == "node_finished"
    ]


async def test_a_client_attaches_again_after_the_last_event_it_has_seen(
    served: Served, database_settings: dict[str, str], tmp_path: Path
):
    app = await served.publish(model_workflow(SLOW))
    async with running(served, database_settings, tmp_path) as server:
        async with speaking(served, app, server, "/workflows/run", {"inputs": {"x": "hi"}}) as stream:
            await asyncio.to_thread(server.kill)
            await stream.rest()
        path = f"/workflow/{stream.run_id}/events"
        async with numbered(app, app.base, path, after=stream.ids[-1]) as rest:
            await rest.rest()
        async with numbered(app, app.base, path) as whole:
            await whole.rest()

    assert stream.seen + rest.seen == whole.seen
    assert stream.ids + rest.ids == whole.ids
    assert whole.ids == sorted(set(whole.ids))


async def test_the_first_event_is_durable_before_it_is_shown(served: Served):
    app = await served.publish(chatflow(HANGING))
    async with numbered(app, app.base, "/chat-messages", {"query": "hi"}) as stream:
        await stream.until("message")
        async with served.desk.database.session() as db:
            journal = await journals.read(db, UUID(stream.run_id))
        await app.post(f"/chat-messages/{stream.task_id}/stop", {"user": "ada"})
        await stream.rest()

    assert journal[-1].seq >= stream.ids[0]


async def test_a_stalled_process_adds_nothing_to_a_run_that_was_taken_over(
    served: Served, database_settings: dict[str, str], tmp_path: Path
):
    app = await served.publish(model_workflow("mock-50tok-20ms"))
    environment = {**database_settings, "TIDEMILL_RUN_LEASE": "3"}
    async with running(served, environment, tmp_path) as first, running(served, environment, tmp_path) as second:
        # This test's own process has the lease of the settings, 30 s: the second server is the one that notices.
        async with numbered(app, first.url, "/workflows/run", {"inputs": {"x": "hi"}}) as stream:
            await stream.until("text_chunk")
            first.send(signal.SIGSTOP)
            async with numbered(app, second.url, f"/workflow/{stream.run_id}/events") as other:
                await other.rest()
            first.send(signal.SIGCONT)
            await stream.rest()
        again = await app.http.post(
            f"{first.url}/v1/workflows/run",
            json={"inputs": {"x": "hi"}, "user": "ada"},
            headers={"Authorization": f"Bearer {app.key}"},
        )
        run, story = await ended(served, app, other.run_id)

    assert (run.status, run.generation) == ("succeeded", 2)
    assert story == other.seen
    assert stream.seen == story[: len(stream.seen)]
    assert again.status == 200


async def died_with(served: Served, run_id: str, **values: Any) -> None:
    """Make a stored run one whose process died in the middle of it."""
    executor = RunExecutor(id=new_id(), host=this_host(), pid=2**22 - 3, process_started_at=1.0, seen_at=now())
    async with served.desk.database.session() as db:
        db.add(executor)
        changes = {"status": "running", "executor_id": executor.id, "finished_at": None, **values}
        await db.execute(update(Run).where(Run.id == UUID(run_id)).values(changes))
        await db.execute(update(Message).where(Message.run_id == UUID(run_id)).values(status="running"))


async def forget_after(served: Served, run_id: str, node_id: str) -> None:
    """Cut a journal off behind the end of a node."""
    async with served.desk.database.session() as db:
        journal = await journals.read(db, UUID(run_id))
        ends = [event.seq for event in journal if isinstance(event, NodeFinished) and event.node_id == node_id]
        cut = ends[-1]
        await db.execute(delete(RunEventBatch).where(RunEventBatch.run_id == UUID(run_id)))
        db.add(RunEventBatch(run_id=UUID(run_id), first_seq=1, last_seq=cut, payload=pack(journal[:cut])))


async def test_what_a_model_has_said_is_not_asked_for_again(served: Served):
    app = await served.publish(chatflow())
    answer = await app.chat(response_mode="streaming")
    run_id = answer.events[0]["workflow_run_id"]
    await forget_after(served, run_id, "llm")
    asked = len(served.models.requests())

    await died_with(served, run_id)
    run, story = await ended(served, app, run_id)

    assert run.status == "succeeded"
    assert len(served.models.requests()) == asked
    assert [event["event"] for event in story] == [event["event"] for event in answer.events]


async def test_a_run_that_kills_its_process_again_and_again_is_ended(served: Served):
    app = await served.publish(chatflow())
    answer = await app.chat(response_mode="streaming")
    run_id = answer.events[0]["workflow_run_id"]
    await forget_after(served, run_id, "start")
    limit = served.installation.settings.run_max_losses

    # As many before this one, none of which got any further.
    await died_with(served, run_id, losses=limit, lost_at_seq=3)
    run, story = await ended(served, app, run_id)

    async with served.desk.database.session() as db:
        message = (await db.scalars(select(Message))).one()
    assert (run.status, run.error_type, message.status) == ("failed", "RunKillsProcess", "error")
    assert "6 times" in (run.error or "")
    assert [event["event"] for event in story][-2:] == ["workflow_finished", "error"]


async def test_losses_of_a_run_that_gets_further_are_forgiven(served: Served):
    app = await served.publish(chatflow())
    answer = await app.chat(response_mode="streaming")
    run_id = answer.events[0]["workflow_run_id"]
    await forget_after(served, run_id, "llm")

    await died_with(served, run_id, losses=99, lost_at_seq=1)
    run, _ = await ended(served, app, run_id)

    assert (run.status, run.losses) == ("succeeded", 1)


@pytest.mark.parametrize("damage", ["half a batch", "a gap"])
async def test_a_damaged_journal_is_taken_as_far_as_it_is_sure(served: Served, damage: str):
    app = await served.publish(chatflow("mock-5tok-0ms"))
    answer = await app.chat(response_mode="streaming")
    run_id = UUID(answer.events[0]["workflow_run_id"])
    async with served.desk.database.session() as db:
        journal = await journals.read(db, run_id)
        await db.execute(delete(RunEventBatch).where(RunEventBatch.run_id == run_id))
        db.add(RunEventBatch(run_id=run_id, first_seq=1, last_seq=3, payload=pack(journal[:3])))
        if damage == "a gap":
            db.add(RunEventBatch(run_id=run_id, first_seq=6, last_seq=len(journal), payload=pack(journal[5:])))
        else:
            half = pack(journal[3:])[:100]
            db.add(RunEventBatch(run_id=run_id, first_seq=4, last_seq=len(journal), payload=half))

    await died_with(served, str(run_id))
    run, story = await ended(served, app, str(run_id))

    async with served.desk.database.session() as db:
        mended = await journals.read(db, run_id)
    assert run.status == "succeeded"
    assert mended[:3] == journal[:3]
    assert [event.seq for event in mended] == list(range(1, len(mended) + 1))
    assert isinstance(mended[-1], RunFinished)
    assert [event["event"] for event in story] == answer.names


async def test_two_processes_that_recover_at_once_share_the_runs_out(served: Served):
    app = await served.publish(model_workflow("mock-5tok-0ms"))
    run_ids = [(await app.run({"x": "a"})).json()["workflow_run_id"] for _ in range(6)]
    dead = RunExecutor(id=new_id(), host="elsewhere", pid=1, process_started_at=1.0, seen_at=now())
    rivals = [Executors(served.desk.database, lease_s=0.0) for _ in range(2)]
    for rival in rivals:
        await rival.register()
    async with served.desk.database.session() as db:
        db.add(dead)
        # Paused is what this test's own server leaves alone.
        await db.execute(update(Run).values(status="paused", executor_id=dead.id))
    async with served.desk.database.session() as db:
        await db.execute(update(Run).values(status="running"))

    taken: list[UUID] = []
    while len(taken) < len(run_ids):
        for rival in rivals:
            assert await rival.beat()
        await asyncio.gather(*(rival.bury() for rival in rivals))
        for found in await asyncio.gather(*(rival.claim() for rival in rivals)):
            taken += found

    async with served.desk.database.session() as db:
        runs = (await db.scalars(select(Run))).all()
        rows = (await db.scalars(select(RunExecutor.id).where(RunExecutor.id == dead.id))).all()
    assert sorted(map(str, taken)) == sorted(run_ids)
    assert rows == []
    assert {(run.generation, run.losses) for run in runs} == {(2, 1)}
    for rival in rivals:
        async with served.desk.database.session() as db:
            await db.execute(update(Run).values(status="succeeded"))
        await rival.sign_off()


async def test_a_draft_edited_meanwhile_does_not_change_a_run_that_goes_on(served: Served):
    app = await served.publish(chatflow(answer="Before: {{#llm.text#}}"))
    browser = served.owner.browser
    asked = await browser.post(f"/apps/{app.app_id}/chat", json={"query": "hi", "inputs": {}})
    run_id = next(event["workflow_run_id"] for event in read_events(asked.text) if "workflow_run_id" in event)
    await forget_after(served, run_id, "llm")
    after = chatflow(answer="After: {{#llm.text#}}")
    await checked(browser, "POST", "/apps/import", {"content": json.dumps(after), "app_id": app.app_id})

    await died_with(served, run_id)
    story = await browser.get(f"/runs/{run_id}/events")

    answer = "".join(event["answer"] for event in read_events(story.text) if event["event"] == "message")
    assert answer.startswith("Before: ")
    assert (await stored(served, run_id)).status == "succeeded"


def read_events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: {")]


async def test_a_run_that_cannot_be_read_any_more_ends_with_a_sentence(served: Served):
    app = await served.publish(chatflow())
    answer = await app.chat(response_mode="streaming")
    run_id = answer.events[0]["workflow_run_id"]
    await forget_after(served, run_id, "start")

    await died_with(served, run_id, version_id=uuid4())
    run, _ = await ended(served, app, run_id)

    async with served.desk.database.session() as db:
        message = (await db.scalars(select(Message))).one()
    assert (run.status, run.error_type, message.status) == ("failed", "RunUnreadable", "error")
    assert "no such published version" in (run.error or "")


async def test_a_run_of_an_older_release_ends_with_a_sentence(served: Served):
    app = await served.publish(chatflow())
    answer = await app.chat(response_mode="streaming")
    run_id = answer.events[0]["workflow_run_id"]
    await forget_after(served, run_id, "start")

    await died_with(served, run_id, began_with=None)
    run = await stored(served, run_id)
    while run.status == "running":
        await asyncio.sleep(0.05)
        run = await stored(served, run_id)

    assert (run.status, run.error_type) == ("failed", "RunUnreadable")
    assert "older release" in (run.error or "")


async def test_a_stop_reaches_a_run_that_nobody_holds(
    served: Served, database_settings: dict[str, str], tmp_path: Path
):
    app = await served.publish(model_workflow(HANGING))
    async with running(served, database_settings, tmp_path) as server:
        async with numbered(app, server.url, "/workflows/run", {"inputs": {"x": "hi"}}) as stream:
            await stream.until("text_chunk")
            await asyncio.to_thread(server.kill)
            # At once: whoever takes the run over has not looked yet, or is about to.
            await app.post(f"/workflows/tasks/{stream.task_id}/stop", {"user": "ada"})
            await stream.rest()
        run, story = await ended(served, app, stream.run_id)

    assert run.status == "stopped"
    assert story[-1]["data"]["status"] == "stopped"
    assert "user ada" in story[-1]["data"]["error"]
    assert len(served.models.requests()) <= 2


async def test_secrets_are_not_among_what_a_run_begins_with(served: Served):
    document = chatflow()
    document["workflow"]["environment_variables"] = [
        {"id": "e", "name": "TOKEN", "value_type": "secret", "value": "hush-hush-hush", "selector": ["env", "TOKEN"]}
    ]
    app = await served.publish(document)
    browser = served.owner.browser
    answer = await browser.post(f"/apps/{app.app_id}/chat", json={"query": "hi", "inputs": {}})
    assert answer.status_code == 200

    text = await everything_stored(served.desk.database)

    assert "hush-hush-hush" not in text


async def everything_stored(database: Database) -> str:
    tables = ["run", "run_snapshot", "run_event_batch"]
    found: list[str] = []
    async with database.engine.connect() as connection:
        for table in tables:
            rows = (await connection.exec_driver_sql(f"SELECT * FROM {table}")).all()
            found += [repr(row) for row in rows]
    return "\n".join(found)
