#!/usr/bin/env python3
"""Load generator for streaming LLM applications.

C connections at a time, R requests in all, against a named adapter; reports throughput,
latency, broken streams, and what the server processes (given by pid) burned meanwhile.

    load_sse.py openai --base http://127.0.0.1:8089 -c 50 -n 1000 --model mock-200tok-0ms --pid mock=1234
    load_sse.py dify   --base http://127.0.0.1:5001 --key app-... -c 20 -n 200 --pid api=PID --pid worker=PID
    load_sse.py dify_workflow --base ... --key app-... --inputs '{"x":"1"}'

Standard library only. The client (`load_client.py`) is a bare asyncio protocol: it frames SSE events and
looks for the few byte strings (`load_adapters.py`) that say what an event is, so it stays cheap next to the
server it measures. Its own CPU seconds are reported too; see --help for the options.
"""

# pyright: basic
from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import proctree
from load_adapters import ADAPTERS, Adapter
from load_client import Run, drive


@dataclass(frozen=True)
class Load:
    """What one measured interval saw."""

    runs: list[Run]
    wall_s: float
    own_cpu_s: float
    cpu_s: dict[str, float]
    peak_rss: dict[str, int]


def percentile(values: list[float], p: float) -> float:
    if not values:
        return 0.0
    values = sorted(values)
    return values[min(len(values) - 1, round(p / 100 * (len(values) - 1)))]


def parse_pids(items: Sequence[str] | None) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for item in items or ():
        name, _, pids = item.rpartition("=")
        groups.setdefault(name or "server", []).extend(int(p) for p in pids.split(","))
    return groups


async def load(ad: Adapter, a: argparse.Namespace, groups: dict[str, list[int]]) -> Load:
    mark = int(time.time()) % 1_000_000 * 1000
    if a.warmup:
        await drive(ad, min(a.concurrency, a.warmup), a.warmup, 0, a.timeout, mark)
        await asyncio.sleep(a.settle)
    peak = proctree.PeakRss(groups)
    peak.start()
    cpu0 = {g: proctree.cpu_seconds(p) for g, p in groups.items()}
    own0, t0 = sum(os.times()[:2]), time.perf_counter()
    runs = await drive(ad, a.concurrency, a.requests, a.duration, a.timeout, mark + 500_000)
    wall = time.perf_counter() - t0
    own = sum(os.times()[:2]) - own0
    await asyncio.sleep(a.settle)  # work the server does after the answer belongs to the run
    cpu = {g: proctree.cpu_seconds(p) - cpu0[g] for g, p in groups.items()}
    peak.stop()
    return Load(runs, wall, own, cpu, peak.peak)


def measure(a: argparse.Namespace) -> dict[str, Any]:
    ad = ADAPTERS[a.adapter](a)
    seen = asyncio.run(load(ad, a, parse_pids(a.pid)))
    good = [r for r in seen.runs if not r.error]
    errors = Counter((r.error[:60] if not a.verbose else r.error) for r in seen.runs if r.error)
    chunks, events = sum(r.chunks for r in good), sum(r.events for r in good)
    n = len(good) or 1
    return {
        "adapter": a.adapter,
        "label": a.label or a.adapter,
        "mode": "streaming" if ad.stream else "blocking",
        "concurrency": a.concurrency,
        "runs": len(seen.runs),
        "ok": len(good),
        "wall_s": round(seen.wall_s, 3),
        "runs_per_s": round(len(good) / seen.wall_s, 2),
        "chunks_per_s": round(chunks / seen.wall_s, 1),
        "events_per_s": round(events / seen.wall_s, 1),
        "chunks_per_run": round(chunks / n, 1),
        "events_per_run": round(events / n, 1),
        "bytes_per_run": round(sum(r.nbytes for r in good) / n),
        **latencies(good),
        "errors": sum(errors.values()) - errors.get("truncated", 0),
        "truncated": errors.get("truncated", 0),
        "error_kinds": dict(errors.most_common(5)),
        **costs(seen, len(good), chunks or events),
        "client_cpu_s": round(seen.own_cpu_s, 3),
    }


def latencies(good: list[Run]) -> dict[str, float]:
    def ms(values: list[float], p: float) -> float:
        return round(1000 * percentile(values, p), 2)

    times = {
        "first_byte": [r.first - r.t0 for r in good if r.first],
        "first_chunk": [r.first_chunk - r.t0 for r in good if r.first_chunk],
        "done": [r.done - r.t0 for r in good],
    }
    figures = {f"{name}_p{p}_ms": ms(values, p) for name, values in times.items() for p in (50, 99)}
    return {**figures, "max_gap_p99_ms": ms([r.last_gap for r in good], 99)}


