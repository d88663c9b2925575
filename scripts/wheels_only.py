"""Resolve the core and its extras from wheels alone on every platform and Python that the README names.

Fails on any dependency that has only a source distribution there. No package is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = str(Path(sys.executable).with_name("uv"))
PLATFORMS = {
    "Windows x64": "x86_64-pc-windows-msvc",
    "macOS arm64": "aarch64-apple-darwin",
    "macOS x64": "x86_64-apple-darwin",
    "Linux x64": "x86_64-unknown-linux-gnu",
    "Linux arm64": "aarch64-unknown-linux-gnu",
}
# Older releases of macOS are no longer supported by their maker; some wheels for Apple silicon begin here.
OLDEST_MACOS = {"macOS arm64": "14.0"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def resolve(target: tuple[str, str]) -> tuple[str, str]:
    """(what was tried, the error or nothing) for one platform and Python."""
    platform, python = target
    command = [UV, "pip", "compile", "--quiet", "--only-binary", ":all:", "--python-version", python]
    command += ["--python-platform", PLATFORMS[platform], "--all-extras", "pyproject.toml"]
    environment = {**os.environ}
    if platform in OLDEST_MACOS:
        environment["MACOSX_DEPLOYMENT_TARGET"] = OLDEST_MACOS[platform]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    title = f"{platform}, Python {python}"
    return title, "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["nothing resolved"])[-1]


def main() -> int:
    targets = [(platform, python) for platform in PLATFORMS for python in PYTHONS]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(resolve, targets))
    failed = [(title, error) for title, error in results if error]
    for title, error in failed:
        print(f"{title}: {error}", file=sys.stderr)
    print(f"{len(results) - len(failed)} of {len(results)} combinations resolve from wheels alone.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
