"""Real files with agents, from the command line to the end: scripted model, built-in tools, a real MCP server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.conftest import FILES
from shared.test_shared_runs import tidemill_run
from support.model_server import ModelServer, running_model_server

MCP_SERVER = Path(__file__).parents[1] / "support" / "mcp_program.py"
ADDRESS = re.compile(r"http://mcp\.shuidi\.cn/sse")


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


@pytest.fixture(scope="module")
def mcp_server() -> Iterator[str]:
    """The address of a real MCP server."""
    process = subprocess.Popen([sys.executable, str(MCP_SERVER), "http"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().rpartition("=")[2].strip()
        yield f"http://127.0.0.1:{port}/sse"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()  # pyright: ignore[reportOptionalMemberAccess]


def offered(model: ModelServer) -> list[str]:
    """The tools of the last request."""
    return [tool["function"]["name"] for tool in model.requests()[-1].body.get("tools", [])]


def test_an_agent_node_calls_the_tools_of_its_file(model: ModelServer, tmp_path: Path):
    model.reset()
    ask = {"match": "几点", "tool": {"name": "current_time", "arguments": {}}}
    model.script(ask, {"match": r"20\d\d-\d\d-\d\d", "reply": "现在是中午"})

    result = tidemill_run(model, tmp_path, "agent-tool-calling.yml", "--query", "几点了")

    assert (result["status"], result["answer"]) == ("succeeded", "现在是中午")
    # The weather tool of the file is switched off.
    assert offered(model) == ["current_time", "ddgo_search"]
    told = model.requests()[-1].body["messages"][-1]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", told["content"])


@pytest.mark.parametrize(
    ("file", "tools"),
    [
        ("agent-chat-12306-mcp.yml", ["mcp_sse_list_tools", "mcp_sse_call_tool"]),
        (
            "investment-report-agent-chat.yml",
            ["yahoo_finance_analytics", "yahoo_finance_news", "yahoo_finance_ticker"],
        ),
        ("agent-flow.yml", []),
        ("lvxing-demo.yml", ["ddgo_search"]),
    ],
)
def test_a_file_with_an_agent_answers(model: ModelServer, tmp_path: Path, file: str, tools: list[str]):
    model.reset()

    result = tidemill_run(model, tmp_path, file, "--query", "tide")

    assert result["status"] == "succeeded"
    assert "tide" in result["answer"]
    assert offered(model) == tools


def test_an_agent_app_tells_the_model_that_a_tool_has_no_credentials_or_server(model: ModelServer, tmp_path: Path):
    model.reset()
    model.script(
        {"match": "^火车票$", "tool": {"name": "mcp_sse_list_tools", "arguments": {}}},
        {"match": "tool invoke error", "reply": "查不到"},
    )

    result = tidemill_run(model, tmp_path, "agent-chat-12306-mcp.yml", "--query", "火车票")

    assert (result["status"], result["answer"]) == ("succeeded", "查不到")


def test_an_agent_takes_tools_from_the_mcp_server_that_its_file_names(
    model: ModelServer, tmp_path: Path, mcp_server: str
):
    model.reset()
    model.script(
        {"match": "^Acme$", "tool": {"name": "echo", "arguments": {"text": "Acme was founded in 1887"}}},
        {"match": "founded in 1887$", "reply": "成立于 1887 年"},
    )
    file = tmp_path / "profile.yml"
    text = (FILES / "enterprise-profile-agents.yml").read_text(encoding="utf-8")
    file.write_text(ADDRESS.sub(mcp_server, text), encoding="utf-8")

    result: dict[str, Any] = tidemill_run(model, tmp_path / "home", str(file), "--query", "Acme")

    assert result["status"] == "succeeded"
    assert "成立于 1887 年" in result["answer"]
    assert {"echo", "localtime_to_timestamp"} <= set(offered(model))
