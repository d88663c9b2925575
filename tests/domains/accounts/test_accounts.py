"""Accounts below the page: what the command line asks of them."""

from __future__ import annotations

import pytest

from support.installation import PASSWORD, Installation, Person
from tidemill.domains.accounts import service
from tidemill.domains.accounts.errors import AccountNotFound, EmailTaken, WrongSignIn


async def test_a_new_password_replaces_the_old_one_and_ends_every_session(installation: Installation, owner: Person):
    async with installation.app.state.database.session() as db:
        await service.set_password(db, email=owner.email.upper(), password="another password")

    async with installation.app.state.database.session() as db:
        await service.check_sign_in(db, email=owner.email, password="another password")
        with pytest.raises(WrongSignIn):
            await service.check_sign_in(db, email=owner.email, password=PASSWORD)
    assert (await owner.browser.get("/me")).status_code == 401


async def test_an_address_has_one_account_however_it_is_written(installation: Installation, owner: Person):
    with pytest.raises(EmailTaken):
        async with installation.app.state.database.session() as db:
            await service.create(db, email=f" {owner.email.upper()} ", password=PASSWORD)


async def test_nobody_s_password_cannot_be_set(installation: Installation):
    with pytest.raises(AccountNotFound, match=r"ghost@example\.com"):
        async with installation.app.state.database.session() as db:
            await service.set_password(db, email="ghost@example.com", password=PASSWORD)
