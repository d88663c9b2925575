from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from repository.tracked import ROOT, files, text_files

MAX_BYTES = 4_000_000
# Put together here, so that this file does not hold what it looks for.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs"),
        ("npmmirror", "com"),
        ("tuna", "tsinghua"),
        ("mirrors", "aliyun"),
        ("deb", "debian"),
    )
]
MACHINE_PATHS = re.compile(r"(?<![\w./-])/(?:work|home/[a-z]+|root|Users/\w+)/(?![{$])[\w.-]+")
BROAD = {"Exception", "BaseException"}
STUBS = re.compile(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError")
# The request, job and node boundaries: where whatever went wrong has to become an answer.
EDGES = {"scheduler.py", "level.py", "runner.py", "successor.py", "errors.py", "recorder.py", "background.py"}


def lines(pattern: re.Pattern[str], paths: list[Path]) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if pattern.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"


def test_no_registry_is_written_down() -> None:
    pattern = re.compile("|".join(re.escape(host) for host in REGISTRIES))

    assert list(lines(pattern, text_files())) == []


def test_no_path_of_a_machine_is_written_down() -> None:
    assert list(lines(MACHINE_PATHS, text_files())) == []


def test_lock_files_name_no_addresses() -> None:
    locks = [path for path in files() if path.name == "package-lock.json"]

    assert [path for path in locks if '"resolved"' in path.read_text()] == []
    assert not [path for path in files() if path.name == "uv.lock"]


def test_nothing_is_half_done() -> None:
    source = [path for path in text_files() if path.suffix == ".py" and "src" in path.parts]

    assert list(lines(STUBS, source)) == []


def broad_handlers(path: Path) -> Iterator[str]:
    """Handlers that catch everything and do not raise it again."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            is_broad = node.type is None or (isinstance(node.type, ast.Name) and node.type.id in BROAD)
            is_raised_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if is_broad and not is_raised_again:
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


def test_broad_handlers_stand_at_the_edges_only() -> None:
    source = [path for path in files() if path.suffix == ".py" and "src" in path.parts and path.name not in EDGES]

    assert [place for path in source for place in broad_handlers(path)] == []


def test_files_are_of_a_size_to_be_committed() -> None:
    assert [path.name for path in files() if path.stat().st_size > MAX_BYTES] == []


def test_the_start_script_parses_on_old_interpreters() -> None:
    text = (ROOT / "start.py").read_text()

    assert 'f"' not in text
    assert ":=" not in text


def test_the_version_is_the_same_everywhere() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    package = json.loads((ROOT / "console" / "package.json").read_text())

    assert version is not None
    assert f'__version__ = "{version[1]}"' in (ROOT / "src" / "tidemill" / "__init__.py").read_text()
    assert package["version"] == version[1]


def test_git_ignores_no_source() -> None:
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--others", "--ignored", "--exclude-standard"]
    folders = ["src", "console", "tests", "docs", "bench", "scripts"]
    done = subprocess.run([*command, "--directory", *folders], cwd=ROOT, capture_output=True, text=True)
    products = ("static", "static.new", "static.old", "node_modules", "__pycache__", ".vite", "coverage")
    products += ("runtime", "runtime.new")

    ignored = [name for name in done.stdout.split("\0") if name]

    assert [name for name in ignored if not any(part in products for part in Path(name).parts)] == []
