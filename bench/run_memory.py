#!/usr/bin/env python3
"""Memory that one run of a 200-node flow with values of 1 MB takes, beyond the values themselves.

    .venv/bin/python bench/run_memory.py [--nodes 200] [--megabytes 1] [--served]

In process: the flow is run by the engine alone, its events thrown away, under `tracemalloc`. `pass on` hands one value
from node to node, so that all of them hold the same. `make anew` makes a value in every node (with templates, whose
output may have 400 000 characters), and what the values need is taken off. `--served` starts a server, saves the run
as usual, and watches the server's resident memory instead: its growth over an idle server that has run the flow before.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import threading
import time
import tracemalloc
import urllib.request
from contextlib import ExitStack
from typing import Any

import engine_graphs
import proctree
from console_client import Console
from engine_adapter import Adapter
from service_bench import free_ports, spawn, wait_for

MB = 1024 * 1024


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--nodes", type=int, default=200)
    options.add_argument("--megabytes", type=int, default=1)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--served", action="store_true")
    chosen = options.parse_args()
    flows = {
        "pass on": (engine_graphs.chain(chosen.nodes, "aggregator"), chosen.megabytes * MB, 1),
        "make anew": (engine_graphs.chain(chosen.nodes, "template"), min(chosen.megabytes * MB, 390_000), chosen.nodes),
    }
    for name, (document, size, made) in flows.items():
        value = "x" * size
        del document["workflow"]["graph"]["nodes"][0]["data"]["variables"][0]["max_length"]
        if chosen.served:
            found = served(document, value, chosen.rounds)
            print(f"{name}, served: peak growth of the server per run, MB: {', '.join(f'{mb:.1f}' for mb in found)}")
            continue
        needed = made * len(value) / MB
        found = [peak_mb(document, value) for _ in range(chosen.rounds)]
        beyond = ", ".join(f"{mb - needed:.1f}" for mb in found)
        print(f"{name}: peak {max(found):.1f} MB, values {needed:.0f} MB, beyond them: {beyond} MB")


def peak_mb(document: dict[str, Any], value: str) -> float:
    """The most memory that one run had allocated at a time, its input not counted twice."""
    engine = Adapter()
    app = engine.load(engine_graphs.dumps(document))
    engine.go(engine.start(app, {"x": "a"}))
    gc.collect()
    tracemalloc.start()
    try:
        held = value.encode().decode()  # counted, as the request's body would be
        run = engine.start(app, {"x": held})
        engine.go(run)
        return tracemalloc.get_traced_memory()[1] / MB
    finally:
        tracemalloc.stop()


def served(document: dict[str, Any], value: str, rounds: int) -> list[float]:
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        (port,) = free_ports(1)
        server = spawn(stack, ["-m", "tidemill", "serve", "--port", str(port), "--data", home])
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/readyz")
        console = Console(base)
        console.sign_in()
        _, key = console.publish(engine_graphs.dumps(document))
        run(base, key, "a")
        time.sleep(2)
        found: list[float] = []
        for _ in range(rounds):
            idle = proctree.rss_bytes([server])
            with Peak(server) as peak:
                run(base, key, value)
                time.sleep(2)
            found.append((peak.most - idle) / MB)
        return found


def run(base: str, key: str, value: str) -> None:
    body = json.dumps({"inputs": {"x": value}, "user": "bench", "response_mode": "blocking"}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{base}/v1/workflows/run", body, headers)
    with urllib.request.urlopen(request, timeout=600) as response:
        told = json.loads(response.read())
    if told["data"]["status"] != "succeeded" or len(told["data"]["outputs"]["out"]) != len(value):
        raise SystemExit(f"The run did not succeed: {str(told)[:300]}")


class Peak:
    """The most resident memory of a process while this is open."""

    def __init__(self, pid: int) -> None:
        self.most = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, proctree.rss_bytes([self._pid]))


if __name__ == "__main__":
    main()
