from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import FIXTURES, CommandLine
from support.model_server import ModelServer

CHAT = FIXTURES / "chat-simple.yml"
MEMORY = FIXTURES / "v0.1.2-conversation-memory.yml"
INPUTS = FIXTURES / "start-every-input.yml"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")

FETCH: dict[str, Any] = {
    "kind": "app",
    "version": "0.3.0",
    "app": {"name": "Fetch", "mode": "workflow"},
    "workflow": {
        "graph": {
            "edges": [{"source": "s", "target": "h"}, {"source": "h", "target": "e"}],
            "nodes": [
                {"id": "s", "data": {"type": "start", "title": "Start", "variables": []}},
                {
                    "id": "h",
                    "data": {
                        "type": "http-request",
                        "title": "Fetch",
                        "method": "get",
                        "url": "http://127.0.0.1:9/secret",
                        "authorization": {"type": "no-auth"},
                        "headers": "",
                        "params": "",
                        "body": {"type": "none", "data": []},
                        "variables": [],
                    },
                },
                {"id": "e", "data": {"type": "end", "title": "End", "outputs": []}},
            ],
        }
    },
}


def run(tidemill: CommandLine, *words: str | Path) -> dict[str, Any]:
    """The result object of a run that succeeded."""
    told = tidemill("run", *words, "--json")
    assert told.code == 0, told.err
    return json.loads(told.out)


def test_the_answer_is_printed(tidemill: CommandLine, model: ModelServer) -> None:
    model.script({"reply": "Fractions are parts."})

    told = tidemill("run", CHAT, "--query", "What is a fraction?", "-i", "subject=maths")

    assert (told.code, told.out, told.err) == (0, "Fractions are parts.\n", "")


def test_a_workflow_prints_its_outputs(tidemill: CommandLine) -> None:
    told = tidemill("run", INPUTS, "-i", "short=abc", "-i", "number=7")

    assert told.code == 0
    assert json.loads(told.out) == {"short": "abc", "number": 7}


def test_the_result_object_has_its_promised_keys(tidemill: CommandLine, model: ModelServer) -> None:
    model.script({"reply": "Yes."})

    result = run(tidemill, CHAT, "--query", "Is it?", "-i", "subject=maths")

    assert list(result) == ["status", "outputs", "answer", "error", "usage", "elapsed_s", "steps"]
    assert (result["status"], result["answer"], result["error"], result["steps"]) == ("succeeded", "Yes.", None, 3)
    assert result["usage"]["total_tokens"] > 0


def test_events_are_json_lines_in_order(tidemill: CommandLine, model: ModelServer) -> None:
    model.script({"reply": "One two three."})

    told = tidemill("run", CHAT, "--query", "Count", "-i", "subject=maths", "--events")

    events = [json.loads(line) for line in told.out.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["event"], events[-1]["event"]) == ("run_started", "run_finished")
    assert "".join(event["text"] for event in events if event["event"] == "text_delta") == "One two three."


def test_a_model_call_tells_its_budget(tidemill: CommandLine, model: ModelServer) -> None:
    told = tidemill("run", CHAT, "--query", "Count", "-i", "subject=maths", "--model", "openai/mock-5tok", "--events")

    [called] = [json.loads(line) for line in told.out.splitlines() if '"model_called"' in line]
    assert called["window_tokens"] == 8192
    assert called["prompt_tokens"] + called["max_tokens"] <= 8192


def test_a_failed_run_exits_1_with_its_reason(tidemill: CommandLine, model: ModelServer) -> None:
    told = tidemill("run", CHAT, "--query", "Count", "-i", "subject=maths", "--model", "openai/mock-err401")

    assert (told.code, told.out) == (1, "")
    assert told.err.count("\n") == 1
    assert "OpenAI" in told.err


def test_a_failed_run_is_told_in_the_result_object_too(tidemill: CommandLine, model: ModelServer) -> None:
    words = ["--query", "Count", "-i", "subject=maths", "--model", "openai/mock-err401", "--json"]

    told = tidemill("run", CHAT, *words)

    assert told.code == 1
    assert json.loads(told.out)["status"] == "failed"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "This app answers messages. Give it one with --query TEXT.\n"),
        (["--query", "x"], "`subject` is required in input form. Set it with -i subject=VALUE.\n"),
        (["--query", "x", "-i", "subject"], '-i takes NAME=VALUE; "subject" has no name or no equals sign.\n'),
        (["--query", "x", "-i", "subject=@nowhere"], "nowhere cannot be read: no such file or directory.\n"),
        (["--query", "x", "-i", "subject=a", "--file", "nowhere.png"], "nowhere.png is not a file.\n"),
        (["--query", "x", "-i", "subject=a", "--model", "gpt"], "`gpt` names no model."),
        (["--query", "x", "-i", "subject=a", "--map", "a"], "`a` is no mapping."),
        (["--query", "x", "--conversation", "../up"], "A conversation's id is made of"),
    ],
)
def test_a_call_that_cannot_work_exits_2_with_one_sentence(
    tidemill: CommandLine, words: list[str], sentence: str
) -> None:
    told = tidemill("run", CHAT, *words)

    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(sentence)
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("content", ["a: [1\n", "kind: poem\n", "just words"])
def test_a_bad_file_exits_2_and_is_named(tidemill: CommandLine, content: str) -> None:
    told = tidemill("run", tidemill.write("bad.yml", content), "--query", "x")

    assert told.code == 2
    assert told.err.startswith("bad.yml" if told.err.startswith("bad") else str(tidemill.folder / "bad.yml"))
    assert told.err.count("\n") == 1


