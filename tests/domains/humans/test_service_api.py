"""Forms through the Service API (reference `service-api.md`, 4, 5.2 and 10.4): asked, answered once, timed out."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from domains.humans.flows import COMMENT, MAIL, approval, beside_a_model, chatflow, for_each, two_people
from domains.humans.people import Waiting, asked
from support.installation import Person
from support.served import Served
from tidemill.domains.humans.models import Form
from tidemill.domains.humans.sweeper import Sweeper
from tidemill.kit.db import now

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")


async def test_a_run_asks_pauses_and_goes_on_under_the_same_id(served: Served):
    app = await served.publish(approval())

    waiting = await asked(app)
    answered = await waiting.answer(comment="Good")
    rest = await waiting.rest()

    assert [event["event"] for event in waiting.events][-2:] == ["human_input_required", "workflow_paused"]
    (form,) = waiting.forms
    assert form["form_content"] == "Draft: hello. Note: {{#$output.comment#}}"
    assert form["inputs"] == [COMMENT]
    assert [action["id"] for action in form["actions"]] == ["approve", "reject"]
    assert form["display_in_ui"] is True
    assert form["expiration_time"] == pytest.approx(time.time() + 36 * 3600, abs=60)
    assert waiting.pause["paused_nodes"] == ["ask"]
    assert waiting.pause["status"] == "paused"
    assert waiting.pause["reasons"][0]["TYPE"] == "human_input_required"
    assert waiting.pause["reasons"][0]["form_token"] == waiting.token
    assert (answered.status, answered.json()) == (200, {})
    assert rest[-1]["event"] == "workflow_finished"
    assert rest[-1]["data"]["id"] == waiting.run_id
    assert rest[-1]["data"]["outputs"] == {"comment": "Good", "action": "Approve"}
    record = await waiting.record()
    assert record["status"] == "succeeded"


async def test_the_whole_story_can_be_read_after_the_answer(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)
    await waiting.answer(comment="Good")

    await waiting.rest()
    story = await served.owner.browser.get(f"/runs/{waiting.run_id}")

    nodes = {node["node_id"]: node for node in story.json()["nodes"]}
    assert [node["status"] for node in nodes.values()] == ["succeeded"] * 3
    assert nodes["ask"]["outputs"]["__rendered_content"] == "Draft: hello. Note: Good"
    assert nodes["ask"]["outputs"]["__action_id"] == "approve"


async def test_the_form_is_read_by_its_token(served: Served):
    default = {"type": "constant", "selector": [], "value": "as is"}
    app = await served.publish(approval(inputs=[{**COMMENT, "default": default}]))
    waiting = await asked(app)

    form = (await app.get(f"/form/human_input/{waiting.token}")).json()

    assert set(form) == {"form_content", "inputs", "resolved_default_values", "user_actions", "expiration_time"}
    assert form["form_content"] == "Draft: hello. Note: {{#$output.comment#}}"
    assert form["resolved_default_values"] == {"comment": "as is"}
    assert form["user_actions"][1] == {"id": "reject", "title": "Reject", "button_style": "default"}


async def test_a_form_that_is_not_delivered_by_page_has_no_token(served: Served):
    app = await served.publish(approval(delivery_methods=[MAIL]))
    waiting = await asked(app)

    hidden = served.desk.form_tokens.of(waiting.forms[0]["form_id"])
    refused = await app.get(f"/form/human_input/{hidden}")

    assert waiting.forms[0]["form_token"] is None
    assert waiting.forms[0]["display_in_ui"] is False
    assert (refused.status, refused.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("action", "inputs", "part"),
    [
        ("maybe", {"comment": "x"}, "maybe"),
        ("", {"comment": "x"}, "approve, reject"),
        ("approve", {}, "comment missing"),
        ("approve", {"comment": 5}, "comment must be text"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_and_the_form_stays_open(
    served: Served, action: str, inputs: dict[str, Any], part: str
):
    app = await served.publish(approval())
    waiting = await asked(app)
    path = f"/form/human_input/{waiting.token}"

    refused = await app.post(path, {"action": action, "inputs": inputs, "user": "eve"})

    assert (refused.status, refused.json()["code"]) == (400, "invalid_form_data")
    assert part in refused.json()["message"]
    assert (await app.get(path)).status == 200
    assert (await waiting.record())["status"] == "paused"


async def test_an_answer_needs_a_user(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)

    refused = await app.post(f"/form/human_input/{waiting.token}", {"action": "approve", "inputs": {"comment": ""}})

    assert (refused.status, refused.json()["code"]) == (400, "invalid_param")


async def test_a_second_answer_is_refused(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)

    first = await waiting.answer(comment="first")
    second = await waiting.answer("reject", comment="second")
    again = await app.get(f"/form/human_input/{waiting.token}")
    rest = await waiting.rest()

    assert first.status == 200
    assert (second.status, second.json()["code"]) == (412, "human_input_form_submitted")
    assert (again.status, again.json()["code"]) == (412, "human_input_form_submitted")
    assert rest[-1]["data"]["outputs"]["comment"] == "first"


async def test_of_many_answers_at_the_same_moment_one_counts(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)

    answers = await asyncio.gather(*(waiting.answer(comment=str(number)) for number in range(8)))
    rest = await waiting.rest()

    assert sorted(answer.status for answer in answers) == [200] + [412] * 7
    winner = next(str(number) for number, answer in enumerate(answers) if answer.status == 200)
    assert rest[-1]["data"]["outputs"]["comment"] == winner


async def test_tokens_of_nobody_and_of_another_app_look_absent(served: Served, stranger: Person):
    app = await served.publish(approval())
    other = await served.publish(approval())
    foreign = await served.publish(approval(), owner=stranger)
    waiting = await asked(app)
    path = f"/form/human_input/{waiting.token}"
    body = {"action": "approve", "inputs": {"comment": ""}, "user": "eve"}
    forged = waiting.token[:-4] + ("AAAA" if not waiting.token.endswith("AAAA") else "BBBB")

    answers = [
        await other.get(path),
        await foreign.get(path),
        await other.post(path, body),
        await foreign.post(path, body),
        await app.get(f"/form/human_input/{forged}"),
        await app.get(f"/form/human_input/{waiting.forms[0]['form_id']}"),
        await app.get("/form/human_input/x"),
    ]

    assert {(answer.status, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert (await waiting.record())["status"] == "paused"


async def test_a_rejection_takes_its_own_branch(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)

    await waiting.answer("reject", comment="no")
    rest = await waiting.rest()

    assert rest[-1]["data"]["outputs"] == {"comment": "no"}


async def test_files_of_an_answer_belong_to_whoever_answers(served: Served):
    paper = {"type": "file", "output_variable_name": "paper", "allowed_file_types": ["image"]}
    document = approval(inputs=[COMMENT, paper])
    document["workflow"]["graph"]["nodes"][2]["data"]["outputs"].append(
        {"variable": "paper", "value_selector": ["ask", "paper"]}
    )
    app = await served.publish(document)
    waiting = await asked(app)
    uploaded = (await app.upload("cat.png", "image/png", PNG, user="eve")).json()
    text = (await app.upload("cat.txt", "text/plain", b"cat", user="eve")).json()

    def reference(upload: dict[str, Any]) -> dict[str, Any]:
        return {"transfer_method": "local_file", "upload_file_id": upload["id"]}

    by_another = await waiting.answer(user="mallory", paper=reference(uploaded))
    of_wrong_kind = await waiting.answer(user="eve", paper=reference(text))
    none = await waiting.answer(user="eve", paper=None)
    taken = await waiting.answer(user="eve", paper=reference(uploaded))
    rest = await waiting.rest()

    assert (by_another.status, by_another.json()["code"]) == (400, "invalid_param")
    assert (of_wrong_kind.status, of_wrong_kind.json()["code"]) == (400, "invalid_form_data")
    assert (none.status, none.json()["code"]) == (400, "invalid_form_data")
    assert taken.status == 200
    assert rest[-1]["data"]["outputs"]["paper"]["filename"] == "cat.png"


# ---------------------------------------------------------------- time


async def expire_now(served: Served, waiting_id: str) -> None:
    """Let a form's time pass, as if somebody had waited."""
    past = now() - timedelta(seconds=1)
    async with served.desk.database.session() as db:
        await db.execute(update(Form).where(Form.id == UUID(waiting_id)).values(expires_at=past, due_at=past))


