"""Two server processes on one database: a stop reaches the run wherever it is."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from cli.serving import serving
from support.postgres import free_port
from support.served import Served, chatflow, model_workflow

REDIS = shutil.which("redis-server")
# What carries messages between processes.
LAYOUTS = ["the database", *(["redis"] if REDIS else [])]


@contextmanager
def redis(folder: Path) -> Generator[dict[str, str]]:
    """A Redis server of our own, as settings."""
    port = str(free_port())
    command = [str(REDIS), "--port", port, "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": port}
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True)
class Pair:
    """The addresses of two servers, and what made their apps."""

    first: str
    second: str
    served: Served


@pytest_asyncio.fixture(params=LAYOUTS)
async def pair(
    request: pytest.FixtureRequest, served: Served, database_settings: dict[str, str], tmp_path: Path
) -> AsyncGenerator[Pair]:
    environment = dict(database_settings)
    data = str(served.installation.settings.home)
    with ExitStack() as stack:
        if request.param == "redis":
            environment |= stack.enter_context(redis(tmp_path))
        addresses: list[str] = []
        for name in ("first", "second"):
            folder = tmp_path / name
            folder.mkdir()
            starting = serving(folder, "--data", data, environment=environment)
            addresses.append((await asyncio.to_thread(stack.enter_context, starting)).url)
        yield Pair(addresses[0], addresses[1], served)


async def test_a_stop_through_another_process_ends_a_chat_within_a_second(pair: Pair):
    app = await pair.served.publish(chatflow("mock-hang3"))
    here, there = replace(app, base=pair.first), replace(app, base=pair.second)

    async with here.stream("/chat-messages", {"query": "hi"}) as stream:
        task_id = (await stream.until("message"))["task_id"]
        foreign = await there.post(f"/chat-messages/{task_id}/stop", {"user": "eve"})
        began = time.monotonic()
        await there.post(f"/chat-messages/{task_id}/stop", {"user": "ada"})
        names = await stream.rest()
        elapsed_s = time.monotonic() - began

    assert foreign.json() == {"result": "success"}
    assert names[-2:] == ["workflow_finished", "message_end"]
    assert stream.seen[-2]["data"]["status"] == "stopped"
    assert "user ada" in stream.seen[-2]["data"]["error"]
    assert elapsed_s < 1.0
    await asyncio.to_thread(pair.served.models.wait_for_disconnects)


async def test_a_stop_through_another_process_ends_a_workflow_and_leaves_others_alone(pair: Pair):
    app, other = [await pair.served.publish(model_workflow("mock-hang3")) for _ in range(2)]
    here = replace(app, base=pair.first)

    async with here.stream("/workflows/run", {"inputs": {"x": "hi"}}) as stream:
        task_id = (await stream.until("text_chunk"))["task_id"]
        await replace(other, base=pair.second).post(f"/workflows/tasks/{task_id}/stop", {"user": "eve"})
        began = time.monotonic()
        await replace(app, base=pair.second).post(f"/workflows/tasks/{task_id}/stop", {"user": "eve"})
        await stream.rest()
        elapsed_s = time.monotonic() - began

    assert stream.seen[-1]["data"]["status"] == "stopped"
    assert elapsed_s < 1.0
