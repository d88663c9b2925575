#!/usr/bin/env python3
"""What 5,000 paused runs cost a server: memory, tasks, and how soon one of them goes on after a restart.

    .venv/bin/python bench/paused_runs.py [-n 5000]

Runs of a workflow that asks a person (human input) are started until so many wait. The server's own memory (PSS, after
it had time to settle) is taken before and after, and again of a second process on the same data; that one is asked how
soon a run goes on once its form is answered. Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

import engine_graphs
from console_client import Console
from graph_builder import Graph
from kill_fleet import Process
from service_bench import free_ports

AT_ONCE = 50


def flow() -> dict[str, object]:
    """start -> human input -> end."""
    graph = Graph("paused")
    graph.start()
    form = graph.node(
        "form",
        "human-input",
        form_content="Is {{#start.x#}} right?",
        inputs=[],
        user_actions=[{"id": "yes", "title": "Yes", "button_style": "primary"}],
        delivery_methods=[{"id": "5d9e0c62-7a8d-4d10-b7a1-d0ff2f4d4c11", "type": "webapp", "enabled": True}],
        timeout=3,
        timeout_unit="day",
    )
    graph.edge("start", form)
    graph.edge(form, graph.end(("start", "x")), "yes")
    return graph.dsl()


async def pause(http: aiohttp.ClientSession, url: str, key: str, count: int) -> list[dict[str, object]]:
    """Start runs, and return the answers of those that wait."""
    found: list[dict[str, object]] = []
    left = iter(range(count))

    async def work() -> None:
        for number in left:
            body = {"inputs": {"x": str(number)}, "user": "ada", "response_mode": "blocking"}
            headers = {"Authorization": f"Bearer {key}"}
            async with http.post(f"{url}/v1/workflows/run", json=body, headers=headers) as response:
                answer = await response.json()
                if answer["data"]["status"] != "paused":
                    raise SystemExit(f"A run did not pause: {answer}")
                found.append(answer)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return found


async def resume(http: aiohttp.ClientSession, url: str, key: str, answer: dict[str, object]) -> float:
    """Answer a form and return the seconds until the run is over."""
    token = answer["data"]["reasons"][0]["form_token"]  # type: ignore[index]
    run_id = answer["workflow_run_id"]
    headers = {"Authorization": f"Bearer {key}"}
    began = time.monotonic()
    body = {"inputs": {}, "action": "yes", "user": "ada"}
    async with http.post(f"{url}/v1/form/human_input/{token}", json=body, headers=headers) as response:
        if response.status != 200:
            raise SystemExit(f"The form was not taken: {await response.text()}")
    async with http.get(f"{url}/v1/workflow/{run_id}/events?user=ada", headers=headers) as response:
        text = await response.text()
    if '"status":"succeeded"' not in text:
        raise SystemExit(f"The run did not go on: {text[-500:]}")
    return time.monotonic() - began


def memory(process: Process) -> int:
    """Bytes (PSS) of the server, its children left out: those do not grow with runs."""
    assert process.popen is not None
    text = Path(f"/proc/{process.popen.pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def settled(process: Process, pause_s: float = 3.0) -> int:
    time.sleep(pause_s)
    return min(memory(process) for _ in range(3))


async def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("-n", type=int, default=5000)
    count = options.parse_args().n
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        first, second = [Process(port, home / "data", home / "log", {}) for port in free_ports(2)]
        first.start()
        await first.ready()
        console = Console(first.url)
        console.sign_in()
        key = console.publish(engine_graphs.dumps(flow()))[1]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as http:
            # What is loaded with the first runs, and what the allocator keeps of a burst, is not theirs.
            await pause(http, first.url, key, 1000)
            before = settled(first)
            answers = await pause(http, first.url, key, count)
            after = settled(first)
            print(f"{count} paused runs: {(after - before) / 2**20:+.1f} MB (before {before / 2**20:.1f} MB)")
            empty = Process(free_ports(1)[0], home / "empty", home / "log", {})
            empty.start()
            await empty.ready()
            bare = settled(empty)
            empty.end()
            first.end()
            second.start()
            await second.ready()
            print(f"a new process beside them: {(settled(second) - bare) / 2**20:+.1f} MB against one without any")
            second.end()
            third = Process(first.port, home / "data", home / "log", {})
            third.start()
            await third.ready()
            times = [await resume(http, third.url, key, answer) for answer in answers[:20]]
            usual = statistics.median(times[1:])
            print(f"after a restart the first goes on in {times[0]:.2f} s, others in {usual:.3f} s (p50)")
            third.end()


if __name__ == "__main__":
    asyncio.run(main())
