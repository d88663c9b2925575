"""Write the exact versions of everything into `[tool.uv] constraint-dependencies`, or check them.

    lock.py            resolve again within the ranges and write the result
    lock.py --upgrade  the same, taking newer versions where the ranges allow
    lock.py --check    exit 1 when the ranges and the written constraints do not agree

The result holds names and versions only: which index they came from is the business of whoever installs.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"
BLOCK = re.compile(r"(?<=# lock: begin\n).*?(?=# lock: end\n)", re.DOTALL)


def requirements() -> list[str]:
    """Everything the project names: runtime, extras, development."""
    data = tomllib.loads(PROJECT.read_text())
    project = data["project"]
    names: list[str] = [*project["dependencies"]]
    for extra in project.get("optional-dependencies", {}).values():
        names += extra
    for group in data.get("dependency-groups", {}).values():
        names += group
    return names


def written() -> list[str]:
    return tomllib.loads(PROJECT.read_text())["tool"]["uv"]["constraint-dependencies"]


def resolve(preferred: list[str]) -> list[str]:
    """Exact versions for every platform and Python the project supports, as `name==version ; marker` lines.

    `preferred` versions are kept wherever the ranges still allow them.
    """
    requires_python = tomllib.loads(PROJECT.read_text())["project"]["requires-python"]
    lowest = re.search(r"\d+\.\d+", requires_python)
    if lowest is None:
        raise SystemExit("requires-python in pyproject.toml names no version.")
    with tempfile.TemporaryDirectory() as folder:
        wanted, locked = Path(folder, "requirements.in"), Path(folder, "locked.txt")
        wanted.write_text("\n".join(requirements()))
        locked.write_text("\n".join(preferred))
        command = [
            _uv(),
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--no-header",
            "--no-annotate",
            "--no-strip-extras",
        ]
        command += ["--no-emit-index-url", "--no-emit-find-links", "--no-config", "--python-version", lowest[0]]
        command += [str(wanted), "--output-file", str(locked)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        lines = [line.strip() for line in locked.read_text().splitlines()]
    if done.returncode:
        raise SystemExit(f"The versions could not be resolved:\n{done.stderr.strip()}")
    return sorted({re.sub(r"\[.*?\]", "", line) for line in lines if re.match(r"[A-Za-z0-9]", line)})


def _uv() -> str:
    """uv of the environment this runs in, else the one on PATH."""
    own = Path(sys.executable).with_name("uv")
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        raise SystemExit("There is no uv. Run: python3 start.py install --dev")
    return found


def write(lines: list[str]) -> None:
    quoted = "".join(f'  "{line.replace(chr(34), chr(39))}",\n' for line in lines)
    text = BLOCK.sub(lambda _: f"constraint-dependencies = [\n{quoted}]\n", PROJECT.read_text())
    PROJECT.write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write or check the exact versions in pyproject.toml.")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true")
    arguments = parser.parse_args()
    held = written()
    lines = resolve([] if arguments.upgrade else held)
    if arguments.check:
        if lines != sorted(held):
            print(
                "The constraints in pyproject.toml are not what its ranges resolve to. Run: just lock", file=sys.stderr
            )
            print("\n".join(sorted(set(lines) ^ set(held))), file=sys.stderr)
            return 1
        print(f"{len(lines)} versions are locked and agree with the ranges.")
        return 0
    write(lines)
    print(f"{len(lines)} versions written to pyproject.toml.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
