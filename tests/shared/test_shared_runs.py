"""Real files, from the command line to the end, against the scripted model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from shared.conftest import FILES
from support.model_server import ModelServer, running_model_server


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


def tidemill(model: ModelServer, home: Path, file: str, *args: str, name: str) -> str:
    """The output of `tidemill run`, which must have succeeded."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("OPENAI", "TIDEMILL"))},
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_MODEL_WINDOW": "16385",
        "TIDEMILL_HOME": str(home),
        "TIDEMILL_EGRESS_ALLOW": "127.0.0.1",
    }
    command = [sys.executable, "-m", "tidemill.cli", "run", str(FILES / file), "--model", f"openai/{name}", *args]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout


def tidemill_run(model: ModelServer, home: Path, file: str, *args: str, name: str = "mock-echo") -> dict[str, Any]:
    """The result object of `--json`."""
    return json.loads(tidemill(model, home, file, "--json", *args, name=name))


def tidemill_events(model: ModelServer, home: Path, file: str, *args: str, name: str) -> list[dict[str, Any]]:
    """The events of `--events`."""
    return [json.loads(line) for line in tidemill(model, home, file, "--events", *args, name=name).splitlines()]


@contextmanager
def answering(status: int) -> Generator[str]:
    """A server that answers every request with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("file", "args", "output", "holds"),
    [
        ("baoyu-ying-yi-zhong.yml", ["-i", "content=Hello world"], "output", "Hello world"),
        ("zhong-yi-ying.yml", ["-i", "content=你好，世界"], "output", "你好，世界"),
        ("seo-slug-generator.yml", ["-i", "title=Ten Ways"], "output", "Ten Ways"),
        ("end-without-value-type.yml", ["-i", "query=test query"], "query", "test query"),
        (
            "sentiment-analysis-ja.yml",
            ["-i", "input_text=great", "-i", "Multisentiment=False", "-i", "Categories=food"],
            "text",
            "great",
        ),
        (
            "sentiment-analysis-ja.yml",
            ["-i", "input_text=great", "-i", "Multisentiment=True"],
            "text",
            "great",
        ),
    ],
)
def test_a_workflow_runs_to_its_output(
    model: ModelServer, tmp_path: Path, file: str, args: list[str], output: str, holds: str
):
    result = tidemill_run(model, tmp_path, file, *args)

    assert result["status"] == "succeeded"
    assert holds in result["outputs"][output]


@pytest.mark.parametrize("file", ["python-coding-prompt.yml", "code-interpreter-chat.yml", "zhouyi-dashi-chat.yml"])
def test_a_chat_answers_the_query(model: ModelServer, tmp_path: Path, file: str):
    model.reset()

    result = tidemill_run(model, tmp_path, file, "--query", "卦象 hello")

    assert (result["status"], result["answer"]) == ("succeeded", "卦象 hello")
    body = model.requests()[-1].body
    assert body["messages"][0]["role"] == "system"
    assert body["messages"][-1] == {"role": "user", "content": "卦象 hello"}


def test_an_answer_never_asks_for_more_than_the_window_leaves(model: ModelServer, tmp_path: Path):
    model.reset()

    tidemill_run(model, tmp_path, "code-interpreter-chat.yml", "--query", "hi")

    body = model.requests()[-1].body
    asked = body.get("max_tokens") or body["max_completion_tokens"]
    assert 16 <= asked < 16385


def test_a_completion_sends_its_text_as_the_user(model: ModelServer, tmp_path: Path):
    model.reset()

    result = tidemill_run(model, tmp_path, "completion-minimal.yml", "-i", "query=Guten Tag")

    assert result["answer"] == "Translate the following text:\nGuten Tag"
    assert [message["role"] for message in model.requests()[-1].body["messages"]] == ["user"]


@pytest.mark.parametrize(("query", "answer"), [("hello world", "contains 'hello'T"), ("goodbye world", "T")])
def test_branch_answer_order(model: ModelServer, tmp_path: Path, query: str, answer: str):
    model.reset()
    model.script({"match": "", "reply": "T"})

    assert tidemill_run(model, tmp_path, "branch-answer-order.yml", "--query", query)["answer"] == answer


@pytest.mark.parametrize(("blocking", "pieces"), [("1", 3), ("2", 7)])
def test_conditional_streaming_vs_template(model: ModelServer, tmp_path: Path, blocking: str, pieces: int):
    model.reset()
    environment_args = ["-i", "query=Hello, how are you?", "-i", f"blocking={blocking}"]

    result = tidemill_run(model, tmp_path, "conditional-streaming-vs-template.yml", *environment_args, name="mock-5tok")
    events = tidemill_events(
        model, tmp_path, "conditional-streaming-vs-template.yml", *environment_args, name="mock-5tok-20ms"
    )

    texts = [event["text"] for event in events if event["event"] == "text_delta"]
    assert result["outputs"]["query"] == "Hello, how are you?"
    assert texts[:2] == ["Hello, how are you?", "\n"]
    assert len(texts) == pieces
    assert "".join(texts[2:]) == result["outputs"]["text"]


def test_parallel_models_answer_in_template_order(model: ModelServer, tmp_path: Path):
    model.reset()
    model.script(
        {"match": "English", "anywhere": True, "reply": "second"},
        {"match": "Chinese", "anywhere": True, "reply": "first and much longer "},
    )

    result = tidemill_run(model, tmp_path, "parallel-llm-streaming.yml", "--query", "x")

    assert result["answer"] == "first and much longer second"


def test_a_conversation_variable_shows_its_new_value(model: ModelServer, tmp_path: Path):
    result = tidemill_run(model, tmp_path, "streaming-conversation-variable-v1.yml", "--query", "Q")

    assert result["answer"] == "Current Value Of `conv_var` is:Q"


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_each_http_error_takes_its_own_branch(model: ModelServer, tmp_path: Path, status: int):
    with answering(status) as url:
        result = tidemill_run(model, tmp_path, "error-handling-kinds.yml", "--query", url)

    assert result["status"] == "partial-succeeded"
    assert result["answer"].startswith(f"My error type is {status}.\nRequest failed with status code {status}")
    assert result["answer"].endswith("HTTPResponseCodeError")


def test_a_working_address_answers_success(model: ModelServer, tmp_path: Path):
    with answering(200) as url:
        result = tidemill_run(model, tmp_path, "error-handling-kinds.yml", "--query", url)

    assert (result["status"], result["answer"]) == ("succeeded", "success")
