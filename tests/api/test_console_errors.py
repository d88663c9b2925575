"""The one shape of an error, and that an answer is never better than what was stored."""

from __future__ import annotations

from httpx import AsyncClient
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from support.installation import PASSWORD, Installation
from tidemill.domains.accounts.models import Account


async def test_a_commit_that_fails_answers_500_and_not_success(installation: Installation, visitor: AsyncClient):
    def fail(session: Session) -> None:
        del session
        raise OperationalError("COMMIT", {}, OSError("the disk is full"))

    event.listen(Session, "before_commit", fail)
    try:
        answer = await visitor.post("/console/api/setup", json={"email": "ada@example.com", "password": PASSWORD})
    finally:
        event.remove(Session, "before_commit", fail)

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_server_error"
    assert "set-cookie" not in answer.headers
    async with installation.app.state.database.session() as db:
        assert (await db.scalars(select(func.count()).select_from(Account))).one() == 0


async def test_an_unknown_address_of_the_api_is_not_found_in_the_envelope(visitor: AsyncClient):
    answer = await visitor.get("/console/api/nothing")

    assert answer.json() == {"code": "not_found", "message": "Not Found", "status": 404}


async def test_a_wrong_method_is_refused_in_the_envelope(visitor: AsyncClient):
    answer = await visitor.put("/console/api/setup")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_a_body_that_is_no_json_is_refused_in_the_envelope(visitor: AsyncClient):
    answer = await visitor.post("/console/api/session", content=b"{", headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_param")


async def test_the_checks_of_doctor_are_shown_to_administrators(console: AsyncClient):
    checks = (await console.get("/system")).json()["checks"]

    assert [check["name"] for check in checks] == ["data folder", "storage", "database"]
    assert all(check["ok"] for check in checks)
