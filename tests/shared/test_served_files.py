"""Real agent apps on a real server: imported, published, asked over the API by streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from domains.runs.servers import running
from shared.conftest import FILES
from support.model_server import model_server, model_server_process
from support.served import Answer, Api, Served, checked
from support.served_fixtures import served

__all__ = ["model_server", "model_server_process", "served"]


async def publish(served: Served, file: str) -> Api:
    """Import a file as it is, use the scripted model for its own, publish it and make a key."""
    browser = served.owner.browser
    content = (FILES / f"{file}.yml").read_text(encoding="utf-8")
    app_id = (await checked(browser, "POST", "/apps/import", {"content": content}))["app"]["id"]
    uses = await checked(browser, "GET", f"/apps/{app_id}/models")
    target = {"provider": "openai", "name": "mock-echo"}
    mappings = [{"source": {"provider": use["provider"], "name": use["name"]}, "target": target} for use in uses]
    await checked(browser, "PUT", f"/apps/{app_id}/models", {"mappings": mappings})
    await checked(browser, "POST", f"/apps/{app_id}/publish", {})
    issued = await checked(browser, "POST", f"/apps/{app_id}/keys", {})
    return Api(served.base, app_id, issued["secret"], served.http)


@pytest_asyncio.fixture
async def url(served: Served, tmp_path: Path) -> AsyncIterator[str]:
    """A server in a process of its own, on the data of the installation."""
    async with running(served, {}, tmp_path) as server:
        yield server.url


async def ask(served: Served, url: str, api: Api, query: str) -> Answer:
    return await Api(url, api.app_id, api.key, served.http).chat(query, response_mode="streaming")


async def test_an_agent_app_answers_a_stream(served: Served, url: str):
    api = await publish(served, "investment-report-agent-chat")
    served.models.reset()

    answer = await ask(served, url, api, "hello tide")

    assert answer.status == 200
    assert set(answer.names) == {"agent_thought", "agent_message", "message_end"}
    assert "".join(event["answer"] for event in answer.events if event["event"] == "agent_message") == "hello tide"
    assert [tool["function"]["name"] for tool in served.models.requests()[-1].body["tools"]] == [
        "yahoo_finance_analytics",
        "yahoo_finance_news",
        "yahoo_finance_ticker",
    ]


async def test_an_agent_app_goes_on_when_a_tool_has_no_server(served: Served, url: str):
    api = await publish(served, "agent-chat-12306-mcp")
    served.models.reset()
    served.models.script(
        {"match": "^火车票$", "tool": {"name": "mcp_sse_list_tools", "arguments": {}}},
        {"match": "tool invoke error", "reply": "查不到"},
    )

    answer = await ask(served, url, api, "火车票")

    thoughts = {event["id"]: event for event in answer.events if event["event"] == "agent_thought"}
    assert [thought["tool"] for thought in thoughts.values()] == ["mcp_sse_list_tools", ""]
    assert "tool invoke error" in next(iter(thoughts.values()))["observation"]
    assert "".join(event["answer"] for event in answer.events if event["event"] == "agent_message") == "查不到"
    assert answer.names[-1] == "message_end"
