"""The Python code nodes of real files: both paths of the sandbox give what CPython gives."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import sandbox_cpython
from sandbox_differential import as_answer, code_nodes, disagreements, fast_answers, full_answers, request_of
from shared.conftest import FILES
from tidemill.adapters.sandbox.sandbox import is_fast


def needs_package(code: str) -> bool:
    """Whether a program imports what no sandbox has until an administrator adds it; its error has tests of its own."""
    lines = re.findall(r"^\s*import\s+([\w., ]+)|^\s*from\s+(\w+)", code, re.MULTILINE)
    names = [name.split()[0] for first, second in lines for name in (first or second).split(",") if name.strip()]
    return any(name.split(".")[0] not in sys.stdlib_module_names for name in names)


NODES = [item for item in code_nodes(FILES) if not needs_package(item.code)]


async def test_the_fast_path_takes_most_of_them_and_gives_what_cpython_gives():
    expected = sandbox_cpython.answers(NODES)

    outcomes = await fast_answers(NODES)

    answers = [as_answer(outcome, want) for outcome, want in zip(outcomes, expected, strict=True)]
    assert disagreements(NODES, expected, answers) == []
    assert sum(is_fast(request_of(item)) for item in NODES) > len(NODES) * 0.7


async def test_the_full_path_gives_what_cpython_gives(tmp_path: Path):
    # Every node once: the inputs that fit most of them come first.
    nodes = list({item.code: item for item in reversed(NODES)}.values())
    expected = sandbox_cpython.answers(nodes)

    assert disagreements(nodes, expected, await full_answers(nodes, tmp_path)) == []
