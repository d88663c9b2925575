"""Forms of human input nodes on the command line: given, asked for, left open."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import CommandLine
from domains.humans.flows import COMMENT, approval


def app(tidemill: CommandLine, **data: Any) -> Path:
    return tidemill.write("approval.yml", json.dumps(approval(**data)))


def outputs(tidemill: CommandLine, path: Path, answer: str) -> dict[str, Any]:
    told = tidemill("run", path, "-i", "x=hello", "--answer", answer, "--json")
    assert told.code == 0, told.err
    return json.loads(told.out)["outputs"]


def test_a_form_is_answered_on_the_command_line(tidemill: CommandLine) -> None:
    path = app(tidemill)

    assert outputs(tidemill, path, "ask=approve,comment=fine") == {"comment": "fine", "action": "Approve"}
    assert outputs(tidemill, path, "ask=reject") == {"comment": ""}
    assert outputs(tidemill, path, "ask=approve,comment=yes, and soon")["comment"] == "yes, and soon"


def test_the_time_of_a_form_can_be_let_pass(tidemill: CommandLine) -> None:
    assert outputs(tidemill, app(tidemill), "ask=__timeout") == {"action": ""}


def test_a_field_that_is_not_given_has_its_default(tidemill: CommandLine) -> None:
    default = {"type": "variable", "selector": ["start", "x"]}

    assert outputs(tidemill, app(tidemill, inputs=[{**COMMENT, "default": default}]), "ask=reject") == {
        "comment": "hello"
    }


def test_a_file_is_given_by_its_path(tidemill: CommandLine) -> None:
    paper = {"type": "file", "output_variable_name": "comment"}
    tidemill.write("note.txt", "hi")

    found = outputs(tidemill, app(tidemill, inputs=[paper]), "ask=approve,comment=note.txt")

    assert found["comment"]["filename"] == "note.txt"


def test_without_an_answer_and_a_terminal_the_run_says_how_to_answer(tidemill: CommandLine) -> None:
    told = tidemill("run", app(tidemill), "-i", "x=hello")

    assert told.code == 3
    assert "waits for a person" in told.err
    assert "--answer 'ask=approve|reject,comment=...'" in told.err
    assert told.out == ""


def test_a_result_as_json_says_that_the_run_is_paused(tidemill: CommandLine) -> None:
    told = tidemill("run", app(tidemill), "-i", "x=hello", "--json")

    assert told.code == 3
    assert json.loads(told.out)["status"] == "paused"


@pytest.mark.parametrize(
    ("answer", "code", "part"),
    [
        ("nobody=approve", 2, "It has: ask."),
        ("ask", 2, "no equals sign"),
        ("ask=approve,comment", 2, "no equals sign"),
        ("ask=maybe", 1, "approve, reject"),
        ("ask=approve,color=red", 1, "no field"),
    ],
)
def test_an_answer_that_does_not_fit_is_explained(tidemill: CommandLine, answer: str, code: int, part: str) -> None:
    told = tidemill("run", app(tidemill), "-i", "x=hello", "--answer", answer)

    assert told.code == code
    assert part in told.err


def test_a_form_is_asked_for_on_a_terminal(tidemill: CommandLine) -> None:
    path = app(tidemill)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tidemill.cli", "run", str(path), "-i", "x=hello", "--json"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tidemill.folder, bufsize=0
    ) as process:
        os.close(theirs)
        assert process.stderr is not None
        assert process.stdout is not None
        said = b""
        for question, typed in ((b"comment: ", b"typed\n"), (b"(Reject): ", b"nope\n"), (b"(Reject): ", b"approve\n")):
            part = b""
            while not part.endswith(question):
                piece = process.stderr.read(1)
                assert piece, said + part
                part += piece
            said += part
            os.write(ours, typed)
        out = process.stdout.read()
    os.close(ours)

    assert process.returncode == 0
    assert json.loads(out)["outputs"] == {"comment": "typed", "action": "Approve"}
    assert b"Draft: hello" in said
    assert b'no action "nope"' in said
