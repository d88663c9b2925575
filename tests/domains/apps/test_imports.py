"""Import: what is accepted, what waits, what is refused; and that a refused file leaves nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import func, select, update

from support.apps import IF_ELSE_FLOW, add_app, chat_flow, with_secret
from support.installation import Installation, Person
from tidemill.domains.apps import service
from tidemill.domains.apps.models import App, AppImport, AppVersion
from tidemill.kit.db import now

NEWER = IF_ELSE_FLOW.replace("'0.7.0'", "'99.0.0'")
CYCLE = IF_ELSE_FLOW.replace("target: 'no'", "target: branch")
DANGLING = IF_ELSE_FLOW.replace("target: 'no'", "target: nowhere")
ALIASES = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\nkind: app\n"


async def _count(installation: Installation) -> int:
    async with installation.app.state.database.session() as db:
        counts = [(await db.scalars(select(func.count()).select_from(table))).one() for table in (App, AppImport)]
    return sum(counts)


@pytest.mark.parametrize(
    "content",
    ["", "just a text", "{unclosed: [", "- a\n- list", "kind: app\n", CYCLE, DANGLING, ALIASES, "\x00\x01"],
    ids=["empty", "text", "unclosed", "list", "no-app", "cycle", "dangling-edge", "aliases", "binary"],
)
async def test_a_bad_file_gets_one_sentence_and_leaves_nothing(
    installation: Installation, console: AsyncClient, content: str
):
    answer = await console.post("/apps/import", json={"content": content})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_file")
    assert len(answer.json()["message"]) > 10
    assert await _count(installation) == 0


async def test_a_file_of_a_hundred_megabytes_is_refused_before_it_is_read(
    installation: Installation, console: AsyncClient
):
    answer = await console.post("/apps/import", json={"content": "x" * (17 * 1024 * 1024)})

    assert (answer.status_code, answer.json()["code"]) == (413, "request_entity_too_large")
    assert await _count(installation) == 0


async def test_a_missing_model_is_reported_and_stops_nothing(console: AsyncClient):
    answer = await console.post(
        "/apps/import", json={"content": chat_flow("langgenius/anthropic/anthropic", "claude-x")}
    )

    result = answer.json()
    assert result["status"] == "completed"
    assert result["report"]["missing_models"] == [{"provider": "langgenius/anthropic/anthropic", "name": "claude-x"}]
    assert result["app"]["missing_models"] == result["report"]["missing_models"]


async def test_a_newer_file_waits_until_it_is_confirmed(installation: Installation, console: AsyncClient):
    waiting = (await console.post("/apps/import", json={"content": NEWER, "name": "From the future"})).json()
    listed = (await console.get("/apps")).json()["items"]

    confirmed = await console.post(f"/apps/import/{waiting['import_id']}/confirm")
    again = await console.post(f"/apps/import/{waiting['import_id']}/confirm")

    assert (waiting["status"], waiting["app"], listed) == ("pending", None, [])
    assert waiting["imported_dsl_version"] == "99.0.0"
    assert confirmed.json()["app"]["name"] == "From the future"
    assert again.status_code == 404


async def test_a_waiting_file_is_gone_after_ten_minutes(installation: Installation, console: AsyncClient):
    waiting = (await console.post("/apps/import", json={"content": NEWER})).json()
    async with installation.app.state.database.session() as db:
        await db.execute(update(AppImport).values(expires_at=now() - timedelta(seconds=1)))

    late = await console.post(f"/apps/import/{waiting['import_id']}/confirm")

    assert (late.status_code, late.json()["code"]) == (404, "import_not_found")
    assert "ten minutes" in late.json()["message"]


async def test_nobody_else_can_confirm(console: AsyncClient, stranger: Person):
    waiting = (await console.post("/apps/import", json={"content": NEWER})).json()

    answer = await stranger.browser.post(f"/apps/import/{waiting['import_id']}/confirm")

    assert answer.status_code == 404


async def test_importing_over_an_app_replaces_its_draft(console: AsyncClient):
    app = await add_app(console, IF_ELSE_FLOW)
    changed = IF_ELSE_FLOW.replace("title: Sea", "title: Ocean")

    result = await console.post("/apps/import", json={"content": changed, "app_id": app["id"]})
    same = await console.post("/apps/import", json={"content": changed, "app_id": app["id"]})

    assert (result.json()["app"]["id"], result.json()["app"]["revision"]) == (app["id"], 2)
    assert same.json()["app"]["revision"] == 2


async def test_a_file_of_another_mode_replaces_nothing(console: AsyncClient):
    app = await add_app(console, IF_ELSE_FLOW)

    answer = await console.post("/apps/import", json={"content": chat_flow(), "app_id": app["id"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "mode_mismatch")


async def test_export_import_export_gives_the_same_bytes(console: AsyncClient):
    first = (await console.get(f"/apps/{(await add_app(console))['id']}/export")).content

    again = await add_app(console, first.decode())

    assert (await console.get(f"/apps/{again['id']}/export")).content == first


async def test_unknown_keys_survive(console: AsyncClient):
    app = await add_app(console, IF_ELSE_FLOW + "x_custom: {kept: [1, 2.5, true, null]}\n")

    assert "x_custom:" in (await console.get(f"/apps/{app['id']}/export")).text


async def test_secrets_are_encrypted_at_rest_and_blank_in_the_export(installation: Installation, owner: Person):
    app = await add_app(owner.browser, with_secret("s3cr3t-value"))

    exported = (await owner.browser.get(f"/apps/{app['id']}/export")).text
    full = (await owner.browser.get(f"/apps/{app['id']}/export", params={"include_secrets": True})).text

    async with installation.app.state.database.session() as db:
        row = (await db.scalars(select(App))).one()
        assert "s3cr3t-value" not in f"{row.document}{row.secrets}"
        assert service.environment(installation.app.state.vault, row) == {"TOKEN": "s3cr3t-value"}
    assert "s3cr3t-value" not in exported
    assert "s3cr3t-value" in full


async def test_a_blank_secret_keeps_the_stored_one(installation: Installation, owner: Person):
    app = await add_app(owner.browser, with_secret("s3cr3t-value"))
    blank = with_secret("").replace("title: Sea", "title: Ocean")

    await owner.browser.post("/apps/import", json={"content": blank, "app_id": app["id"]})
    await owner.browser.post(f"/apps/{app['id']}/publish", json={})

    async with installation.app.state.database.session() as db:
        version = (await db.scalars(select(AppVersion))).one()
        assert service.environment(installation.app.state.vault, version) == {"TOKEN": "s3cr3t-value"}


async def test_waiting_files_of_the_past_are_cleared_away(installation: Installation, console: AsyncClient):
    await console.post("/apps/import", json={"content": NEWER})
    async with installation.app.state.database.session() as db:
        await db.execute(update(AppImport).values(expires_at=now() - timedelta(seconds=1)))

    await console.post("/apps/import", json={"content": NEWER})

    assert await _count(installation) == 1
