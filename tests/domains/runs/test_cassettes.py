"""A run of the server as a cassette: whole, without secrets, played by the command line, and only for its workspace."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from support.installation import Person
from support.served import Served, chatflow, model_workflow
from tidemill.adapters.cassette import Cassette, read
from tidemill.kit.db import new_id

SECRET = "env-secret-of-the-app"


async def cassette_of(served: Served, run_id: str) -> Cassette:
    response = await served.owner.browser.get(f"/runs/{run_id}/cassette")
    assert response.status_code == 200, response.text
    assert "attachment" in response.headers["content-disposition"]
    return read(response.content)


async def newest_run(served: Served, app_id: str) -> str:
    response = await served.owner.browser.get(f"/apps/{app_id}/runs")
    return response.json()["items"][0]["id"]


def with_secret(document: dict[str, Any]) -> dict[str, Any]:
    document["workflow"]["environment_variables"] = [
        {"id": "1", "name": "shop", "value_type": "secret", "value": SECRET, "selector": ["env", "shop"]}
    ]
    llm = next(node for node in document["workflow"]["graph"]["nodes"] if node["data"]["type"] == "llm")
    llm["data"]["prompt_template"] = [{"role": "user", "text": "{{#env.shop#}} {{#sys.query#}}"}]
    return document


async def test_a_run_is_recorded_with_its_calls(served: Served):
    api = await served.publish(model_workflow("mock-5tok-0ms"))
    done = (await api.run({"x": "hello"}, response_mode="blocking")).json()

    cassette = await cassette_of(served, done["workflow_run_id"])

    (call,) = cassette.calls
    assert (call.port, call.place) == ("Models", "llm")
    assert cassette.result["status"] == "succeeded"
    texts = [piece for piece in call.response["deltas"] if isinstance(piece, str)]
    assert len(texts) == 5


async def test_the_recording_is_no_event_of_any_client(served: Served):
    api = await served.publish(chatflow())
    async with api.stream("/chat-messages", {"query": "hello"}) as stream:
        names = await stream.rest()

    assert "call_recorded" not in names


async def test_no_secret_is_in_the_cassette(served: Served):
    api = await served.publish(with_secret(chatflow("mock-echo")))
    answer = (await api.chat("hello")).json()["answer"]
    assert SECRET in answer

    response = await served.owner.browser.get(f"/runs/{await newest_run(served, api.app_id)}/cassette")

    assert SECRET not in response.text
    assert "[secret] hello" in response.text


async def test_a_conversation_is_part_of_the_recording(served: Served):
    api = await served.publish(chatflow("mock-echo", memory=True))
    first = (await api.chat("first question")).json()
    await api.chat("second question", conversation_id=first["conversation_id"])

    cassette = await cassette_of(served, await newest_run(served, api.app_id))

    history, _ = cassette.calls
    assert history.port == "History"
    assert history.response["turns"][0]["query"] == "first question"


async def test_the_command_line_plays_a_run_of_the_server_with_no_server(served: Served, tmp_path: Path):
    document = with_secret(chatflow("mock-echo", memory=True))
    api = await served.publish(document)
    first = (await api.chat("one")).json()
    second = (await api.chat("two", conversation_id=first["conversation_id"])).json()
    response = await served.owner.browser.get(f"/runs/{await newest_run(served, api.app_id)}/cassette")
    (tmp_path / "a.json").write_bytes(response.content)
    document["workflow"]["environment_variables"][0]["value"] = ""
    (tmp_path / "app.yml").write_text(json.dumps(document))
    expected = second["answer"].replace(SECRET, "[secret]")
    case = {"name": "a", "app": "app.yml", "query": "two", "cassette": "a.json", "expect": [{"equals": expected}]}
    (tmp_path / "tests.yml").write_text(json.dumps({"cases": [case]}))

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tidemill.cli", "test", "tests.yml"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TIDEMILL_HOME": str(tmp_path / "data")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()

    assert process.returncode == 0, told.decode()
    assert told.decode().startswith("PASS  a (cassette")


async def test_another_workspace_sees_no_cassette(served: Served, stranger: Person):
    api = await served.publish(chatflow())
    await api.chat()
    run_id = await newest_run(served, api.app_id)

    assert (await stranger.browser.get(f"/runs/{run_id}/cassette")).status_code == 404
    assert (await served.owner.browser.get(f"/runs/{new_id()}/cassette")).status_code == 404


async def test_a_plain_member_may_not_take_a_cassette(served: Served, onlooker: Person):
    api = await served.publish(chatflow())
    await api.chat()

    response = await onlooker.browser.get(f"/runs/{await newest_run(served, api.app_id)}/cassette")

    assert response.status_code == 403


async def test_a_run_without_recorded_calls_says_how_to_record(served: Served):
    served.desk.runner.records_calls = False
    api = await served.publish(chatflow())
    await api.chat()

    response = await served.owner.browser.get(f"/runs/{await newest_run(served, api.app_id)}/cassette")

    assert (response.status_code, response.json()["code"]) == (409, "run_not_recorded")
    assert "TIDEMILL_RECORD_CALLS" in response.json()["message"]


@pytest.mark.parametrize("model", ["mock-err401"])
async def test_a_run_that_failed_is_recorded_too(served: Served, model: str):
    api = await served.publish(chatflow(model))
    await api.chat()

    cassette = await cassette_of(served, await newest_run(served, api.app_id))

    (call,) = cassette.calls
    assert call.response["error"]["type"] == "BadCredential"
    assert cassette.result["status"] == "failed"
