"""A server that is told to stop says nothing, loses nothing, and leaves its runs to whoever serves next."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import select

from domains.runs.servers import Server
from domains.runs.test_two_processes import REDIS, redis
from support.served import Api, Served, chatflow, model_workflow
from tidemill.domains.conversations.models import Message
from tidemill.domains.runs.models import Run, RunExecutor

ROUNDS = 2
# Several processes of one start need Redis.
LAYOUTS = ["redis"] if REDIS else []


async def load(api: Api, url: str) -> None:
    """Streams and blocking calls, until the server is gone."""
    bodies = [
        ("/chat-messages", {"query": "hi", "response_mode": "streaming"}),
        ("/chat-messages", {"query": "hi", "auto_generate_name": True, "response_mode": "blocking"}),
    ]
    path, body = random.choice(bodies)
    full = {"inputs": {}, "user": "ada", **body}
    while True:
        try:
            async with api.http.post(
                f"{url}/v1{path}", json=full, headers={"Authorization": f"Bearer {api.key}"}
            ) as response:
                await response.read()
                if response.status == 503:
                    return
        except (OSError, aiohttp.ClientError):
            return


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_stopped_in_the_middle_of_runs_says_nothing(
    served: Served, database_settings: dict[str, str], tmp_path: Path, number: signal.Signals
):
    flows = [await served.publish(chatflow("mock-50tok-20ms")), await served.publish(chatflow("mock-5tok-0ms"))]
    for _ in range(ROUNDS):
        server = Server(served, database_settings, tmp_path)
        await asyncio.to_thread(server.wait_until_up)
        clients = [asyncio.create_task(load(flow, server.url)) for flow in flows for _ in range(4)]
        # The moment is meant to be any.
        await asyncio.sleep(random.uniform(0.05, 1.5))
        code = await asyncio.to_thread(server.stop, number)
        await asyncio.gather(*clients)

        assert (code, server.errors.read_text()) == (0, "")


@pytest.mark.parametrize("redis_settings", LAYOUTS)
async def test_several_processes_stopped_in_the_middle_of_runs_say_nothing(
    served: Served, database_settings: dict[str, str], tmp_path: Path, redis_settings: str
):
    assert redis_settings == "redis"
    flow = await served.publish(chatflow("mock-50tok-20ms"))
    with redis(tmp_path) as settings:
        server = Server(served, {**database_settings, **settings}, tmp_path, "--workers", "2")
        await asyncio.to_thread(server.wait_until_up)
        clients = [asyncio.create_task(load(flow, server.url)) for _ in range(6)]
        await asyncio.sleep(random.uniform(0.2, 0.8))
        await asyncio.to_thread(server.stop, signal.SIGTERM)
        await asyncio.gather(*clients)

    assert server.errors.read_text() == ""


async def test_a_run_goes_on_in_the_next_server_after_a_clean_stop(
    served: Served, database_settings: dict[str, str], tmp_path: Path
):
    # Longer than a server that was told to stop waits for its runs.
    await served.add_models("mock-250tok-20ms")
    app = await served.publish(model_workflow("mock-250tok-20ms"))
    server = Server(served, database_settings, tmp_path)
    await asyncio.to_thread(server.wait_until_up)
    body = {"inputs": {"x": "hi"}, "user": "ada", "response_mode": "streaming"}
    headers = {"Authorization": f"Bearer {app.key}", "Last-Event-ID": "0"}
    async with app.http.post(f"{server.url}/v1/workflows/run", json=body, headers=headers) as response:
        run_id = ""
        async for line in response.content:
            if line.startswith(b"data: ") and json.loads(line[6:])["event"] == "text_chunk":
                run_id = json.loads(line[6:])["workflow_run_id"]
                break
        code = await asyncio.to_thread(server.stop, signal.SIGTERM)
        rest = await response.read()

    # The process that runs this test is the next server: it shares the database.
    answer = await app.get(f"/workflow/{run_id}/events?user=ada", headers={"Last-Event-ID": "0"})
    assert code == 0
    assert b"workflow_finished" not in rest
    assert answer.status == 200, answer.body
    assert answer.names[-1] == "workflow_finished"
    assert answer.events[-1]["data"]["status"] == "succeeded"
    assert len(answer.events[-1]["data"]["outputs"]["out"].split()) >= 250
    assert "text_replace" in answer.names
    async with served.desk.database.session() as db:
        run = (await db.scalars(select(Run).where(Run.task_id.is_not(None)).order_by(Run.id.desc()))).first()
        executors = (await db.scalars(select(RunExecutor.id))).all()
    assert run is not None
    assert (str(run.id), run.losses) == (run_id, 0)
    assert list(executors) == [served.desk.runner.executors.id]


async def test_a_blocking_call_is_told_where_its_run_goes_on(
    served: Served, database_settings: dict[str, str], tmp_path: Path
):
    app = await served.publish(chatflow("mock-hang3"))
    server = Server(served, database_settings, tmp_path)
    await asyncio.to_thread(server.wait_until_up)
    body = {"inputs": {}, "query": "hi", "user": "ada", "auto_generate_name": False}
    url, headers = f"{server.url}/v1/chat-messages", {"Authorization": f"Bearer {app.key}"}

    async def ask() -> tuple[int, dict[str, str]]:
        async with app.http.post(url, json=body, headers=headers) as response:
            return response.status, await response.json()

    asking = asyncio.create_task(ask())
    await asyncio.to_thread(_wait_for_request, served)
    await asyncio.to_thread(server.stop, signal.SIGTERM)
    status, answer = await asking

    assert (status, answer["code"]) == (503, "run_goes_on")
    run_id = answer["message"].split("/v1/workflows/run/")[1].split(",")[0]
    async with served.desk.database.session() as db:
        message = (await db.scalars(select(Message))).one()
    assert str(message.run_id) == run_id
    await served.desk.runner.stop(await _task_of(served, run_id), app_id=message.app_id, user=None)


def _wait_for_request(served: Served) -> None:
    while not served.models.requests():
        pass


async def _task_of(served: Served, run_id: str) -> str:
    async with served.desk.database.session() as db:
        return str((await db.scalars(select(Run.task_id).where(Run.id == UUID(run_id)))).one())
