"""Put the Python interpreter of code nodes into the package: `npm pack` of one exact release, its files, one rename.

Called by the package's build hook and by `start.py`, before anything is installed, so it uses the standard
library only. The release's version is stored with the files; an equal version means nothing to do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import console_build
from console_build import BuildFailed, Say

RELEASE = "314.0.7"
ARCHIVE_SHA256 = "66b7949e5a0cba2250b586d7e368bf12fb482800748d182c4618254b685ffaa0"
FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK_FILE = "pyodide-lock.json"
VERSION_FILE = "VERSION"
NOTICE = """Pyodide {release}, https://github.com/pyodide/pyodide, Copyright (c) the Pyodide contributors,
Mozilla Public License 2.0 (https://mozilla.org/MPL/2.0/); the files are unchanged, except that the list of packages
is emptied. It contains CPython, Python Software Foundation License 2 (https://docs.python.org/3/license.html).
"""
MEND_COMMAND = "python3 start.py sandbox"  # errors of code nodes name it too: adapters/sandbox/runtime.py


def runtime_folder(root: Path) -> Path:
    return root / "src" / "tidemill" / "adapters" / "sandbox" / "runtime"


def is_current(root: Path) -> bool:
    stored = runtime_folder(root) / VERSION_FILE
    return stored.is_file() and stored.read_text(encoding="utf-8").strip() == RELEASE


def build(root: Path, say: Say, *, archive_sha256: str = ARCHIVE_SHA256) -> None:
    """Fetch the release and put its files in place.

    Raises:
        BuildFailed: No Node, or a release that could not be downloaded or is not the one expected.
    """
    node = console_build.system_node() or console_build.wheel_node()
    if node is None:
        wanted = ".".join(map(str, console_build.MINIMUM_NODE))
        raise BuildFailed(f"There is no Node {wanted} or newer, and {console_build.NODE_WHEEL} is not installed.")
    target = runtime_folder(root)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [*node.npm, "pack", "--silent", f"pyodide@{RELEASE}"]
        console_build.run(node, command, folder, say, "Sandbox: Python interpreter (npm pack)")
        archive = next(folder.glob("*.tgz"), None)
        if archive is None or hashlib.sha256(archive.read_bytes()).hexdigest() != archive_sha256:
            raise BuildFailed(f"The registry's pyodide {RELEASE} is not the release this version was made for.")
        fresh = target.with_name("runtime.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        _unpack(archive, fresh)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as packed:

        def content(name: str) -> bytes:
            member = packed.extractfile(f"package/{name}")
            if member is None:
                raise BuildFailed(f"The release of pyodide has no file {name}.")
            return member.read()

        for name in FILES:
            (folder / name).write_bytes(content(name))
        # The loader insists on this list; nothing in it is ever fetched, so it stays empty.
        lock = {"info": json.loads(content(LOCK_FILE))["info"], "packages": {}}
    (folder / LOCK_FILE).write_text(json.dumps(lock), encoding="utf-8")
    (folder / "NOTICE").write_text(NOTICE.format(release=RELEASE), encoding="utf-8")
    (folder / VERSION_FILE).write_text(RELEASE + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Put the Python interpreter of code nodes into the package.")
    parser.add_argument("--force", action="store_true", help="fetch it even when it is there")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    if not arguments.force and is_current(root):
        return 0
    try:
        build(root, lambda text: print(text, file=sys.stderr, flush=True))
    except BuildFailed as error:
        print(f"Code nodes will not run: {error}\nMend it with: {MEND_COMMAND}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
