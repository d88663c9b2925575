#!/usr/bin/env python3
"""Starts a server, a scripted model and the bare proxy, and prints the three service figures of docs/benchmarks.md.

    .venv/bin/python bench/service_bench.py [--rounds 3] [--json FILE]

Everything listens on free ports of 127.0.0.1, keeps its data in a temporary folder, and is ended afterwards.
The proxy (`passthrough.py`) is the floor: it re-frames and does nothing else. Rounds are interleaved; CPU is that of
the server alone, counted by `proctree.py`. Wall times on a busy machine measure the neighbours: read them as ratios.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import engine_graphs
import proctree
from console_client import Console

HERE = Path(__file__).parent
BURST, PACED, STAMPED = "mock-200tok-0ms", "mock-50tok-20ms", "mock-50tok-20ms-stamp"
PROVIDER = "langgenius/openai/openai"


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", default="", help="write the medians to this file")
    chosen = options.parse_args()
    with ExitStack() as stack:
        targets = start_all(stack)
        first_text = targets.pop("first text")
        rounds = [{name: run(args) for name, args in targets.items()} for _ in range(chosen.rounds)]
        told = [subprocess.check_output([sys.executable, *first_text], text=True) for _ in range(chosen.rounds)]
    medians = {name: summarize([done[name] for done in rounds]) for name in rounds[0]}
    report(medians)
    print("".join(told), end="")
    if chosen.json:
        Path(chosen.json).write_text(json.dumps(medians, indent=1))


def start_all(stack: ExitStack) -> dict[str, list[str]]:
    """Start every process and return the load of each figure, by name."""
    home = stack.enter_context(tempfile.TemporaryDirectory())
    mock_port, server_port, burst_port, paced_port = free_ports(4)
    mock = spawn(stack, [str(HERE / "mock_llm.py"), "--port", str(mock_port)])
    server = spawn(stack, ["-m", "tidemill", "serve", "--port", str(server_port), "--data", home])
    floors = {
        name: (spawn(stack, proxy(mock_port, port, model)), port)
        for name, port, model in (("burst", burst_port, BURST), ("paced", paced_port, PACED))
    }
    base = f"http://127.0.0.1:{server_port}"
    for url in (f"http://127.0.0.1:{mock_port}/health", f"{base}/readyz"):
        wait_for(url)
    for _, port in floors.values():
        wait_for(f"http://127.0.0.1:{port}/health")
    console = Console(base)
    console.sign_in()
    console.add_models(f"http://127.0.0.1:{mock_port}/v1", BURST, PACED, STAMPED)
    documents = {
        "small": engine_graphs.small(),
        "long": engine_graphs.chain(52, "aggregator"),
        "burst": engine_graphs.llm(BURST, PROVIDER, "advanced-chat"),
        "paced": engine_graphs.llm(PACED, PROVIDER, "advanced-chat"),
        "stamped": engine_graphs.llm(STAMPED, PROVIDER, "advanced-chat"),
    }
    keys = {name: console.publish(engine_graphs.dumps(document))[1] for name, document in documents.items()}
    ours = ["--base", base, "--pid", f"server={server}", "--pid", f"_mock={mock}"]
    loads = {"burst": ["-c", "20", "-n", "200"], "paced": ["-c", "100", "-n", "300"]}
    flow = ["dify_workflow", *ours, "--inputs", '{"x":"a"}', "--blocking", "-c", "20", "-n", "600"]
    targets = {
        "small run": [*flow, "--key", keys["small"]],
        "long run": [*flow, "--key", keys["long"]],
    }
    for name, load in loads.items():
        process, port = floors[name]
        proxied = ["--base", f"http://127.0.0.1:{port}", "--pid", f"server={process}"]
        targets[f"{name} floor"] = ["dify", *proxied, *load]
        targets[name] = ["dify", *ours, "--key", keys[name], *load]
    targets["first text"] = [str(HERE / "first_text.py"), "--base", base, "--key", keys["stamped"]]
    return targets


def proxy(upstream_port: int, port: int, model: str) -> list[str]:
    upstream = f"http://127.0.0.1:{upstream_port}"
    return [str(HERE / "passthrough.py"), "--upstream", upstream, "--port", str(port), "--model", model]


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def spawn(stack: ExitStack, command: Sequence[str]) -> int:
    """Start a Python process that ends with the stack."""
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    stack.callback(proctree.end_tree, process.pid)
    return process.pid


def wait_for(url: str, timeout_s: float = 30.0) -> None:
    until = time.monotonic() + timeout_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                if response.status == 200:
                    return
        except OSError:
            if time.monotonic() > until:
                raise
        time.sleep(0.05)


def run(args: Sequence[str]) -> dict[str, Any]:
    """One `load_sse.py` run. Errors end the benchmark: a run with errors is no result."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as result:
        command = [sys.executable, str(HERE / "load_sse.py"), *args, "--json", result.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return json.loads(result.read())


def summarize(results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Medians over the rounds, of the figures that were measured."""
    names = (
        *("server_cpu_ms_per_run", "done_p50_ms", "done_p99_ms", "first_chunk_p50_ms", "first_chunk_p99_ms"),
        *("chunks_per_run", "runs_per_s", "errors", "truncated"),
    )
    return {name: statistics.median(result[name] or 0 for result in results) for name in names}


def report(medians: dict[str, dict[str, float]]) -> None:
    print("| figure | CPU ms/run | done p50 ms | done p99 ms | first text p99 ms | text events/run | errors |")
    print("|---|---|---|---|---|---|---|")
    for name, row in medians.items():
        cells = (
            *(row["server_cpu_ms_per_run"], row["done_p50_ms"], row["done_p99_ms"]),
            *(row["first_chunk_p99_ms"], row["chunks_per_run"], row["errors"] + row["truncated"]),
        )
        print(f"| {name} | " + " | ".join(f"{cell:g}" for cell in cells) + " |")
    small, long = medians["small run"]["server_cpu_ms_per_run"], medians["long run"]["server_cpu_ms_per_run"]
    print(f"\nper further pure node: {(long - small) / 49:.3f} ms CPU")
    for name in ("burst", "paced"):
        ratio = medians[name]["server_cpu_ms_per_run"] / medians[f"{name} floor"]["server_cpu_ms_per_run"]
        print(f"{name}: {ratio:.2f} times the CPU of the bare proxy")


if __name__ == "__main__":
    main()