def test_a_model_without_a_key_is_named_with_what_to_set(tidemill: CommandLine) -> None:
    told = tidemill("run", CHAT, "--query", "x", "-i", "subject=a")

    assert told.code == 1
    assert "OPENAI_API_KEY" in told.err
    assert "--model" in told.err


def test_the_demo_model_needs_nothing(tidemill: CommandLine) -> None:
    told = tidemill("run", CHAT, "--query", "Hello", "-i", "subject=maths", "--model", "demo/demo")

    assert told.code == 0
    assert "demo model" in told.out


def test_map_sends_one_provider_to_another(tidemill: CommandLine, model: ModelServer) -> None:
    words = ["--query", "Hi", "-i", "subject=maths", "--map", "langgenius/openai/openai=openai_api_compatible/mine"]

    run(tidemill, CHAT, *words)

    [request] = model.requests()
    assert request.body["model"] == "mine"


def test_an_input_can_come_from_a_file(tidemill: CommandLine) -> None:
    text = tidemill.write("long.txt", "Ünï\ncode")

    result = run(tidemill, INPUTS, "-i", f"short=@{text}")

    assert result["outputs"]["short"] == "Ünï\ncode"


def test_an_unknown_input_is_left_out_with_a_word(tidemill: CommandLine) -> None:
    told = tidemill("run", INPUTS, "-i", "short=a", "-i", "shrot=b")

    assert told.code == 0
    assert told.err.startswith("The app has no input `shrot`; it is left out. Its inputs: short, long")


def test_a_picture_reaches_a_model_that_sees(tidemill: CommandLine, model: ModelServer) -> None:
    picture = tidemill.write("dot.png", PNG)
    words = ["--query", "What is it?", "--file", picture, "--map", "tongyi=openai/gpt-4o"]

    run(tidemill, FIXTURES / "chat-vision.yml", *words)

    [request] = model.requests()
    content = request.body["messages"][-1]["content"]
    assert any(part["type"] == "image_url" and "base64" in part["image_url"]["url"] for part in content)


def test_a_conversation_remembers_what_was_said(tidemill: CommandLine, model: ModelServer) -> None:
    model.script({"match": "first", "reply": "Noted."}, {"reply": "You said first."})
    words = ["-i", "subject=maths", "--conversation", "lesson"]

    run(tidemill, CHAT, "--query", "My first question", *words)
    run(tidemill, CHAT, "--query", "What did I ask?", "--conversation", "lesson")

    told = [message["content"] for message in model.requests()[-1].body["messages"]]
    assert told[1:] == ["My first question", "Noted.", "What did I ask?"]


def test_a_conversation_keeps_its_variables(tidemill: CommandLine) -> None:
    words = ["--model", "demo/demo", "--conversation", "ada"]

    first = run(tidemill, MEMORY, "--query", "Ada", *words)
    second = run(tidemill, MEMORY, "--query", "What now?", *words)

    assert first["answer"] == "Nice to meet you, Ada."
    assert second["answer"] != first["answer"]


def test_the_first_message_of_a_conversation_is_number_one(tidemill: CommandLine) -> None:
    nodes = [
        {"id": "s", "data": {"type": "start", "title": "Start", "variables": []}},
        {"id": "a", "data": {"type": "answer", "title": "Count", "answer": "{{#sys.dialogue_count#}}"}},
    ]
    graph = {"edges": [{"source": "s", "target": "a"}], "nodes": nodes}
    app = {"kind": "app", "version": "0.3.0", "app": {"name": "Count", "mode": "advanced-chat"}}
    file = tidemill.write("count.yml", json.dumps({**app, "workflow": {"graph": graph}}))

    said = [run(tidemill, file, "--query", "x", "--conversation", "counted")["answer"] for _ in range(2)]

    assert said == ["1", "2"]


def test_without_an_id_nothing_is_remembered(tidemill: CommandLine) -> None:
    for _ in range(2):
        assert run(tidemill, MEMORY, "--query", "Ada", "--model", "demo")["answer"] == "Nice to meet you, Ada."


def test_a_private_host_is_refused_with_the_setting_that_allows_it(tidemill: CommandLine) -> None:
    told = tidemill("run", tidemill.write("fetch.yml", json.dumps(FETCH)))

    assert told.code == 1
    assert "127.0.0.1" in told.err
    assert "TIDEMILL_EGRESS_ALLOW" in told.err


def test_a_knowledge_pipeline_cannot_be_run(tidemill: CommandLine) -> None:
    told = tidemill("run", FIXTURES / "pipeline-local-files.yml")

    assert told.code == 2
    assert "knowledge pipeline" in told.err


def test_ctrl_c_stops_a_run_and_the_model_call(model: ModelServer, tmp_path: Path) -> None:
    words = [CHAT, "--query", "x", "-i", "subject=a", "--model", "openai/mock-5tok-hang2", "--events"]
    command = [sys.executable, "-m", "tidemill.cli", "run", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ), cwd=tmp_path) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if '"text_delta"' in line:
                process.send_signal(signal.SIGINT)
        code = process.wait(10)

    last = json.loads(lines[-1])
    assert (code, last["status"]) == (1, "stopped")
    model.wait_for_disconnects()
