"""Time and memory of code nodes: sandbox_bench.py [--runs 1000] [--full 60]

Warm runs of both paths, one after the other; wall and CPU time of this process and of the sandbox's; the memory of
the pool over all runs; how long processes live when nobody asks for them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

from tidemill.adapters.sandbox import CodeSandbox, Limits
from tidemill.ports import CodeRequest

CODE = """
import json
import re

def main(text: str, items: list) -> dict:
    words = re.findall(r"[a-z]+", text.lower())
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    top = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return {"text": json.dumps({"top": top, "items": [item * 2 for item in items]}), "n": len(words)}
"""
INPUTS = {"text": "The quick brown fox jumps over the lazy dog. " * 10, "items": [1, 2.5, 3]}
JAVASCRIPT = "function main({ text, items }) { return { n: text.split(' ').length, items: items.map((x) => x * 2) } }"


def request(language: Any, code: str) -> CodeRequest:
    return CodeRequest(language=language, code=code, inputs=INPUTS)


def children() -> list[psutil.Process]:
    return psutil.Process(os.getpid()).children(recursive=True)


def resident_mb() -> float:
    return sum(process.memory_info().rss for process in children()) / 1e6


def cpu_s() -> float:
    """Of this process, of those it has now and of those that ended."""
    own = psutil.Process(os.getpid()).cpu_times()
    return sum(own[:4]) + sum(sum(process.cpu_times()[:2]) for process in children())


async def timed(title: str, once: Callable[[], Awaitable[Any]], runs: int, warm: int = 5) -> None:
    for _ in range(warm):
        await once()
    took: list[float] = []
    most = 0.0
    began = cpu_s()
    for index in range(runs):
        start = time.perf_counter()
        await once()
        took.append((time.perf_counter() - start) * 1000)
        if index % 20 == 0:
            most = max(most, resident_mb())
    cpu = (cpu_s() - began) * 1000 / runs
    took.sort()
    p95 = took[int(len(took) * 0.95)]
    print(
        f"{title}: {runs} runs, p50 {statistics.median(took):.1f} ms, p95 {p95:.1f} ms, min {took[0]:.1f} ms; "
        f"CPU {cpu:.1f} ms a run; most memory {most:.0f} MB, now {resident_mb():.0f} MB"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--full", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        sandbox = CodeSandbox(Path(folder), Limits(idle_s=3))
        python = request("python3", CODE)
        expected = await sandbox.run(python)
        print(f"fast path, first run: {(time.perf_counter() - started) * 1000:.0f} ms")
        started = time.perf_counter()
        assert await sandbox.run_fully(python) == expected
        print(f"full path, first run of an installation: {(time.perf_counter() - started) * 1000:.0f} ms")
        await timed("fast path", lambda: sandbox.run(python), options.runs)
        await timed("full path", lambda: sandbox.run_fully(python), options.full)
        await timed("JavaScript", lambda: sandbox.run(request("javascript", JAVASCRIPT)), options.full)
        print(f"processes: {len(children())}, {resident_mb():.0f} MB")
        idle = time.perf_counter()
        while children():  # noqa: ASYNC110 - nothing tells when a process is gone
            await asyncio.sleep(0.1)
        print(f"no process left after {time.perf_counter() - idle:.1f} s without a run (idle limit 3 s)")
        await sandbox.close()


if __name__ == "__main__":
    asyncio.run(main())
