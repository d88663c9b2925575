"""First start, sign-in, sessions, and who one is."""

from __future__ import annotations

from pathlib import Path

from httpx import AsyncClient

from support.installation import PASSWORD, Installation, Person, settings_in, started

OWNER = {"email": "Ada@Example.com", "password": PASSWORD, "name": "Ada"}


async def test_the_first_visitor_becomes_the_owner_and_is_signed_in(visitor: AsyncClient):
    before = (await visitor.get("/console/api/setup")).json()

    made = await visitor.post("/console/api/setup", json=OWNER)

    assert before["is_done"] is False
    assert made.status_code == 201
    me = (await visitor.get("/console/api/me")).json()
    assert me["account"]["email"] == "ada@example.com"
    assert me["role"] == "owner"
    assert (await visitor.get("/console/api/setup")).json()["is_done"] is True


async def test_there_is_no_second_setup(visitor: AsyncClient):
    await visitor.post("/console/api/setup", json=OWNER)

    again = await visitor.post("/console/api/setup", json={**OWNER, "email": "eve@example.com"})

    assert again.status_code == 409
    assert again.json()["code"] == "setup_done"


async def test_a_short_password_is_refused_and_nothing_is_made(visitor: AsyncClient):
    refused = await visitor.post("/console/api/setup", json={**OWNER, "password": "short"})

    assert refused.status_code == 422
    assert refused.json() == {
        "code": "weak_password",
        "message": "A password has 8 to 256 characters. Choose another one.",
        "status": 422,
        "params": "password",
    }
    assert (await visitor.get("/console/api/setup")).json()["is_done"] is False


async def test_a_text_that_is_no_address_is_refused_with_the_field(visitor: AsyncClient):
    refused = await visitor.post("/console/api/setup", json={**OWNER, "email": "nobody"})

    assert refused.status_code == 422
    assert refused.json()["code"] == "invalid_param"
    assert refused.json()["params"] == "email"


async def test_a_reachable_host_asks_for_the_code_printed_at_start(tmp_path: Path, database_settings: dict[str, str]):
    settings = settings_in(tmp_path, TIDEMILL_HOST="0.0.0.0", **database_settings)
    async with started(settings) as running, running.client() as visitor:
        wrong = await visitor.post("/console/api/setup", json={**OWNER, "code": "guess"})
        right = await visitor.post("/console/api/setup", json={**OWNER, "code": running.app.state.setup_gate.code})

    assert wrong.status_code == 403
    assert wrong.json()["code"] == "wrong_setup_code"
    assert right.status_code == 201


async def test_init_password_is_asked_for_on_any_host(tmp_path: Path, database_settings: dict[str, str]):
    settings = settings_in(tmp_path, INIT_PASSWORD="open sesame", **database_settings)
    async with started(settings) as running, running.client() as visitor:
        setup = (await visitor.get("/console/api/setup")).json()
        without = await visitor.post("/console/api/setup", json=OWNER)
        given = await visitor.post("/console/api/setup", json={**OWNER, "code": "open sesame"})

    assert setup["needs_code"] is True
    assert (without.status_code, given.status_code) == (403, 201)


async def test_signing_in_sets_a_cookie_that_scripts_cannot_read(visitor: AsyncClient, owner: Person):
    response = await visitor.post("/console/api/session", json={"email": owner.email, "password": PASSWORD})

    cookie = response.headers["set-cookie"]
    assert response.status_code == 200
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_a_wrong_password_and_an_unknown_address_read_the_same(visitor: AsyncClient, owner: Person):
    wrong = await visitor.post("/console/api/session", json={"email": owner.email, "password": "not it at all"})
    unknown = await visitor.post("/console/api/session", json={"email": "x@example.com", "password": "not it at all"})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_the_eleventh_attempt_in_a_minute_is_refused(visitor: AsyncClient):
    wrong = {"email": "ada@example.com", "password": "not it at all"}
    answers = [(await visitor.post("/console/api/session", json=wrong)).status_code for _ in range(11)]

    assert answers == [401] * 10 + [429]


async def test_a_session_ends_when_one_signs_out(owner: Person):
    ended = await owner.browser.delete("/session")
    after = await owner.browser.get("/me")

    assert ended.status_code == 204
    assert after.status_code == 401


async def test_a_changing_request_without_the_csrf_header_is_refused(owner: Person):
    del owner.browser.headers["X-CSRF-Token"]

    refused = await owner.browser.patch("/me", json={"name": "Eve"})

    assert refused.status_code == 403
    assert refused.json()["code"] == "wrong_csrf_token"


async def test_the_csrf_token_of_another_session_is_refused(owner: Person, stranger: Person):
    owner.browser.headers["X-CSRF-Token"] = stranger.browser.headers["X-CSRF-Token"]

    refused = await owner.browser.patch("/me", json={"name": "Eve"})

    assert refused.status_code == 403


async def test_a_request_made_by_another_site_is_refused(visitor: AsyncClient):
    refused = await visitor.post("/console/api/setup", json=OWNER, headers={"Sec-Fetch-Site": "cross-site"})

    assert refused.status_code == 403
    assert refused.json()["code"] == "cross_site_request"


async def test_name_language_and_theme_are_kept(owner: Person):
    await owner.browser.patch("/me", json={"name": "Ada", "language": "zh-Hans", "theme": "dark"})

    account = (await owner.browser.get("/me")).json()["account"]
    assert (account["name"], account["language"], account["theme"]) == ("Ada", "zh-Hans", "dark")


async def test_the_session_token_is_not_in_the_database(installation: Installation, owner: Person):
    token = owner.browser.cookies["tidemill_session"]

    async with installation.app.state.database.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT digest FROM account_session")).all()

    assert rows
    assert all(token not in row[0] for row in rows)