async def test_a_form_whose_time_has_passed_goes_on_by_its_own_branch(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)
    await expire_now(served, waiting.forms[0]["form_id"])

    late = await waiting.answer()
    await Sweeper(served.desk.database, served.desk.runner.resume).sweep()
    rest = await waiting.rest()
    later = await waiting.answer()

    assert (late.status, late.json()["code"]) == (412, "human_input_form_expired")
    assert rest[-1]["data"]["status"] == "succeeded"
    assert rest[-1]["data"]["outputs"] == {"action": ""}
    assert (later.status, later.json()["code"]) == (412, "human_input_form_expired")


async def test_two_processes_that_find_a_form_late_let_the_run_go_on_once(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)
    await expire_now(served, waiting.forms[0]["form_id"])
    sweepers = [Sweeper(served.desk.database, served.desk.runner.resume) for _ in range(4)]

    await asyncio.gather(*(sweeper.sweep() for sweeper in sweepers))
    await waiting.rest()
    story = await served.owner.browser.get(f"/runs/{waiting.run_id}")

    assert [node["node_id"] for node in story.json()["nodes"]] == ["start", "ask", "late"]


async def test_a_form_waits_for_weeks_by_the_clock_of_the_sweeper(served: Served):
    app = await served.publish(approval(timeout=30, timeout_unit="day"))
    waiting = await asked(app)

    def in_days(days: int) -> Sweeper:
        moment = now() + timedelta(days=days)
        return Sweeper(served.desk.database, served.desk.runner.resume, clock=lambda: moment)

    before, after = await in_days(29).sweep(), await in_days(31).sweep()
    rest = await waiting.rest()

    assert (before, after) == (0, 1)
    assert rest[-1]["data"]["outputs"] == {"action": ""}


