"""Python packages that an administrator adds to the sandbox: a folder, as `pip install --target FOLDER` fills it."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Final

from tidemill.ports import CodeFailed

MAX_BYTES: Final = 128 * 1024 * 1024
# What public apps import beside the standard library and cannot be had by `pip install --target` alone.
_COMPILED: Final = frozenset({"numpy", "pandas", "matplotlib", "scipy", "sklearn", "PIL", "lxml", "cv2"})
_NETWORKED: Final = frozenset({"requests", "httpx", "aiohttp", "urllib3"})
_SKIPPED: Final = frozenset({"__pycache__", "tests", "test"})


class Packages:
    """The packages in a folder, by the names they are imported under. The folder is read when code asks for one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._imports: dict[tuple[str, float], frozenset[str]] = {}

    async def files_for(self, code: str) -> list[str]:
        """Paths in the folder of the packages that `code` imports, and of those that these import."""
        if self._folder is None:
            return []
        names = imported_names(code)
        return await asyncio.to_thread(self._files_for, names) if names else []

    def advice(self, name: str) -> str:
        """What to do about a package that is not there."""
        if name in _NETWORKED:
            return (
                f"Code has no network, so {name} could not reach anything: send requests with an HTTP request node. "
                f"To make the import succeed, {self._adding(name)}"
            )
        if name in _COMPILED:
            return (
                f"{name} has compiled parts: unpack its wheel for Pyodide (pyemscripten, wasm32) into a folder "
                "and set TIDEMILL_SANDBOX_PACKAGES to it."
            )
        return f"To have {name} in code nodes, {self._adding(name)}"

    def _adding(self, name: str) -> str:
        folder = self._folder or "FOLDER"
        setting = "" if self._folder else " and set TIDEMILL_SANDBOX_PACKAGES=FOLDER"
        return f"run `pip install --target {folder} {name}`{setting}."

    def _files_for(self, names: frozenset[str]) -> list[str]:
        assert self._folder is not None  # noqa: S101 - asked before
        found: list[str] = []
        waiting, seen = list(names), set(names)
        total = 0
        while waiting:
            for path in self._files_of(waiting.pop()):
                total += path.stat().st_size
                if total > MAX_BYTES:
                    raise CodeFailed("The packages that the code imports are too large for the sandbox.")
                found.append(path.relative_to(self._folder).as_posix())
                new = self._imports_of(path) - seen if path.suffix == ".py" else frozenset[str]()
                seen |= new
                waiting += new
        return sorted(found)

    def _files_of(self, name: str) -> list[Path]:
        assert self._folder is not None  # noqa: S101 - asked before
        if not name.isidentifier():
            return []
        module, package = self._folder / f"{name}.py", self._folder / name
        if module.is_file():
            return [module]
        if not package.is_dir():
            return []
        # Links could lead anywhere.
        return [
            path
            for path in package.rglob("*")
            if path.is_file() and not path.is_symlink() and _SKIPPED.isdisjoint(path.relative_to(package).parts)
        ]

    def _imports_of(self, path: Path) -> frozenset[str]:
        key = (str(path), path.stat().st_mtime)
        if key not in self._imports:
            self._imports[key] = imported_names(path.read_text(encoding="utf-8", errors="replace"))
        return self._imports[key]


def imported_names(code: str) -> frozenset[str]:
    """Top-level names of everything imported by a program; nothing when it cannot be read."""
    try:
        tree = ast.parse(code)
        nodes = list(ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return frozenset(names)
