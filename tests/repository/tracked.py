"""The files of the project, as a clone would have them."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
BINARY = {".png", ".gz", ".woff2", ".ico", ".jpg", ".webp"}
IGNORED = {".venv", "node_modules", ".git", "__pycache__", "static", ".pytest_cache", ".ruff_cache", "dist", "build"}


@lru_cache(maxsize=1)
def files() -> tuple[Path, ...]:
    """Every file that is tracked, or would be; without git, every file that is not a product of tools."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        found = (path for path in ROOT.rglob("*") if not IGNORED & set(path.relative_to(ROOT).parts[:-1]))
        return tuple(sorted(path for path in found if path.is_file()))
    return tuple(sorted(path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()))


def text_files() -> list[Path]:
    return [path for path in files() if path.suffix not in BINARY]


def below(*parts: str, suffix: str) -> list[Path]:
    """Files with a suffix in some folders."""
    roots = tuple(ROOT / part for part in parts)
    return [path for path in files() if path.suffix == suffix and any(root in path.parents for root in roots)]
