"""The app list and one app: read, change, publish, export, delete; each workspace for itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from support.apps import IF_ELSE_FLOW, add_app
from support.installation import Person
from tidemill import dsl
from tidemill.domains.apps.gallery import content, templates

SLUGS = [(template.slug, language) for template in templates() for language in ("en", "zh-Hans")]


async def test_a_new_workspace_has_no_apps(console: AsyncClient):
    assert (await console.get("/apps")).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(("slug", "language"), SLUGS)
async def test_every_template_becomes_an_app_that_lacks_nothing(console: AsyncClient, slug: str, language: str):
    made = await console.post(f"/templates/{slug}/use", json={"language": language})

    result = made.json()
    assert made.status_code == 201
    assert result["status"] == "completed"
    assert result["report"]["errors"] == result["report"]["warnings"] == []
    assert result["app"]["missing_models"] == []


@pytest.mark.parametrize(("slug", "language"), SLUGS)
def test_every_template_is_stored_in_the_canonical_form(slug: str, language: str):
    assert dsl.write(dsl.read(content(slug, language))) == content(slug, language)


async def test_an_unknown_template_is_not_found(console: AsyncClient):
    answer = await console.post("/templates/nothing/use", json={})

    assert (answer.status_code, answer.json()["code"]) == (404, "template_not_found")


async def test_pages_of_apps_join_without_gap_or_repeat(console: AsyncClient):
    names = [f"App {number}" for number in range(5)]
    for name in names:
        await add_app(console, name=name)

    first = (await console.get("/apps", params={"limit": 3})).json()
    second = (await console.get("/apps", params={"limit": 3, "cursor": first["next_cursor"]})).json()

    assert [app["name"] for app in first["items"] + second["items"]] == names[::-1]
    assert second["next_cursor"] is None


async def test_search_looks_into_names_and_takes_signs_literally(console: AsyncClient):
    await add_app(console, name="100% done")
    await add_app(console, name="Other")

    found = (await console.get("/apps", params={"query": "0% D"})).json()["items"]
    none = (await console.get("/apps", params={"query": "%"})).json()["items"]

    assert [app["name"] for app in found] == ["100% done"]
    assert [app["name"] for app in none] == ["100% done"]


async def test_a_new_name_is_in_the_export_too(console: AsyncClient):
    app = await add_app(console)

    changed = (await console.patch(f"/apps/{app['id']}", json={"name": "潮汐", "api_enabled": False})).json()
    exported = await console.get(f"/apps/{app['id']}/export")

    assert (changed["name"], changed["api_enabled"], changed["revision"]) == ("潮汐", False, 2)
    assert dsl.read(exported.text).name == "潮汐"
    assert exported.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E6%BD%AE")


async def test_switching_the_api_off_makes_no_new_revision(console: AsyncClient):
    app = await add_app(console)

    changed = (await console.patch(f"/apps/{app['id']}", json={"api_enabled": False})).json()

    assert changed["revision"] == 1


async def test_renaming_a_node_changes_the_export_there_and_nowhere_else(console: AsyncClient):
    app = await add_app(console)
    before = (await console.get(f"/apps/{app['id']}/export")).text

    await console.patch(f"/apps/{app['id']}/nodes/answer", json={"title": "Reply to them"})

    after = (await console.get(f"/apps/{app['id']}/export")).text
    changed = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
    assert len(changed) == 1
    assert changed[0][1].strip() == "title: Reply to them"


async def test_a_node_that_is_not_there_cannot_be_renamed(console: AsyncClient):
    app = await add_app(console)

    answer = await console.patch(f"/apps/{app['id']}/nodes/nobody", json={"title": "x"})

    assert (answer.status_code, answer.json()["code"]) == (404, "node_not_found")


async def test_mapping_models_replaces_what_is_missing(console: AsyncClient):
    app = await add_app(console, model=("langgenius/openai/openai", "gpt-4o"))
    assert app["missing_models"] == [{"provider": "langgenius/openai/openai", "name": "gpt-4o"}]

    mapping = {"from": app["missing_models"][0], "to": {"provider": "demo", "name": "demo"}}
    mapped = await console.put(f"/apps/{app['id']}/models", json={"mappings": [mapping]})

    uses = (await console.get(f"/apps/{app['id']}/models")).json()
    assert mapped.json()["missing_models"] == []
    assert [(use["provider"], use["name"], use["is_available"]) for use in uses] == [("demo", "demo", True)]


async def test_the_graph_has_every_node_and_line_of_the_file(console: AsyncClient):
    app = await add_app(console, IF_ELSE_FLOW)

    graph = (await console.get(f"/apps/{app['id']}/graph")).json()

    assert {node["id"] for node in graph["nodes"]} == {"start", "branch", "yes", "no"}
    assert {(edge["source"], edge["handle"], edge["target"]) for edge in graph["edges"]} == {
        ("start", "source", "branch"),
        ("branch", "true", "yes"),
        ("branch", "false", "no"),
    }


async def test_parameters_are_the_draft_form(console: AsyncClient):
    app = await add_app(console, IF_ELSE_FLOW)

    parameters = (await console.get(f"/apps/{app['id']}/parameters")).json()

    assert [list(field) for field in parameters["user_input_form"]] == [["text-input"]]
    assert parameters["system_parameters"]["file_size_limit"] == 15


async def test_publishing_numbers_versions_and_repeats_none_without_changes(console: AsyncClient):
    app = await add_app(console)
    first = (await console.post(f"/apps/{app['id']}/publish", json={"note": "first"})).json()
    same = (await console.post(f"/apps/{app['id']}/publish", json={})).json()
    await console.patch(f"/apps/{app['id']}/nodes/answer", json={"title": "New"})
    second = (await console.post(f"/apps/{app['id']}/publish", json={})).json()

    now = (await console.get(f"/apps/{app['id']}")).json()

    assert [first["number"], same["number"], second["number"]] == [1, 1, 2]
    assert same["version_id"] == first["version_id"]
    assert (now["is_published"], now["has_unpublished_changes"]) == (True, False)


async def test_a_deleted_app_is_gone_with_its_keys_and_versions(console: AsyncClient):
    app = await add_app(console)
    await console.post(f"/apps/{app['id']}/publish", json={})
    await console.post(f"/apps/{app['id']}/keys", json={})

    deleted = await console.delete(f"/apps/{app['id']}")

    assert deleted.status_code == 204
    assert (await console.get(f"/apps/{app['id']}")).status_code == 404
    assert (await console.get(f"/apps/{app['id']}/keys")).status_code == 404


async def test_a_member_may_look_and_not_change(console: AsyncClient, onlooker: Person):
    app = await add_app(console)

    looked = await onlooker.browser.get(f"/apps/{app['id']}")
    changed = await onlooker.browser.patch(f"/apps/{app['id']}", json={"name": "Mine"})
    made = await onlooker.browser.post("/templates/question-router/use", json={})

    assert looked.status_code == 200
    assert (changed.status_code, changed.json()["code"]) == (403, "forbidden")
    assert made.status_code == 403


async def test_another_workspace_sees_nothing_of_an_app(console: AsyncClient, stranger: Person):
    app: dict[str, Any] = await add_app(console)

    listed = (await stranger.browser.get("/apps")).json()["items"]
    read = await stranger.browser.get(f"/apps/{app['id']}")
    over = await stranger.browser.post("/apps/import", json={"content": IF_ELSE_FLOW, "app_id": app["id"]})

    assert listed == []
    assert (read.status_code, read.json()["code"]) == (404, "app_not_found")
    assert over.status_code == 404


async def test_an_id_that_is_none_is_refused_with_its_name(console: AsyncClient):
    answer = await console.get("/apps/not-an-id")

    assert (answer.status_code, answer.json()["params"]) == (422, "app_id")


async def test_an_unknown_app_is_not_found(console: AsyncClient):
    assert (await console.get(f"/apps/{uuid4()}")).status_code == 404
