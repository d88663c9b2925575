"""The bus, in one process and over a real Redis."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from tidemill.kit.bus import Bus, BusUnavailable, MemoryBus
from tidemill.kit.bus_redis import RedisBus

REDIS = shutil.which("redis-server")
KINDS = ["memory", "redis"] if REDIS else ["memory"]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server of our own."""
    folder: Path = tmp_path_factory.mktemp("redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(REDIS), "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _wait_for(port)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("redis-server did not start")


@pytest.fixture(params=KINDS)
async def buses(request: pytest.FixtureRequest) -> AsyncGenerator[tuple[Bus, Bus]]:
    """Two ends of one bus: the same object in memory, two connections over Redis."""
    if request.param == "memory":
        bus = MemoryBus()
        yield bus, bus
        return
    url: str = request.getfixturevalue("redis_url")
    left, right = RedisBus(url), RedisBus(url)
    await left.start()
    await right.start()
    yield left, right
    await left.close()
    await right.close()


async def test_a_message_reaches_a_listener_of_its_topic_only(buses: tuple[Bus, Bus]):
    left, right = buses
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def on_stop(message: bytes) -> None:
        await heard.put(("stop", message))

    async def on_other(message: bytes) -> None:
        await heard.put(("other", message))

    right.listen("stop", on_stop)
    right.listen("other", on_other)

    await left.publish("stop", b"one")

    async with asyncio.timeout(5):
        assert await heard.get() == ("stop", b"one")
    assert heard.empty()


async def test_a_forgotten_listener_hears_nothing(buses: tuple[Bus, Bus]):
    left, right = buses
    heard: list[bytes] = []
    last: asyncio.Queue[bytes] = asyncio.Queue()

    async def on_message(message: bytes) -> None:
        heard.append(message)

    right.listen("topic", on_message)
    right.forget("topic", on_message)
    right.listen("topic", last.put)

    await left.publish("topic", b"one")

    async with asyncio.timeout(5):
        assert await last.get() == b"one"
    assert heard == []


async def test_a_redis_that_is_not_there_is_named():
    bus = RedisBus("redis://127.0.0.1:1/0")

    with pytest.raises(BusUnavailable, match="REDIS_HOST"):
        await bus.start()
    await bus.close()
