"""Column types that read back the same from both databases, and sessions that are one transaction."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, StatementError

from support.installation import Installation, Person
from tidemill.domains.accounts.models import Account, AccountSession
from tidemill.domains.apps.models import App
from tidemill.kit.db import new_id


def _app(person: Person, document: dict[str, Any]) -> App:
    return App(workspace_id=person.member.workspace_id, mode="workflow", name="潮", document=document, secrets={})


async def test_json_keeps_order_and_every_sign(installation: Installation, owner: Person):
    document: dict[str, Any] = {"z": 1, "a": [1.0, None, True], "字": "\u2028 \U0001f30a 'quoted'", "big": 2**70}
    async with installation.app.state.database.session() as db:
        app = _app(owner, document)
        db.add(app)

    async with installation.app.state.database.session() as db:
        read = (await db.scalars(select(App))).one().document

    assert read == document
    assert list(read) == ["z", "a", "字", "big"]


async def test_moments_come_back_aware_and_in_utc(installation: Installation, owner: Person):
    local = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    async with installation.app.state.database.session() as db:
        db.add(AccountSession(account_id=owner.member.account_id, digest="d" * 64, expires_at=local))

    async with installation.app.state.database.session() as db:
        read = (await db.scalars(select(AccountSession.expires_at).where(AccountSession.digest == "d" * 64))).one()

    assert read == local
    assert read.utcoffset() == timedelta(0)


async def test_a_moment_without_a_zone_is_refused(installation: Installation, owner: Person):
    naive = datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)

    with pytest.raises(StatementError, match="time zone"):
        async with installation.app.state.database.session() as db:
            db.add(AccountSession(account_id=owner.member.account_id, digest="d" * 64, expires_at=naive))


async def test_a_block_that_fails_stores_nothing(installation: Installation):
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the failure comes after something was written
        async with installation.app.state.database.session() as db:
            db.add(Account(email="x@example.com", name="x", password_hash="x"))
            await db.flush()
            raise ZeroDivisionError

    async with installation.app.state.database.session() as db:
        assert (await db.scalars(select(func.count()).select_from(Account))).one() == 0


async def test_references_are_kept_by_the_database(installation: Installation):
    with pytest.raises(IntegrityError):
        async with installation.app.state.database.session() as db:
            db.add(AccountSession(account_id=new_id(), digest="d" * 64, expires_at=datetime.now(UTC)))


async def test_many_writers_at_once_all_get_through(installation: Installation):
    async def write(number: int) -> None:
        async with installation.app.state.database.session() as db:
            db.add(Account(email=f"{number}@example.com", name="x", password_hash="x"))

    await asyncio.gather(*(write(number) for number in range(40)))

    async with installation.app.state.database.session() as db:
        assert (await db.scalars(select(func.count()).select_from(Account))).one() == 40


def test_ids_sort_by_the_time_they_were_made():
    ids = [new_id() for _ in range(1000)]

    assert sorted(ids) == ids
