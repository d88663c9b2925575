"""The database goes away in the middle of runs, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import select

from conftest import POSTGRES
from domains.runs.test_faults import final, served_on
from support.installation import settings_in
from support.model_server import ModelServer
from support.postgres import Server, new_database, running_server
from support.served import Served, chatflow
from tidemill.domains.runs import journals, recorder
from tidemill.domains.runs.models import Run
from tidemill.engine.events import RunFinished


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Server]:
    """A server that nobody else uses: it is stopped."""
    assert POSTGRES is not None
    with running_server(POSTGRES) as server:
        yield server


@pytest_asyncio.fixture
async def on_postgres(own_postgres: Server, tmp_path: Path, model_server: ModelServer) -> AsyncGenerator[Served]:
    with new_database(own_postgres) as name:
        settings = settings_in(tmp_path, **own_postgres.settings(name))
        async with served_on(settings, model_server) as served:
            yield served


async def test_a_run_goes_on_when_the_database_was_restarted(on_postgres: Served, own_postgres: Server):
    app = await on_postgres.publish(chatflow("mock-50tok-20ms"))
    usual = (await app.chat("hi")).json()["answer"]

    async with app.stream("/chat-messages", {"query": "hi"}) as stream:
        run_id = (await stream.until("workflow_started"))["workflow_run_id"]
        await stream.until("message")
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.to_thread(own_postgres.start)
        names = await stream.rest()

    async with on_postgres.desk.database.session() as db:
        run = (await db.scalars(select(Run).where(Run.id == UUID(run_id)))).one()
        journal = await journals.read(db, run.id)
    assert names[-1] == "workflow_finished"
    assert (run.status, run.outputs) == ("succeeded", {"answer": usual, "files": []})
    assert [event.seq for event in journal] == list(range(1, len(journal) + 1))
    assert (await app.chat("hi")).status == 200


async def test_a_run_ends_with_a_sentence_when_the_database_stays_away(
    on_postgres: Served, own_postgres: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recorder, "PATIENCE_S", 1.0)
    app = await on_postgres.publish(chatflow("mock-50tok-20ms"))

    async with app.stream("/chat-messages", {"query": "hi"}) as stream:
        run_id = (await stream.until("workflow_started"))["workflow_run_id"]
        await asyncio.to_thread(own_postgres.stop)
        names = await stream.rest()
    await asyncio.to_thread(own_postgres.start)
    run = await final(on_postgres, run_id)
    async with on_postgres.desk.database.session() as db:
        journal = await journals.read(db, run.id)

    assert names[-2:] == ["workflow_finished", "error"]
    assert "database cannot be reached" in stream.seen[-1]["message"]
    assert (run.status, run.error_type) == ("failed", "JournalFailed")
    assert isinstance(journal[-1], RunFinished)
    assert (await app.chat("hi")).status == 200
