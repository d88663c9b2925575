#!/usr/bin/env python3
"""How long a service takes to answer, and what it costs to let it stand.

    cold_start.py --label ours --cmd "python -m app serve --port 9000" \
                  --url http://127.0.0.1:9000/health --env .venv --repeat 3

Starts the command, polls the URL until it answers with a status below 400 (or --status),
lets it settle, then reports RSS/PSS of the process tree, number of processes and threads,
CPU spent until healthy, CPU burned while idle, and bytes on disk of each --env.
Ends only the tree it started.  Several commands (say an API and a worker) may be given:
repeat --cmd; the time is to the answer of the URL, the memory that of all of them.
Already running services are accounted with --pid (memory and idle CPU only).
Standard library only.
"""

# pyright: basic
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack, suppress

import proctree


def answers(url: str, status: int) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as r:
            return r.status == status if status else r.status < 400
    except urllib.error.HTTPError as e:
        return bool(status) and e.code == status
    except OSError:
        return False


def once(a: argparse.Namespace) -> dict[str, float]:
    """Start, wait until it answers, let it stand, and end it."""
    env = {**os.environ, **dict(e.split("=", 1) for e in a.set)}
    with ExitStack() as stack:
        log = stack.enter_context(open(a.log or os.devnull, "ab"))
        t0 = time.monotonic()
        procs: list[subprocess.Popen[bytes]] = []
        for command in a.cmd:
            procs.append(
                subprocess.Popen(
                    ["/bin/sh", "-c", "exec " + command],
                    cwd=a.cwd or None,
                    env=env,
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
            stack.callback(end, procs[-1])
        if procs:
            wait_until_healthy(a, procs, t0)
        healthy = time.monotonic() - t0
        pids = [p.pid for p in procs]
        cpu_start = proctree.cpu_seconds(pids)
        time.sleep(a.settle)
        roots = pids + a.pid
        c0, w0 = proctree.cpu_seconds(roots), time.monotonic()
        time.sleep(a.idle)
        burn = (proctree.cpu_seconds(roots) - c0) / (time.monotonic() - w0)
        return {
            "healthy_s": round(healthy, 3),
            "cpu_until_healthy_s": round(cpu_start, 2),
            "idle_cpu_percent": round(100 * burn, 2),
            **proctree.summary(roots),
        }


def wait_until_healthy(a: argparse.Namespace, procs: Sequence[subprocess.Popen[bytes]], t0: float) -> None:
    while not answers(a.url, a.status):
        if any(p.poll() is not None for p in procs):
            raise SystemExit(f"a command ended early: {[p.poll() for p in procs]}")
        if time.monotonic() - t0 > a.timeout:
            raise SystemExit(f"no answer from {a.url} within {a.timeout} s")
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes]) -> None:
    proctree.end_tree(process.pid)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)


def main() -> None:
    ap = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ap.add_argument("--label", default="service")
    ap.add_argument("--cmd", action="append", default=[])
    ap.add_argument("--cwd", default="")
    ap.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="environment of the commands")
    ap.add_argument("--url", default="")
    ap.add_argument("--status", type=int, default=0)
    ap.add_argument("--pid", type=int, action="append", default=[])
    ap.add_argument("--env", action="append", default=[], help="installed tree whose size is reported")
    ap.add_argument("--repeat", type=int, default=3)
    ap.add_argument("--settle", type=float, default=5)
    ap.add_argument("--idle", type=float, default=10)
    ap.add_argument("--timeout", type=float, default=300)
    ap.add_argument("--log", default="")
    ap.add_argument("--json", default="")
    a = ap.parse_args()
    rounds = [once(a) for _ in range(a.repeat)]
    med = {k: round(statistics.median(r[k] for r in rounds), 3) for k in rounds[0]}
    installed = {os.path.basename(os.path.abspath(e)): round(proctree.du_bytes(e) / 2**20, 1) for e in a.env}
    out = {"label": a.label, "median": med, "rounds": rounds, "installed_mib": installed}
    print(json.dumps(out, indent=1))
    if a.json:
        with open(a.json, "a") as f:
            f.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