async def test_a_time_without_a_branch_of_its_own_ends_the_path(served: Served):
    app = await served.publish(chatflow())
    waiting = await asked(app, "/chat-messages", {"query": "hi", "inputs": {"x": ""}})
    await expire_now(served, waiting.forms[0]["form_id"])

    await Sweeper(served.desk.database, served.desk.runner.resume).sweep()
    rest = await waiting.rest()

    assert rest[-1]["data"]["status"] == "succeeded"


# ---------------------------------------------------------------- branches, blocking, stop


async def test_an_answer_that_comes_while_another_branch_runs_is_taken_up_when_that_has_ended(served: Served):
    app = await served.publish(beside_a_model("mock-50tok-20ms"))
    async with app.stream("/workflows/run", {"inputs": {"x": "hello"}}) as stream:
        form = (await stream.until("human_input_required"))["data"]
        body = {"action": "approve", "inputs": {"comment": "quick"}, "user": "eve"}
        answered = await app.post(f"/form/human_input/{form['form_token']}", body)
        seen = await stream.rest()
    run_id = stream.seen[0]["workflow_run_id"]
    following = await app.get(f"/workflow/{run_id}/events?user=ada&continue_on_pause=true")

    assert answered.status == 200
    assert seen[-1] == "workflow_paused"
    outputs = following.events[-1]["data"]["outputs"]
    assert outputs["comment"] == "quick"
    assert outputs["text"]


async def test_two_forms_are_open_at_once_and_the_run_ends_after_both(served: Served):
    app = await served.publish(two_people())
    waiting = await asked(app)
    tokens = {form["node_id"]: form["form_token"] for form in waiting.forms}

    await waiting.answer(token=tokens["bob"], comment="from bob")
    between = await waiting.rest(is_whole=True)
    still = await waiting.record()
    await waiting.answer(token=tokens["ann"], comment="from ann")
    rest = await waiting.rest()

    pauses = [event["data"] for event in between if event["event"] == "workflow_paused"]
    assert [sorted(pause["paused_nodes"]) for pause in pauses] == [["ann", "bob"], ["ann"]]
    assert [reason["node_id"] for reason in pauses[1]["reasons"]] == ["ann"]
    assert [event["event"] for event in between].count("human_input_required") == 2
    assert still["status"] == "paused"
    assert rest[-1]["data"]["outputs"] == {"ann": "from ann", "bob": "from bob"}


async def test_a_paused_run_leaves_no_task_and_is_held_by_nobody(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)

    held = served.desk.runner.find(UUID(waiting.run_id))
    tasks = [task.get_name() for task in asyncio.all_tasks()]

    assert held is None
    assert [name for name in tasks if waiting.run_id in name] == []


