"""Faults of a start: the same line from `doctor` and from `serve`, and exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def said_by(command: str, folder: Path, *words: str, environment: Mapping[str, str]) -> str:
    """The one line on stderr of a command that ends with 2."""
    done = subprocess.run(
        [sys.executable, "-m", "tidemill.cli", command, *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr


def said_by_both(folder: Path, environment: Mapping[str, str]) -> str:
    """What `doctor` and `serve` both say."""
    line = said_by("doctor", folder, environment=environment)
    assert said_by("serve", folder, environment=environment) == line
    return line
