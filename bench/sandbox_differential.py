"""Both paths of the sandbox against CPython: sandbox_differential.py [--programs 1000] [--full 1000] [--files FOLDER]

Prints every disagreement and the share that the fast path takes. Exit code 1 on a disagreement.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

import sandbox_cpython
from sandbox_programs import Program, program
from tidemill.adapters.sandbox import CodeSandbox, Limits
from tidemill.adapters.sandbox.fast import FastPath, Undecided
from tidemill.adapters.sandbox.sandbox import is_fast
from tidemill.ports import CodeFailed, CodeRequest


def request_of(item: Program) -> CodeRequest:
    return CodeRequest(language="python3", code=item.code, inputs=item.inputs)


def code_nodes(folder: Path) -> list[Program]:
    """The Python code nodes of app files, with inputs made up by their names."""
    found: list[Program] = []
    for path in sorted(folder.glob("*.yml")):
        graph = ((yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("workflow") or {}).get("graph") or {}
        for node in graph.get("nodes", []):
            data = node["data"]
            if data.get("type") == "code" and data.get("code_language") == "python3":
                names = [item["variable"] for item in data.get("variables") or []]
                # Some wait for a service's rate limit: what they compute does not depend on it.
                code = data["code"].replace("time.sleep(13)", "time.sleep(0)")
                found += [Program(code, inputs) for inputs in _inputs(names)]
    return found


def _inputs(names: Sequence[str]) -> list[dict[str, Any]]:
    samples: tuple[Any, ...] = (
        "1, 2\n三 http://example.com/a b",
        '{"data": {"url": "u", "n": [1, "二"]}, "summary": "s", "banner": "春", "top": "t", "bottom": "b"}',
        ["a\\SPb", "c"],
        3,
        {"path": ["a"], "text": "t", "url": "u", "title": "x", "python": []},
        None,
    )
    if not names:
        return [{}]
    return [{name: sample for name in names} for sample in samples]


async def fast_answers(programs: Sequence[Program]) -> list[Any]:
    """What the fast path says; `Undecided` where it does not."""
    path = FastPath(Limits())
    try:
        found: list[Any] = []
        for item in programs:
            taken = is_fast(request_of(item))
            found.append(await path.run(item.code, item.inputs) if taken else Undecided())
        return found
    finally:
        await path.close()


async def full_answers(programs: Sequence[Program], folder: Path) -> list[dict[str, Any]]:
    """What the full interpreter says, in the shape of `sandbox_cpython.answers`."""
    sandbox = CodeSandbox(folder, Limits(time_s=30), has_fast_path=False)

    async def one(item: Program) -> dict[str, Any]:
        try:
            return {"result": json.dumps(await sandbox.run(request_of(item)))}
        except CodeFailed as error:
            return {"error": str(error).split(":")[0].split(" ")[0]}

    try:
        return list(await asyncio.gather(*(one(item) for item in programs)))
    finally:
        await sandbox.close()


def disagreements(programs: Sequence[Program], expected: Sequence[dict[str, Any]], got: Sequence[Any]) -> list[str]:
    """One text for each program on which an answer is not CPython's."""
    return [
        f"{item.inputs}\n{item.code}\nexpected {want}\ngot      {have}"
        for item, want, have in zip(programs, expected, got, strict=True)
        if want != have
    ]


def as_answer(outcome: Any, expected: dict[str, Any]) -> dict[str, Any]:
    """The fast path's outcome in the shape of the others; undecided agrees with everything."""
    return expected if isinstance(outcome, Undecided) else {"result": json.dumps(outcome)}


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--full", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--files", type=Path, action="append", default=[])
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    nodes = [item for folder in options.files for item in code_nodes(folder)]
    made = [program(seed) for seed in range(options.first, options.first + options.programs)]
    bad: list[str] = []
    for title, programs, sample in (("code nodes", nodes, len(nodes)), ("generated", made, options.full)):
        if not programs:
            continue
        expected = sandbox_cpython.answers(programs, options.python)
        fast = await fast_answers(programs)
        taken = sum(is_fast(request_of(item)) for item in programs)
        decided = sum(not isinstance(outcome, Undecided) for outcome in fast)
        answers = [as_answer(outcome, want) for outcome, want in zip(fast, expected, strict=True)]
        wrong = disagreements(programs, expected, answers)
        with tempfile.TemporaryDirectory() as folder:
            full = await full_answers(programs[:sample], Path(folder))
        wrong_full = disagreements(programs[:sample], expected[:sample], full)
        ends = Counter("result" if "result" in answer else answer["error"] for answer in expected)
        print(f"{title}: {len(programs)} programs; CPython: {dict(ends)}")
        print(f"  fast path: asked for {taken} ({taken / len(programs):.0%}), decided {decided}, wrong {len(wrong)}")
        print(f"  full path: asked for {sample}, wrong {len(wrong_full)}")
        bad += wrong + wrong_full
    print("\n\n".join(bad[:20]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
