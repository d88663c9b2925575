"""Keys of apps: made once, listed without secrets, revoked at once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from support.apps import add_app
from support.installation import Installation, Person
from tidemill.domains.api_keys import service
from tidemill.domains.api_keys.models import ApiKey
from tidemill.kit.db import now


@pytest.fixture
async def keys(console: AsyncClient) -> str:
    """Where the keys of an app are."""
    return f"/apps/{(await add_app(console))['id']}/keys"


async def test_a_key_has_the_known_form_and_is_shown_once(console: AsyncClient, keys: str):
    issued = await console.post(keys, json={"name": "ci"})

    secret = issued.json()["secret"]
    listed = await console.get(keys)
    assert issued.status_code == 201
    assert re.fullmatch(r"app-[A-Za-z0-9]{24}", secret)
    assert secret not in listed.text
    assert [(key["name"], key["hint"]) for key in listed.json()] == [("ci", secret[-4:])]


async def test_only_the_digest_is_stored(installation: Installation, console: AsyncClient, keys: str):
    secret = (await console.post(keys, json={})).json()["secret"]

    async with installation.app.state.database.session() as db:
        row = (await db.scalars(select(ApiKey))).one()
        assert secret not in str(vars(row))
        assert (await service.find(db, secret)) is row


async def test_a_key_that_clients_have_already_can_be_kept(installation: Installation, console: AsyncClient, keys: str):
    value = "app-0123456789abcdefABCDEF01"

    kept = await console.post(keys, json={"value": value})
    twice = await console.post(keys, json={"value": value})

    async with installation.app.state.database.session() as db:
        assert await service.find(db, value) is not None
    assert kept.json()["secret"] == value
    assert (twice.status_code, twice.json()["code"]) == (409, "api_key_taken")


@pytest.mark.parametrize("value", ["app-short", "dataset-0123456789abcdefABCDEF01", "app-0123456789 abcdefABCDEF0"])
async def test_a_value_of_another_form_is_refused(console: AsyncClient, keys: str, value: str):
    answer = await console.post(keys, json={"value": value})

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_api_key")


async def test_an_app_has_ten_keys_at_most(console: AsyncClient, keys: str):
    answers = [(await console.post(keys, json={})).status_code for _ in range(11)]

    assert answers == [201] * 10 + [409]


async def test_a_revoked_key_is_unknown_at_once(installation: Installation, console: AsyncClient, keys: str):
    issued = (await console.post(keys, json={})).json()

    revoked = await console.delete(f"{keys}/{issued['key']['id']}")

    async with installation.app.state.database.session() as db:
        assert await service.find(db, issued["secret"]) is None
    assert revoked.status_code == 204
    assert (await console.delete(f"{keys}/{issued['key']['id']}")).status_code == 404


async def test_the_time_of_use_moves_once_a_minute(installation: Installation, console: AsyncClient, keys: str):
    secret = (await console.post(keys, json={})).json()["secret"]
    database = installation.app.state.database
    times = []
    for age in (timedelta(0), timedelta(seconds=59), timedelta(seconds=61)):
        async with database.session() as db:
            if times:
                await db.execute(update(ApiKey).values(last_used_at=now() - age))
            before = (await db.scalars(select(ApiKey.last_used_at))).one()
            key = await service.find(db, secret)
            assert key is not None
            await service.touch(db, key.id)
        async with database.session() as db:
            times.append((await db.scalars(select(ApiKey.last_used_at))).one() != before)

    assert times == [True, False, True]


async def test_a_member_neither_sees_nor_makes_keys(console: AsyncClient, onlooker: Person, keys: str):
    assert (await onlooker.browser.get(keys)).status_code == 403
    assert (await onlooker.browser.post(keys, json={})).status_code == 403


async def test_another_workspace_finds_no_keys(console: AsyncClient, stranger: Person, keys: str):
    issued = (await console.post(keys, json={})).json()

    assert (await stranger.browser.get(keys)).status_code == 404
    assert (await stranger.browser.post(keys, json={})).status_code == 404
    assert (await stranger.browser.delete(f"{keys}/{issued['key']['id']}")).status_code == 404