async def test_a_form_in_each_round_of_an_iteration_is_asked_one_after_the_other(served: Served):
    app = await served.publish(for_each())
    waiting = await asked(app)

    await waiting.answer(comment="one")
    between = await waiting.rest(is_whole=True)
    second = [event["data"] for event in between if event["event"] == "human_input_required"][-1]
    await waiting.answer(token=second["form_token"], comment="two")
    rest = await waiting.rest()

    assert waiting.forms[0]["form_content"] == "About a"
    assert second["form_content"] == "About b"
    assert rest[-1]["data"]["outputs"] == {"all": ["one", "two"]}


async def test_blocking_mode_answers_a_pause(served: Served):
    app = await served.publish(approval())

    answer = await app.run({"x": "hello"})

    body = answer.json()
    assert answer.status == 200
    assert body["data"]["status"] == "paused"
    assert body["data"]["outputs"] == {}
    assert body["data"]["finished_at"] is None
    assert body["data"]["paused_nodes"] == ["ask"]
    (reason,) = body["data"]["reasons"]
    assert reason["TYPE"] == "human_input_required"
    assert (await app.get(f"/form/human_input/{reason['form_token']}")).status == 200


async def test_a_chatflow_pauses_with_its_message_open(served: Served):
    app = await served.publish(chatflow())

    blocked = (await app.chat("tea", inputs={"x": ""})).json()
    token = blocked["data"]["reasons"][0]["form_token"]
    path = f"/messages?conversation_id={blocked['conversation_id']}&user=ada"
    open_message = (await app.get(path)).json()["data"][0]
    body = {"action": "approve", "inputs": {"comment": "with milk"}, "user": "eve"}
    await app.post(f"/form/human_input/{token}", body)
    rest = (await app.get(f"/workflow/{blocked['workflow_run_id']}/events?user=ada")).events
    message = (await app.get(path)).json()["data"][0]

    assert blocked["event"] == "workflow_paused"
    assert blocked["answer"] == "One moment. "
    assert blocked["data"]["status"] == "paused"
    assert blocked["data"]["message_id"] == blocked["message_id"]
    assert open_message["answer"] == "One moment. "
    assert rest[-1]["event"] == "workflow_finished"
    assert rest[-1]["message_id"] == blocked["message_id"]
    assert message["id"] == blocked["message_id"]
    assert message["answer"] == "One moment. Approve: with milk"


async def node_statuses(served: Served, waiting: Waiting) -> list[str]:
    story = await served.owner.browser.get(f"/runs/{waiting.run_id}")
    return [node["status"] for node in story.json()["nodes"]]


async def test_a_stopped_run_is_final_and_its_form_closed(served: Served):
    app = await served.publish(approval())
    waiting = await asked(app)
    before = await node_statuses(served, waiting)

    await app.post(f"/workflows/tasks/{waiting.task_id}/stop", {"user": "ada"})
    rest = await waiting.rest()
    late = await waiting.answer()
    read = await app.get(f"/form/human_input/{waiting.token}")

    assert rest[-1]["data"]["status"] == "stopped"
    assert before == ["succeeded", "paused"]
    assert await node_statuses(served, waiting) == ["succeeded", "stopped"]
    assert (late.status, late.json()["code"]) == (412, "human_input_form_expired")
    assert (read.status, read.json()["code"]) == (412, "human_input_form_expired")
    assert (await waiting.record())["status"] == "stopped"


async def test_forms_of_ended_runs_are_closed_for_good(served: Served):
    app = await served.publish(approval())
    waiting, other = await asked(app), await asked(app)
    await app.post(f"/workflows/tasks/{waiting.task_id}/stop", {"user": "ada"})
    await waiting.rest()

    await Sweeper(served.desk.database, served.desk.runner.resume).close_ended()

    browser = served.owner.browser
    stopped = (await browser.get(f"/runs/{waiting.run_id}/human-forms")).json()["items"]
    open_ = (await browser.get(f"/runs/{other.run_id}/human-forms")).json()["items"]
    assert [form["status"] for form in stopped] == ["expired"]
    assert [form["status"] for form in open_] == ["waiting"]
