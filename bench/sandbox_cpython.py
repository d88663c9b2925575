"""What CPython says to programs: the measure of both paths. Runs them in a process that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from sandbox_programs import Program

BATCH = 200
PATIENCE_S = 120.0

_RUNNER = """
import json, sys, warnings
warnings.simplefilter("ignore")
told = sys.stdout
sys.stdout = open(__import__("os").devnull, "w")
answers = []
for code, inputs in json.load(sys.stdin):
    scope = {"__name__": "__main__"}
    try:
        exec(compile(code, "<code>", "exec"), scope)
        answers.append({"result": json.dumps(scope["main"](**inputs))})
    except BaseException as error:
        answers.append({"error": type(error).__name__})
json.dump(answers, told)
"""


def answers(programs: Sequence[Program], python: str = sys.executable) -> list[dict[str, Any]]:
    """For each program `{"result": JSON text}` or `{"error": the exception's class}`."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(programs), BATCH):
        batch = json.dumps([list(program) for program in programs[start : start + BATCH]])
        command = [python, "-I", "-c", _RUNNER]
        done = subprocess.run(command, input=batch, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
        found += json.loads(done.stdout)
    return found
