"""Forms outlive the process that asked: killed while a run waits, the next one takes the answer."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import update

from cli.serving import serving
from domains.humans.flows import approval, chatflow
from domains.humans.people import Waiting, asked
from support.installation import Installation, started
from support.postgres import free_port
from support.served import Api, checked
from tidemill.domains.humans.models import Form
from tidemill.domains.runs import journals
from tidemill.kit.db import Database, now
from tidemill.kit.settings import Settings
from tidemill.main import open_database

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Place:
    """A data folder with published apps, and how to serve it."""

    folder: Path
    settings: Settings
    environment: Mapping[str, str]
    apps: list[Api]

    def app(self, url: str, number: int = 0) -> Api:
        return replace(self.apps[number], base=url)

    @contextmanager
    def killed_at_the_end(self) -> Generator[str]:
        """Serve in a process that gets no chance to clean up; yields its address."""
        port = free_port()
        command = [sys.executable, "-m", "tidemill.cli", "serve", "--port", str(port)]
        command += ["--data", str(self.settings.home)]
        log = self.folder / f"{port}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=self.folder, env=dict(self.environment)
            )
        url = f"http://127.0.0.1:{port}"
        try:
            _until_ready(url, process, log)
            yield url
        finally:
            process.kill()
            process.wait(10)

    @contextmanager
    def served(self, name: str) -> Generator[str]:
        folder = self.folder / name
        folder.mkdir()
        with serving(folder, "--data", str(self.settings.home), environment=self.environment) as server:
            yield server.url


def _until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while not _answers(url):
        assert time.monotonic() < ends_at, log.read_text()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            raise AssertionError(log.read_text())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=1):
            return True
    except OSError:
        return False


@asynccontextmanager
async def place(
    tmp_path: Path, settings: Settings, database_settings: dict[str, str], *documents: object
) -> AsyncGenerator[Place]:
    """Publish apps with a server that is gone before the others begin."""
    async with aiohttp.ClientSession() as http:
        async with started(settings) as installation:
            apps = [await _published(installation, http, document) for document in documents]
        yield Place(tmp_path, settings, {**os.environ, **database_settings}, apps)


async def _published(installation: Installation, http: aiohttp.ClientSession, document: object) -> Api:
    person = await installation.add_person(f"owner{time.monotonic_ns()}@example.com")
    async with person.browser as browser:
        imported = await checked(browser, "POST", "/apps/import", {"content": json.dumps(document)})
        app_id = imported["app"]["id"]
        await checked(browser, "POST", f"/apps/{app_id}/publish", {})
        issued = await checked(browser, "POST", f"/apps/{app_id}/keys", {})
    return Api("", app_id, issued["secret"], http)


async def numbers_of(settings: Settings, run_id: str) -> list[int]:
    """The numbers of all events in a run's journal."""
    database = open_database(settings)
    try:
        async with database.session() as db:
            return [event.seq for event in await journals.read(db, UUID(run_id))]
    finally:
        await database.close()


@pytest.mark.timeout(180)
async def test_a_form_is_answered_after_its_process_was_killed(
    tmp_path: Path, settings: Settings, database_settings: dict[str, str]
):
    async with place(tmp_path, settings, database_settings, approval()) as here:
        with here.killed_at_the_end() as url:
            waiting = await asked(here.app(url))
        with here.served("second") as url:
            waiting = replace(waiting, app=here.app(url))
            before = await waiting.record()
            answered = await waiting.answer(comment="after the crash")
            rest = await waiting.rest()

        numbers = await numbers_of(settings, waiting.run_id)

    assert before["status"] == "paused"
    assert answered.status == 200
    assert rest[-1]["data"]["id"] == waiting.run_id
    assert rest[-1]["data"]["outputs"]["comment"] == "after the crash"
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.timeout(180)
async def test_an_answer_whose_process_was_killed_before_the_run_went_on_is_taken_up_by_the_next(
    tmp_path: Path, settings: Settings, database_settings: dict[str, str]
):
    async with place(tmp_path, settings, database_settings, chatflow()) as here:
        with here.killed_at_the_end() as url:
            waiting = await asked(here.app(url), "/chat-messages", {"query": "tea", "inputs": {"x": ""}})
        await _note_answer(settings, waiting)
        with here.served("second") as url:
            waiting = replace(waiting, app=here.app(url))
            rest = await waiting.rest(is_whole=True)
            if rest[-1]["event"] == "workflow_paused":
                rest = await waiting.rest()

    assert rest[-1]["event"] == "workflow_finished"
    assert rest[-1]["data"]["outputs"]["answer"] == "One moment. Approve: noted"


async def _note_answer(settings: Settings, waiting: Waiting) -> None:
    """The answer as a submission commits it, of a process that ended just then."""
    await _change(settings, waiting, status="submitted", action_id="approve", values={"comment": "noted"}, due_at=now())


@pytest.mark.timeout(180)
async def test_a_time_that_passed_while_nothing_served_is_noticed_by_the_next(
    tmp_path: Path, settings: Settings, database_settings: dict[str, str]
):
    async with place(tmp_path, settings, database_settings, approval()) as here:
        with here.killed_at_the_end() as url:
            waiting = await asked(here.app(url))
        past = now() - timedelta(hours=1)
        await _change(settings, waiting, expires_at=past, due_at=past)
        with here.served("second") as url:
            waiting = replace(waiting, app=here.app(url))
            rest = await waiting.rest(is_whole=True)
            if rest[-1]["event"] == "workflow_paused":
                rest = await waiting.rest()

    assert rest[-1]["data"]["outputs"] == {"action": ""}


async def _change(settings: Settings, waiting: Waiting, **values: object) -> None:
    database: Database = open_database(settings)
    try:
        async with database.session() as db:
            await db.execute(update(Form).where(Form.id == UUID(waiting.forms[0]["form_id"])).values(**values))
    finally:
        await database.close()
