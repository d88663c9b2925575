#!/usr/bin/env python3
"""In-process cost of workflow engines on the graphs of engine_graphs.py, interleaved.

    engine_bench.py --engines inline,langgraph --graphs chain50_template,fanout50
    engine_bench.py --engines inline,engine_adapter:adapter --rounds 7

An engine is `inline`, `graphon`, `graphon_parsed`, `langgraph`, `langgraph_async`, `pydantic_graph`
(`engine_peers.py`), or `module:attribute` naming an object with

    load(yaml_text)          -> workflow      parse and compile; once per published workflow
    start(workflow, inputs)  -> run           whatever one run needs before it can go
    go(run)                  -> dict          outputs of the end node

Every round runs each engine once on each graph (so noise falls on all alike) after a check
that the output is right. Reported: medians over rounds of CPU and wall time of start+go per
run, per executed node, and of load; the greatest number of threads seen; tracemalloc peak of
one start+go. Work inside the nodes is part of the figure; engine `inline` does the same
Jinja renders and copies with no engine at all, so that overhead = engine - inline.
Packages that are not installed are skipped.
"""

# pyright: basic
from __future__ import annotations

import argparse
import gc
import json
import logging
import statistics
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import engine_graphs as eg
from engine_peers import Engine, engine_of

ENGINES = "inline,graphon,graphon_parsed,langgraph,langgraph_async,pydantic_graph"
GRAPHS = "chain50_template,chain200_template,chain200_aggregator,fanout50,if_tree5,iter100_seq,iter100_par10,loop50"
COLS = {
    "graph": "graph",
    "engine": "engine",
    "load_cpu_ms": "load ms",
    "start_cpu_ms": "start cpu ms",
    "go_cpu_ms": "go cpu ms",
    "wall_ms": "run wall ms",
    "us_per_node": "µs/node (start+go cpu)",
    "us_per_node_go": "µs/node (go cpu)",
    "threads": "+threads",
    "peak_kib": "peak KiB/run",
}


def timed(f: Callable[..., Any], *args: Any) -> tuple[Any, float, float]:
    """What f returns, and the CPU and wall seconds it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = f(*args)
    return result, time.process_time() - cpu, time.perf_counter() - wall


class MostThreads(threading.Thread):
    """Watches how many other threads there are."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.over = 0, False

    def run(self) -> None:
        while not self.over:
            self.most = max(self.most, threading.active_count() - 1)
            time.sleep(0.0005)


@dataclass
class Case:
    """One engine on one graph, checked and ready to be measured."""

    graph: str
    name: str
    engine: Engine
    workflow: Any
    inputs: dict[str, Any]
    load_cpu_s: float
    peak_bytes: int = 0
    threads: int = 0
    samples: list[tuple[float, float, float, float]] = field(default_factory=list)

    def run(self) -> Any:
        return self.engine.go(self.engine.start(self.workflow, self.inputs))

    def check(self) -> None:
        """Run until output, memory and threads are known. Raises for a wrong output."""
        out = self.run()
        want = eg.EXPECT.get(self.graph)
        if want is not None and str(out.get("out")) != want:
            raise RuntimeError(f"wrong output {str(out)[:80]!r}")
        gc.collect()
        tracemalloc.start()
        self.run()
        self.peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        watch = MostThreads()
        base = threading.active_count()
        watch.start()
        self.run()
        watch.over = True
        watch.join()
        self.threads = max(0, watch.most - base)

    def sample(self) -> None:
        run, start_cpu, start_wall = timed(self.engine.start, self.workflow, self.inputs)
        _, go_cpu, go_wall = timed(self.engine.go, run)
        self.samples.append((start_cpu, start_wall, go_cpu, go_wall))

    def row(self) -> dict[str, Any]:
        start_cpu, start_wall, go_cpu, go_wall = (statistics.median(x) for x in zip(*self.samples, strict=True))
        n = eg.nodes_run(self.graph)
        return {
            "graph": self.graph,
            "engine": self.name,
            "nodes": n,
            "load_cpu_ms": round(1000 * self.load_cpu_s, 2),
            "start_cpu_ms": round(1000 * start_cpu, 3),
            "go_cpu_ms": round(1000 * go_cpu, 3),
            "wall_ms": round(1000 * (start_wall + go_wall), 3),
            "us_per_node": round(1e6 * (start_cpu + go_cpu) / n, 1),
            "us_per_node_go": round(1e6 * go_cpu / n, 1),
            "threads": self.threads,
            "peak_kib": round(self.peak_bytes / 1024, 1),
        }


def make_engines(names: str) -> dict[str, Engine]:
    engines: dict[str, Engine] = {}
    for name in names.split(","):
        try:
            engines[name] = engine_of(name)
        except ImportError as exc:
            print(f"skipped {name}: {exc}", file=sys.stderr)
    return engines


def make_cases(graph: str, engines: dict[str, Engine]) -> list[Case]:
    text = eg.dumps(eg.STANDARD[graph]())
    inputs: dict[str, Any] = {"x": "a"}
    if graph.startswith("iter"):
        inputs["items"] = {"list": [f"a{i}" for i in range(100)]}
    cases: list[Case] = []
    for name, engine in engines.items():
        try:
            workflow, load_cpu, _ = timed(engine.load, text)
            case = Case(graph, name, engine, workflow, inputs, load_cpu)
            case.check()
            cases.append(case)
        except Exception as exc:  # an engine that cannot run a graph is a result
            print(f"{name} on {graph}: {type(exc).__name__}: {str(exc)[:160]}", file=sys.stderr)
    return cases


def main() -> None:
    ap = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ap.add_argument("--engines", default=ENGINES)
    ap.add_argument("--graphs", default=GRAPHS)
    ap.add_argument("--rounds", type=int, default=7)
    ap.add_argument("--json", default="")
    a = ap.parse_args()
    engines = make_engines(a.engines)
    logging.disable(logging.CRITICAL)
    cases = [case for graph in a.graphs.split(",") for case in make_cases(graph, engines)]
    for _ in range(a.rounds):
        for case in cases:
            case.sample()
    rows = [case.row() for case in cases]
    print("| " + " | ".join(COLS.values()) + " |")
    print("|---" * len(COLS) + "|")
    for row in rows:
        print("| " + " | ".join(str(row[k]) for k in COLS) + " |")
    if a.json:
        with open(a.json, "w") as f:
            json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