def costs(seen: Load, good: int, pieces: int) -> dict[str, Any]:
    """CPU and memory of the processes. Groups whose names start with `_` stay out of the sums.

    Failed runs burn CPU too: over good runs alone this is an upper bound, and with none there is no figure.
    """
    server = sum(v for g, v in seen.cpu_s.items() if not g.startswith("_"))
    has_pids = bool(seen.cpu_s)
    return {
        "cpu_s": {g: round(v, 3) for g, v in seen.cpu_s.items()},
        "server_cpu_ms_per_run": round(1000 * server / good, 3) if has_pids and good else None,
        "server_cpu_us_per_chunk": round(1e6 * server / pieces, 2) if has_pids and good and pieces else None,
        "server_cores_used": round(server / seen.wall_s, 2) if has_pids else None,
        "runs_per_cpu_s": round(good / server, 2) if has_pids and good and server else None,
        "peak_rss_mib": {g: round(v / 2**20, 1) for g, v in seen.peak_rss.items()},
    }


COLS = {
    "label": "target",
    "mode": "mode",
    "concurrency": "C",
    "ok": "ok",
    "errors": "err",
    "truncated": "trunc",
    "runs_per_s": "runs/s",
    "chunks_per_s": "chunks/s",
    "first_byte_p50_ms": "fb p50",
    "first_byte_p99_ms": "fb p99",
    "first_chunk_p50_ms": "tok1 p50",
    "done_p50_ms": "done p50",
    "done_p99_ms": "done p99",
    "server_cpu_ms_per_run": "cpu ms/run",
    "server_cpu_us_per_chunk": "cpu µs/chunk",
    "server_cores_used": "cores",
}


def table(rows: list[dict[str, Any]]) -> str:
    cells = [list(COLS.values()), *([("" if r.get(k) is None else str(r[k])) for k in COLS] for r in rows)]
    w = [max(len(c[i]) for c in cells) for i in range(len(COLS))]
    lines = ["| " + " | ".join(c[i].ljust(w[i]) for i in range(len(w))) + " |" for c in cells]
    lines.insert(1, "|" + "|".join("-" * (x + 2) for x in w) + "|")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    ap = argparse.ArgumentParser(description="Load a streaming LLM application; see the head of this file.")
    ap.add_argument("adapter", choices=sorted(ADAPTERS))
    ap.add_argument("--base", required=True, help="scheme://host:port[/prefix]")
    ap.add_argument("--key", default="")
    ap.add_argument("--flow", default="", help="flow id (langflow, flowise) or webhook path (n8n)")
    ap.add_argument("--path", default="", help="replaces the adapter's path")
    ap.add_argument("--model", default="mock-200tok-0ms")
    ap.add_argument("--query", default="Say something about rivers.")
    ap.add_argument("--inputs", type=json.loads, default={})
    ap.add_argument("--data", type=json.loads, default={}, help="body of the raw adapter")
    ap.add_argument("--header", action="append", default=[])
    ap.add_argument("--users", type=int, default=50)
    ap.add_argument("--blocking", action="store_true")
    ap.add_argument("-c", "--concurrency", type=int, default=1)
    ap.add_argument("-n", "--requests", type=int, default=100, help="0: until --duration")
    ap.add_argument("--duration", type=float, default=0)
    ap.add_argument("--warmup", type=int, default=5)
    ap.add_argument("--settle", type=float, default=1.0, help="seconds of after-work counted to the server")
    ap.add_argument("--timeout", type=float, default=120)
    pid_help = "name=pid[,pid]: a process tree to account; names starting with _ stay out of the sum"
    ap.add_argument("--pid", action="append", help=pid_help)
    ap.add_argument("--label", default="")
    ap.add_argument("--json", default="", help="append the result as one JSON line to this file")
    ap.add_argument("-v", "--verbose", action="store_true")
    return ap


def main(argv: Sequence[str] | None = None) -> int:
    a = parser().parse_args(argv)
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    r = measure(a)
    print(table([r]))
    if r["error_kinds"]:
        print("errors:", json.dumps(r["error_kinds"], ensure_ascii=False))
    print("cpu_s by group:", r["cpu_s"], " peak RSS MiB:", r["peak_rss_mib"], " client cpu_s:", r["client_cpu_s"])
    if a.json:
        with open(a.json, "a") as f:
            f.write(json.dumps(r) + "\n")
    return 0 if not r["errors"] and not r["truncated"] else 1


if __name__ == "__main__":
    sys.exit(main())
