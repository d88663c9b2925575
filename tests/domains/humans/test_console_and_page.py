"""Forms in the console and behind their link: listed, answered, and hidden from everybody else."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient, Response

from domains.humans.flows import COMMENT, MAIL, approval
from domains.humans.people import Waiting, asked
from support.installation import Installation, Person
from support.served import Served

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")


async def forms_of(person: Person, query: str = "") -> list[dict[str, Any]]:
    answer = await person.browser.get(f"/human-forms{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_waiting_forms_are_listed_with_their_links_the_most_urgent_first(served: Served, visitor: AsyncClient):
    slow, quick = await served.publish(approval(timeout=9)), await served.publish(approval(timeout=2))
    first, second = await asked(slow), await asked(quick)

    forms = await forms_of(served.owner)
    of_one = await forms_of(served.owner, f"?app_id={slow.app_id}")

    assert [form["run_id"] for form in forms] == [second.run_id, first.run_id]
    assert [form["run_id"] for form in of_one] == [first.run_id]
    assert forms[0]["app_name"] == "Approval"
    assert forms[0]["content"] == "Draft: hello. Note: {{#$output.comment#}}"
    assert forms[0]["link"].startswith("http://console.test/form/")
    page = await visitor.get("/api/form/human_input/" + forms[0]["link"].rpartition("/")[2])
    assert page.status_code == 200


async def test_a_form_without_a_page_is_answered_in_the_console(served: Served):
    app = await served.publish(approval(delivery_methods=[MAIL]))
    waiting = await asked(app)
    (form,) = await forms_of(served.owner)

    refused = await served.owner.browser.post(f"/human-forms/{form['id']}", json={"action": "approve", "inputs": {}})
    body = {"action": "approve", "inputs": {"comment": "by the owner"}}
    answered = await served.owner.browser.post(f"/human-forms/{form['id']}", json=body)
    rest = await waiting.rest()
    read = (await served.owner.browser.get(f"/human-forms/{form['id']}")).json()

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_form_data")
    assert answered.status_code == 204
    assert rest[-1]["data"]["outputs"]["comment"] == "by the owner"
    assert (read["status"], read["action_id"], read["answered_by"]) == ("submitted", "approve", served.owner.email)
    assert read["link"] is None
    assert await forms_of(served.owner) == []


async def test_forms_of_another_workspace_look_absent(served: Served, stranger: Person):
    app = await served.publish(approval())
    waiting = await asked(app)
    form_id = waiting.forms[0]["form_id"]

    answers = [
        await stranger.browser.get(f"/human-forms/{form_id}"),
        await stranger.browser.post(f"/human-forms/{form_id}", json={"action": "approve", "inputs": {"comment": ""}}),
        await stranger.browser.get(f"/runs/{waiting.run_id}/human-forms"),
        await stranger.browser.get(f"/human-forms?app_id={app.app_id}"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert await forms_of(stranger) == []


async def test_a_plain_member_neither_sees_nor_answers_forms(served: Served, onlooker: Person):
    app = await served.publish(approval())
    waiting = await asked(app)
    form_id = waiting.forms[0]["form_id"]

    answers = [
        await onlooker.browser.get("/human-forms"),
        await onlooker.browser.post(f"/human-forms/{form_id}", json={"action": "approve", "inputs": {}}),
    ]

    assert {answer.status_code for answer in answers} == {403}


# ---------------------------------------------------------------- the page


def page(waiting: Waiting, end: str = "") -> str:
    return f"/api/form/human_input/{waiting.token}{end}"


async def test_the_page_reads_the_form_and_who_asks_without_an_account(served: Served, visitor: AsyncClient):
    waiting = await asked(await served.publish(approval()))

    answer = await visitor.get(page(waiting))

    form = answer.json()
    assert form["form_content"] == "Draft: hello. Note: {{#$output.comment#}}"
    assert form["site"]["title"] == "Approval"
    assert "workspace" not in answer.text
    assert waiting.run_id not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_page_answers_once(served: Served, visitor: AsyncClient):
    waiting = await asked(await served.publish(approval()))
    body = {"action": "approve", "inputs": {"comment": "from the page"}}

    first = await visitor.post(page(waiting), json=body)
    second = await visitor.post(page(waiting), json=body)
    rest = await waiting.rest()

    assert (first.status_code, first.json()) == (200, {})
    assert (second.status_code, second.json()["code"]) == (412, "human_input_form_submitted")
    assert rest[-1]["data"]["outputs"]["comment"] == "from the page"


async def test_a_file_is_uploaded_for_one_form_and_no_other(served: Served, visitor: AsyncClient):
    paper = {"type": "file", "output_variable_name": "paper"}
    app = await served.publish(approval(inputs=[COMMENT, paper]))
    waiting, other = await asked(app), await asked(app)
    stored = (await visitor.post(page(waiting, "/files"), files={"file": ("cat.png", PNG, "image/png")})).json()
    reference = {"transfer_method": "local_file", "upload_file_id": stored["id"]}
    body = {"action": "approve", "inputs": {"comment": "", "paper": reference}}

    foreign = await visitor.post(page(other), json=body)
    own = await visitor.post(page(waiting), json=body)

    assert stored["name"] == "cat.png"
    assert foreign.status_code == 400
    assert own.status_code == 200


async def test_a_closed_form_takes_no_files(served: Served, visitor: AsyncClient):
    waiting = await asked(await served.publish(approval()))
    await waiting.answer()

    refused = await visitor.post(page(waiting, "/files"), files={"file": ("cat.png", PNG, "image/png")})

    assert (refused.status_code, refused.json()["code"]) == (412, "human_input_form_submitted")


@pytest.mark.parametrize(
    "token", ["x", "A" * 65, "AaIGKmE7dAO1xUwrta072wJIP3lakUpgx2RqI17CDeEzsmy2xHE6u0pwYOmgWBHXI", "é" * 30]
)
async def test_a_token_that_we_did_not_make_opens_nothing(installation: Installation, token: str):
    async with installation.client() as nobody:
        answers = [
            await nobody.get(f"/api/form/human_input/{token}"),
            await nobody.post(f"/api/form/human_input/{token}", json={"action": "approve", "inputs": {}}),
            await nobody.post(f"/api/form/human_input/{token}/files", files={"file": ("a.txt", b"a", "text/plain")}),
        ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}


async def test_guessing_tokens_is_slowed_down(installation: Installation):
    async with installation.client() as nobody:
        answers: list[Response] = [await nobody.get("/api/form/human_input/x") for _ in range(61)]

    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_attempts")
    assert answers[-1].headers["retry-after"] == "60"


async def test_an_answer_that_is_too_large_is_refused(served: Served, visitor: AsyncClient):
    waiting = await asked(await served.publish(approval()))

    answer = await visitor.post(page(waiting), json={"action": "approve", "inputs": {"comment": "x" * 3_000_000}})

    assert answer.status_code == 413


async def test_neither_database_nor_journal_holds_what_opens_a_form(served: Served):
    waiting = await asked(await served.publish(approval()))

    story = await served.owner.browser.get(f"/runs/{waiting.run_id}")
    async with served.desk.database.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM human_form")).all()

    assert waiting.token not in story.text
    assert waiting.token not in str(rows)
