#!/usr/bin/env python3
"""Durable small workflows on PostgreSQL: runs per CPU second of one server process.

    .venv/bin/python bench/durable_postgres.py [--rounds 3] [-n 600]

Starts a PostgreSQL of its own (the machine's, or the wheel's) with its defaults, that is with every commit flushed to
disk, one `tidemill serve`, and load of 20 at a time: start, if-else, aggregator, end, everything saved. A run is
answered only when its end is durable. CPU is that of the server process alone, counted by `proctree.py`; what
PostgreSQL itself takes is told beside it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import engine_graphs
import proctree
from console_client import Console
from service_bench import free_ports, run, wait_for

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from kill_fleet import Process
from support.postgres import find_programs, new_database, running_server


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("-n", type=int, default=600)
    chosen = options.parse_args()
    programs = find_programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not on this machine.")
    with ExitStack() as stack:
        postgres = stack.enter_context(running_server(programs))
        # Tests do without the disk; this does not.
        postgres.stop()
        postgres.start("")
        database = stack.enter_context(new_database(postgres))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Process(free_ports(1)[0], home / "data", home / "log", postgres.settings(database))
        server.start()
        stack.callback(server.end)
        wait_for(f"{server.url}/readyz")
        console = Console(server.url)
        console.sign_in()
        key = console.publish(engine_graphs.dumps(engine_graphs.small()))[1]
        measure(server, key, chosen.rounds, chosen.n, postgres_pid(str(postgres.folder)))


def measure(server: Process, key: str, rounds: int, count: int, postmaster: int) -> None:
    assert server.popen is not None
    load = ["dify_workflow", "--base", server.url, "--key", key, "--inputs", '{"x":"a"}', "--blocking", "-c", "20"]
    pids = ["--pid", f"server={server.popen.pid}"]
    run([*load, "-n", "100", *pids])
    costs: list[float] = []
    for number in range(rounds):
        before = proctree.cpu_seconds([postmaster])
        result = run([*load, "-n", str(count), *pids])
        beside = (proctree.cpu_seconds([postmaster]) - before) * 1000 / count
        cost = result["server_cpu_ms_per_run"]
        costs.append(cost)
        print(
            f"round {number + 1}: {cost:.2f} ms CPU per run = {1000 / cost:.0f} runs per CPU second; "
            f"PostgreSQL {beside:.2f} ms; done p50 {result['done_p50_ms']:.0f} ms"
        )
    print(f"median: {1000 / statistics.median(costs):.0f} runs per CPU second")


def postgres_pid(folder: str) -> int:
    return int((Path(folder) / "data" / "postmaster.pid").read_text().splitlines()[0])


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    main()
