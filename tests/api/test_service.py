"""The Service API's envelope, keys, headers and reads."""

from __future__ import annotations

import pytest

from support.served import Served, chatflow, checked, model_app, workflow
from tidemill import __version__


async def test_the_root_needs_no_key(served: Served):
    async with served.http.get(f"{served.base}/v1/") as response:
        body = await response.json()

    assert response.status == 200
    assert list(body) == ["welcome", "api_version", "server_version"]
    assert (body["api_version"], body["server_version"]) == ("v1", __version__)


async def test_every_answer_tells_version_and_environment(served: Served):
    app = await served.publish(chatflow())

    good, bad = await app.get("/info"), await app.get("/nothing")
    streamed = await app.chat(response_mode="streaming", headers={})

    for answer in (good, bad, streamed):
        assert answer.headers["X-Version"] == __version__
        assert answer.headers["X-Env"] == "PRODUCTION"


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer app-unknown", "Bearer dataset-abc"])
async def test_without_a_known_key_everything_is_401(served: Served, header: str):
    async with served.http.get(f"{served.base}/v1/info", headers={"Authorization": header}) as response:
        body = await response.json()

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert (list(body), body["code"], body["status"]) == (["code", "message", "status"], "unauthorized", 401)


async def test_the_scheme_is_read_in_any_case_and_after_any_space(served: Served):
    app = await served.publish(chatflow())

    async with served.http.get(f"{served.base}/v1/info", headers={"Authorization": f"bearer   {app.key}"}) as response:
        assert response.status == 200


async def test_a_revoked_key_is_refused_by_the_next_request(served: Served):
    app = await served.publish(chatflow())
    assert (await app.get("/info")).status == 200
    keys = await checked(served.owner.browser, "GET", f"/apps/{app.app_id}/keys")

    await checked(served.owner.browser, "DELETE", f"/apps/{app.app_id}/keys/{keys[0]['id']}")

    assert (await app.get("/info")).status == 401


async def test_switching_the_api_off_refuses_the_next_request(served: Served):
    app = await served.publish(chatflow())
    assert (await app.get("/info")).status == 200

    await checked(served.owner.browser, "PATCH", f"/apps/{app.app_id}", {"api_enabled": False})
    answer = await app.get("/info")

    assert (answer.status, answer.json()["code"]) == (403, "forbidden")


async def test_publishing_again_is_what_the_next_request_runs(served: Served):
    app = await served.publish(workflow())
    first = (await app.run({"x": "a"})).json()["data"]["workflow_id"]

    await checked(served.owner.browser, "PATCH", f"/apps/{app.app_id}/nodes/end", {"title": "Result"})
    await checked(served.owner.browser, "POST", f"/apps/{app.app_id}/publish", {})

    assert (await app.run({"x": "a"})).json()["data"]["workflow_id"] != first


async def test_a_body_that_is_no_json_is_refused_by_its_kind(served: Served):
    app = await served.publish(chatflow())

    form = await app.call("POST", "/chat-messages", data={"query": "hi"})
    broken = await app.call("POST", "/chat-messages", data=b"{", headers={"Content-Type": "application/json"})
    listed = await app.post("/chat-messages", [1])

    assert (form.status, form.json()["code"]) == (415, "unsupported_media_type")
    assert (broken.status, broken.json()["code"]) == (400, "bad_request")
    assert (listed.status, listed.json()["code"]) == (400, "bad_request")


async def test_any_origin_may_call_without_credentials(served: Served):
    app = await served.publish(chatflow())
    preflight = await app.call(
        "OPTIONS",
        "/chat-messages",
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"},
    )

    answer = await app.get("/info", headers={"Origin": "https://a.example"})

    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert (
        preflight.headers["Access-Control-Allow-Headers"] == "Content-Type, Authorization, X-App-Code, X-App-Passport"
    )
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Version, X-Env, X-Trace-Id"
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_doubled_slashes_do_not_break_routing(served: Served):
    app = await served.publish(chatflow())
    headers = {"Authorization": f"Bearer {app.key}"}

    for path in ("/v1//info", "//v1/info"):
        async with served.http.get(served.base + path, headers=headers) as response:
            assert response.status == 200


async def test_an_id_that_is_none_is_not_found(served: Served):
    app = await served.publish(chatflow())

    answer = await app.get("/messages/not-an-id/suggested", params={"user": "ada"})

    assert (answer.status, answer.json()["code"]) == (404, "not_found")


async def test_what_an_app_is_can_be_read(served: Served):
    form = [{"text-input": {"label": "City", "variable": "city", "required": True, "default": ""}}]
    app = await served.publish(model_app("chat", form=form, opening_statement="Hi!"))

    info, parameters = (await app.get("/info")).json(), (await app.get("/parameters", params={"user": "a"})).json()
    meta, site = (await app.get("/meta")).json(), (await app.get("/site")).json()

    assert list(info) == ["name", "description", "tags", "mode", "author_name"]
    assert parameters["opening_statement"] == "Hi!"
    assert next(iter(parameters["user_input_form"][0])) == "text-input"
    assert parameters["system_parameters"]["file_size_limit"] == 15
    assert meta == {"tool_icons": {}}
    assert (site["title"], site["icon_type"]) == (info["name"], "emoji")


async def test_a_run_of_another_app_looks_absent(served: Served):
    first, second = await served.publish(workflow()), await served.publish(workflow())
    run_id = (await first.run({"x": "a"})).json()["workflow_run_id"]

    answer = await second.get(f"/workflows/run/{run_id}")

    assert (answer.status, answer.json()["code"]) == (404, "not_found")
