#!/usr/bin/env python3
"""Run several load_sse.py targets in turn, round after round, and print medians and ratios.

    ab.py targets.json --rounds 5

targets.json is a list; each entry is the argument list of one load_sse.py run:
    [{"label": "floor", "args": ["openai", "--base", "http://127.0.0.1:8090", "-c", "20", "-n", "200",
                                 "--pid", "server=111"]},
     {"label": "ours",  "args": ["dify", "--base", "http://127.0.0.1:9000", "--key", "app-...", "-c", "20",
                                 "-n", "200", "--pid", "server=222"]}]

The order is turned by one each round. Ratios are to the first entry, taken round by round
and then the median, so that what slows a whole round falls out; the spread is min..max.
"""

# pyright: basic
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
KEYS = [
    "runs_per_s",
    "server_cpu_ms_per_run",
    "server_cpu_us_per_chunk",
    "first_byte_p50_ms",
    "first_chunk_p50_ms",
    "done_p50_ms",
    "done_p99_ms",
]


def run(target: dict[str, Any]) -> dict[str, Any]:
    """One `load_sse.py` run; its errors are part of the result."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as result:
        script = os.path.join(HERE, "load_sse.py")
        options = [*map(str, target["args"]), "--label", target["label"], "--json", result.name]
        subprocess.run([sys.executable, script, *options], stdout=subprocess.DEVNULL, check=False)
        line = result.read().strip()
    return json.loads(line) if line else {"errors": -1}


def summarize(label: str, runs: list[dict[str, Any]], base: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of one target, and their ratios to the first, round by round."""
    errors = sum(max(0, x.get("errors", 0)) + x.get("truncated", 0) for x in runs)
    row: dict[str, Any] = {"label": label, "errors": errors}
    for k in KEYS:
        values = [x[k] for x in runs if x.get(k)]
        if len(values) < len(runs):  # not measured in this mode
            continue
        row[k] = round(statistics.median(values), 3)
        ratios = [v / b[k] for v, b in zip(values, base, strict=True) if b.get(k)]
        if ratios:
            row[k + "_ratio"] = [round(statistics.median(ratios), 3), round(min(ratios), 3), round(max(ratios), 3)]
    return row


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| target | errors | " + " | ".join(KEYS) + " |", "|---" * (len(KEYS) + 2) + "|"]
    for row in rows:
        cells: list[str] = []
        for k in KEYS:
            cell = str(row.get(k, ""))
            if k + "_ratio" in row and row is not rows[0]:
                m, lo, hi = row[k + "_ratio"]
                cell += f" (×{m}; {lo}..{hi})"
            cells.append(cell)
        lines.append(f"| {row['label']} | {row['errors']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    ap = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ap.add_argument("targets")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--json", default="")
    a = ap.parse_args()
    with open(a.targets) as f:
        targets: list[dict[str, Any]] = json.load(f)
    got: dict[str, list[dict[str, Any]]] = {t["label"]: [] for t in targets}
    for r in range(a.rounds):
        k = r % len(targets)
        for t in targets[k:] + targets[:k]:
            got[t["label"]].append(run(t))
    rows = [summarize(label, runs, got[targets[0]["label"]]) for label, runs in got.items()]
    print(table(rows))
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"rows": rows, "rounds": got}, f, indent=1)


if __name__ == "__main__":
    main()
