"""OpenAPI tools of a workspace: added, tried, changed, removed; their keys go in and never out."""

from __future__ import annotations

from typing import Any

from httpx import AsyncClient
from sqlalchemy import select

from domains.toolbox.conftest import Shop
from support.installation import Installation, Person
from tidemill.domains.toolbox.models import ToolProvider

KEY = "sk-a-long-secret-key-4242"
AUTH = {"type": "header", "name": "X-Key", "value": KEY}


async def _add(console: AsyncClient, shop: Shop, **more: Any) -> dict[str, Any]:
    answer = await console.post("/tools/api", json={"document": shop.document, "auth": AUTH, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _listed(console: AsyncClient, kind: str) -> list[dict[str, Any]]:
    return [row for row in (await console.get("/tools")).json() if row["kind"] == kind]


async def test_a_document_becomes_tools(console: AsyncClient, shop: Shop):
    added = await _add(console, shop)

    assert (added["name"], added["kind"], added["is_usable"]) == ("Shop", "api", True)
    assert [tool["name"] for tool in added["tools"]] == ["findItems", "addItem", "broken"]
    assert [(item["name"], item["type"], item["is_required"]) for item in added["tools"][0]["parameters"]] == [
        ("q", "string", True),
        ("limit", "number", False),
    ]
    assert await _listed(console, "api") == [added]


async def test_a_key_goes_in_and_never_comes_out(installation: Installation, console: AsyncClient, shop: Shop):
    added = await _add(console, shop)

    listed = await console.get("/tools")
    async with installation.app.state.database.session() as db:
        row = (await db.scalars(select(ToolProvider))).one()
    assert KEY not in listed.text
    assert KEY not in row.secrets
    assert KEY not in str(row.definition)
    assert (added["auth_type"], added["credential_hint"]) == ("header", "…4242")


async def test_a_tool_is_tried_with_the_stored_key(console: AsyncClient, shop: Shop):
    added = await _add(console, shop)

    tried = await console.post(
        f"/tools/{added['id']}/test", json={"tool": "findItems", "arguments": {"q": "net", "limit": "2"}}
    )

    assert tried.json()["ok"] is True, tried.text
    assert tried.json()["data"] == [{"items": [{"name": "net"}], "asked": {"q": "net", "limit": "2"}}]
    assert shop.keys == [KEY]


async def test_an_answer_of_400_and_above_is_told_with_status_and_body(console: AsyncClient, shop: Shop):
    added = await _add(console, shop)

    tried = (await console.post(f"/tools/{added['id']}/test", json={"tool": "broken"})).json()

    assert tried["ok"] is False
    assert tried["message"] == "The tool broken was answered 500: The till is on fire."


async def test_a_document_is_fetched_from_its_address(console: AsyncClient, shop: Shop):
    url = f"{shop.origin}/openapi.yaml"

    examined = await console.post("/tools/api/examine", json={"url": url})
    added = await console.post("/tools/api", json={"url": url, "name": "Fetched"})

    assert examined.json()["servers"] == [shop.origin]
    assert (added.status_code, added.json()["name"]) == (201, "Fetched")


async def test_a_document_is_not_fetched_from_a_private_address(console: AsyncClient):
    answer = await console.post("/tools/api", json={"url": "http://10.0.0.1/openapi.json"})

    assert (answer.status_code, answer.json()["code"]) == (422, "tool_refused")
    assert "TIDEMILL_EGRESS_ALLOW" in answer.json()["message"]


async def test_a_document_with_a_remote_reference_is_refused(console: AsyncClient, shop: Shop):
    document = shop.document.replace("{type: string}", "{$ref: 'http://evil.example/s.json'}", 1)

    answer = await console.post("/tools/api", json={"document": document})

    assert (answer.status_code, answer.json()["code"]) == (422, "tool_refused")
    assert "http://evil.example/s.json" in answer.json()["message"]
    assert await _listed(console, "api") == []


async def test_an_update_keeps_the_key_that_is_left_empty(console: AsyncClient, shop: Shop):
    added = await _add(console, shop)
    path = f"/tools/api/{added['id']}"

    changed = await console.patch(path, json={"name": "Our shop", "auth": {**AUTH, "value": ""}})
    await console.post(f"/tools/{added['id']}/test", json={"tool": "findItems", "arguments": {"q": "x"}})

    assert (changed.status_code, changed.json()["name"]) == (200, "Our shop")
    assert shop.keys == [KEY]


async def test_authorization_that_lacks_something_names_it(console: AsyncClient, shop: Shop):
    body = {"document": shop.document, "auth": {"type": "basic", "username": "ada"}}

    answer = await console.post("/tools/api", json=body)

    assert (answer.status_code, answer.json()["params"]) == (422, "auth.password")


async def test_two_documents_cannot_have_one_name(console: AsyncClient, shop: Shop):
    await _add(console, shop)

    answer = await console.post("/tools/api", json={"document": shop.document})

    assert (answer.status_code, answer.json()["code"]) == (409, "tool_name_taken")


async def test_removed_tools_are_gone(console: AsyncClient, shop: Shop):
    added = await _add(console, shop)

    removed = await console.delete(f"/tools/{added['id']}")

    assert removed.status_code == 204
    assert await _listed(console, "api") == []
    assert (await console.delete(f"/tools/{added['id']}")).json()["code"] == "tool_provider_not_found"


async def test_another_workspace_sees_nothing(console: AsyncClient, stranger: Person, shop: Shop):
    added = await _add(console, shop)
    path = f"/tools/{added['id']}"

    answers = [
        await stranger.browser.delete(path),
        await stranger.browser.post(f"{path}/test", json={"tool": "findItems", "arguments": {"q": "x"}}),
        await stranger.browser.patch(f"/tools/api/{added['id']}", json={"name": "mine"}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert await _listed(stranger.browser, "api") == []
    assert shop.seen == []


async def test_the_same_name_may_be_used_in_another_workspace(console: AsyncClient, stranger: Person, shop: Shop):
    await _add(console, shop)

    assert (await _add(stranger.browser, shop))["name"] == "Shop"


async def test_a_plain_member_may_look_and_not_change(console: AsyncClient, onlooker: Person, shop: Shop):
    added = await _add(console, shop)

    assert len(await _listed(onlooker.browser, "api")) == 1
    assert (await onlooker.browser.delete(f"/tools/{added['id']}")).status_code == 403


async def test_a_key_that_no_secret_key_opens_makes_its_tools_unusable_and_no_others(
    installation: Installation, console: AsyncClient, shop: Shop
):
    added = await _add(console, shop)
    other = await _add(console, shop, name="Other", auth={"type": "none"})
    async with installation.app.state.database.session() as db:
        row = (await db.scalars(select(ToolProvider).where(ToolProvider.name == "Shop"))).one()
        row.secrets = installation.app.state.vault.encrypt(row.id, "{}")
    installation.app.state.tools.forget(row.workspace_id)

    listed = {row["id"]: row for row in await _listed(console, "api")}
    tried = await console.post(f"/tools/{added['id']}/test", json={"tool": "findItems", "arguments": {"q": "x"}})

    assert (listed[added["id"]]["is_usable"], listed[other["id"]]["is_usable"]) == (False, True)
    assert "SECRET_KEY" in listed[added["id"]]["problem"]
    assert "SECRET_KEY" in tried.json()["message"]


async def test_a_built_in_provider_takes_credentials_and_tells_none(console: AsyncClient):
    path = "/tools/builtin/tavily/credentials"
    [field] = [
        field["name"]
        for row in await _listed(console, "builtin")
        if row["name"] == "tavily"
        for field in row["credential_fields"]
        if field["is_required"]
    ]

    missing = await console.put(path, json={"credentials": {}})
    unknown = await console.put(path, json={"credentials": {field: KEY, "other": "x"}})
    saved = await console.put(path, json={"credentials": {field: KEY}})
    listed = await console.get("/tools")
    [tavily] = [row for row in listed.json() if row["name"] == "tavily"]
    removed = await console.delete(path)
    [after] = [row for row in await _listed(console, "builtin") if row["name"] == "tavily"]

    assert [missing.status_code, unknown.status_code, saved.status_code, removed.status_code] == [422, 422, 204, 204]
    assert (missing.json()["params"], unknown.json()["params"]) == (field, "other")
    assert KEY not in listed.text
    assert (tavily["is_usable"], tavily["credential_hint"], after["is_usable"]) == (True, "…4242", False)


async def test_a_built_in_tool_is_tried(console: AsyncClient):
    tried = await console.post(
        "/tools/builtin/time/test", json={"tool": "weekday", "arguments": {"year": 2026, "month": 11, "day": 22}}
    )
    absent = await console.post("/tools/builtin/time/test", json={"tool": "tide"})

    assert tried.json()["ok"] is True, tried.text
    assert "Sunday" in tried.json()["text"]
    assert (absent.status_code, absent.json()["code"]) == (404, "tool_not_found")
