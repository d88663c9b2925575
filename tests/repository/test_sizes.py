from __future__ import annotations

import ast
from pathlib import Path

import pytest

from repository.tracked import ROOT, below

MAX_FILE, MAX_FUNCTION, MAX_COMPONENT, MAX_TYPESCRIPT = 500, 80, 250, 400
GENERATED = {"schema.ts", "api.d.ts", "routeTree.gen.ts"}
PYTHON = [path for path in below("src", "scripts", suffix=".py") if "migrations/versions" not in path.as_posix()]


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("path", PYTHON, ids=names(PYTHON))
def test_a_file_and_its_functions_can_be_read_at_a_sitting(path: Path) -> None:
    text = path.read_text("utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION]

    assert len(text.splitlines()) <= MAX_FILE
    assert long == []


def test_files_of_the_console_keep_their_sizes() -> None:
    found = below("console/src", suffix=".ts") + below("console/src", suffix=".tsx")
    limits = {path: MAX_COMPONENT if path.suffix == ".tsx" else MAX_TYPESCRIPT for path in found}

    long = [
        path.name
        for path, limit in limits.items()
        if path.name not in GENERATED
        and ".test." not in path.name
        and len(path.read_text("utf-8").splitlines()) > limit
    ]

    assert long == []
