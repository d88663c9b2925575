from __future__ import annotations

import shlex

import readme
from cli.conftest import FIXTURES, CommandLine

ROOT = FIXTURES.parents[2]


def test_the_command_in_the_readme_answers(tidemill: CommandLine) -> None:
    blocks = readme.blocks("bash", (ROOT / "README.md").read_text())
    [command] = [block for block in blocks if block.startswith(".venv/bin/tidemill run ")]
    _, _, file, *words = shlex.split(command)

    told = tidemill("run", ROOT / file, *words)

    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("Hello!")
