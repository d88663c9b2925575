"""The disk of the database is full in the middle of runs, and has room again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from uuid import UUID

import aiohttp
import pytest_asyncio
from sqlalchemy import event, select

from support.installation import settings_in, started
from support.model_server import ModelServer
from support.served import Served, chatflow, listening
from tidemill.domains.runs import journals
from tidemill.domains.runs.models import Run
from tidemill.domains.runs.writers import ThreadWriter
from tidemill.engine.events import RunFinished
from tidemill.kit.settings import Settings


def limit_pages(writer: ThreadWriter, count: int) -> None:
    """Let the database file grow no further than this, as a full disk would."""

    def limit(connection: object) -> None:
        connection.execute(f"PRAGMA max_page_count={count}")  # type: ignore[attr-defined] - a raw connection

    def on_begin(connection: object) -> None:
        limit(connection.connection.dbapi_connection)  # type: ignore[attr-defined]

    event.listen(writer.engine, "begin", on_begin)


@asynccontextmanager
async def served_on(settings: Settings, models: ModelServer) -> AsyncGenerator[Served]:
    """A server with an owner, on a database of the test's choice."""
    async with started(settings) as installation:
        owner = await installation.add_person("owner@example.com")
        async with owner.browser, listening(installation) as base, aiohttp.ClientSession() as http:
            served = Served(base, installation, owner, models, http)
            await served.add_models("mock-50tok-20ms")
            yield served


@pytest_asyncio.fixture
async def on_sqlite(tmp_path: Path, model_server: ModelServer) -> AsyncGenerator[Served]:
    """On SQLite, whatever the other tests use: a disk can be made small for it."""
    async with served_on(settings_in(tmp_path), model_server) as served:
        yield served


async def test_a_run_ends_with_a_sentence_when_the_disk_is_full(on_sqlite: Served):
    served, writer = on_sqlite, cast(ThreadWriter, on_sqlite.desk.runner.recorder.writer)
    app = await served.publish(chatflow("mock-50tok-20ms"))
    await app.chat("hi")

    async with app.stream("/chat-messages", {"query": "hi"}) as stream:
        run_id = (await stream.until("workflow_started"))["workflow_run_id"]
        await stream.until("message")
        limit_pages(writer, 1)
        names = await stream.rest()
    limit_pages(writer, 1_000_000)
    run = await final(served, run_id)

    async with served.desk.database.session() as db:
        journal = await journals.read(db, run.id)
    assert names[-2:] == ["workflow_finished", "error"]
    assert "disk of the database is full" in stream.seen[-1]["message"]
    assert (run.status, run.error_type) == ("failed", "JournalFailed")
    assert isinstance(journal[-1], RunFinished)
    assert [entry.seq for entry in journal] == list(range(1, len(journal) + 1))
    assert (await app.chat("hi")).status == 200


async def final(served: Served, run_id: str) -> Run:
    while True:
        async with served.desk.database.session() as db:
            run = (await db.scalars(select(Run).where(Run.id == UUID(run_id)))).one()
        if run.status != "running":
            return run
        await asyncio.sleep(0.1)
