"""Print the coverage of the last test run and fail when a pure package is below its floor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COVERAGE = str(Path(sys.executable).with_name("coverage"))
FLOORS = {"engine": 90, "dsl": 90, "llm": 90}


def main() -> int:
    if list(Path.cwd().glob(".coverage.*")):
        subprocess.run([COVERAGE, "combine", "--quiet"], check=True)
    subprocess.run([COVERAGE, "report", "--skip-covered"], check=True)
    failed: list[str] = []
    for package, floor in FLOORS.items():
        include = f"--include=src/tidemill/{package}/*"
        total = subprocess.run(
            [COVERAGE, "report", include, "--format=total", "--precision=1"], capture_output=True, text=True
        ).stdout.strip()
        print(f"coverage of {package}: {total} % (at least {floor} %)")
        if float(total or 0) < floor:
            failed.append(package)
    if failed:
        print(f"The coverage is too low in: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
