"""The page behind a form's link: read, filled in and sent by somebody without an account, and what it says later."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from browser.desk import LOOKS, Desk, Looks, Server
from domains.humans.flows import APPROVE, REJECT, approval

COLORS = ["red", "green", "blue"]
FORM: dict[str, Any] = {
    "form_content": (
        "# Please read\n\nThe draft says **{{#start.x#}}**.\n\n{{#$output.comment#}}\n\n"
        "| what | how many |\n|---|---|\n| pages | 3 |\n\nNow choose:"
    ),
    "inputs": [
        {
            "type": "paragraph",
            "output_variable_name": "comment",
            "default": {"type": "constant", "selector": [], "value": "Looks good"},
        },
        {
            "type": "select",
            "output_variable_name": "color",
            "option_source": {"type": "constant", "selector": [], "value": COLORS},
        },
        {"type": "file-list", "output_variable_name": "pages", "number_limits": 3, "allowed_file_types": ["document"]},
    ],
    "user_actions": [APPROVE, REJECT],
}
WORDS = {
    "en": {
        "missing": "Choose one.",
        "sent": "Thank you, your answer was sent",
        "submitted": "This form was answered already",
        "absent": "There is no such form",
        "add": "Add files (at most 3)",
        "open": "Open the form",
    },
    "zh-Hans": {
        "missing": "请选择一项。",
        "sent": "谢谢，您的回复已提交",
        "submitted": "此表单已有人提交",
        "absent": "没有这个表单",
        "add": "添加文件（最多 3 个）",
        "open": "打开表单",
    },
}


@dataclass(frozen=True)
class Asking:
    """An app that asks, and the server it is on."""

    server: Server
    app_id: str

    def ask(self) -> tuple[str, str]:
        """Start a run; its id, and the path of its form's page."""
        request = urllib.request.Request(
            f"{self.server.url}/console/api/apps/{self.app_id}/run",
            data=json.dumps({"inputs": {"x": "hello"}}).encode(),
            headers={"Content-Type": "application/json", "X-CSRF-Token": self.server._csrf},
        )
        with self.server._opener.open(request, timeout=60) as response:
            events = [json.loads(line[6:]) for line in response if line.startswith(b"data: {")]
        (token,) = [event["data"]["form_token"] for event in events if event["event"] == "human_input_required"]
        return events[0]["workflow_run_id"], f"/form/{token}"

    def run(self, run_id: str) -> dict[str, Any]:
        return self.server.call("GET", f"/runs/{run_id}")["run"]


@pytest.fixture(scope="module")
def asking(server: Server) -> Asking:
    server.own()
    body = {"content": json.dumps(approval(**FORM))}
    return Asking(server, server.call("POST", "/apps/import", body)["app"]["id"])


async def ended(page: Page, words: dict[str, str], name: str) -> None:
    await expect(page.get_by_role("status")).to_contain_text(words[name])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("looks", LOOKS, ids=lambda looks: looks.name)
async def test_a_form_is_answered_by_somebody_without_an_account(
    looks: Looks, browser: Browser, server: Server, asking: Asking, tmp_path: Path
) -> None:
    words = WORDS[looks.language]
    run_id, path = asking.ask()
    paper = tmp_path / "page.txt"
    paper.write_text("one page")
    async with Desk.opened(browser, server, looks) as desk:
        await desk.open(path)
        await expect(desk.page.get_by_role("heading", level=1)).to_have_text("Approval")
        await expect(desk.page.locator("html")).to_have_attribute("lang", looks.language)
        await desk.shoot("human-form")
        found = await desk.violations()
        await desk.page.get_by_role("button", name="Approve").click()
        await expect(desk.page.get_by_text(words["missing"])).to_be_visible()
        await desk.page.get_by_label("comment").fill("Well done")
        await desk.page.get_by_label("color").click()
        await desk.page.get_by_role("option", name="green").click()
        async with desk.page.expect_file_chooser() as chooser:
            await desk.page.get_by_role("button", name=words["add"]).click()
        await (await chooser.value).set_files(str(paper))
        await expect(desk.page.get_by_text("page.txt")).to_be_visible()
        await desk.shoot("human-form-filled")
        found += await desk.violations()
        await desk.page.get_by_role("button", name="Approve").click()
        await ended(desk.page, words, "sent")
        await desk.shoot("human-form-sent")
        found += await desk.violations()
        await desk.open(path)
        await ended(desk.page, words, "submitted")
        desk.expect_refusal(412)
        await desk.open("/form/nonsense")
        await ended(desk.page, words, "absent")
        desk.expect_refusal(404)
        desk.assert_no_complaints()

    assert found == []
    assert asking.run(run_id)["outputs"] == {"comment": "Well done", "action": "Approve"}


async def test_a_form_is_answered_with_the_keyboard_alone(browser: Browser, server: Server, asking: Asking) -> None:
    run_id, path = asking.ask()
    async with Desk.opened(browser, server, Looks()) as desk:
        await desk.open(path)
        await desk.page.get_by_label("comment").focus()
        keyboard = desk.page.keyboard
        await keyboard.press("Control+A")
        await keyboard.type("No")
        # The table in between scrolls, so it is a stop of its own.
        await keyboard.press("Tab")
        await keyboard.press("Tab")
        await expect(desk.page.get_by_label("color")).to_be_focused()
        await keyboard.press("Enter")
        await expect(desk.page.get_by_role("option", name="green")).to_be_visible()
        await keyboard.press("g")
        await expect(desk.page.get_by_role("option", name="green")).to_be_focused()
        await keyboard.press("Enter")
        await expect(desk.page.get_by_label("color")).to_contain_text("green")
        await expect(desk.page.get_by_label("color")).to_be_focused()
        await keyboard.press("Tab")
        await expect(desk.page.get_by_role("button", name="Add files")).to_be_focused()
        await keyboard.press("Tab")
        await keyboard.press("Tab")
        await expect(desk.page.get_by_role("button", name="Reject")).to_be_focused()
        await keyboard.press("Enter")
        await ended(desk.page, WORDS["en"], "sent")
        desk.assert_no_complaints()

    assert asking.run(run_id)["outputs"] == {"comment": "No"}


async def test_the_page_fits_a_narrow_screen(browser: Browser, server: Server, asking: Asking) -> None:
    _, path = asking.ask()
    async with Desk.opened(browser, server, Looks(width=360, height=700)) as desk:
        await desk.open(path)
        await desk.page.get_by_label("comment").wait_for()
        await desk.shoot("human-form-narrow")
        width = await desk.page.evaluate("document.documentElement.scrollWidth")
        desk.assert_no_complaints()

    assert width <= 360


@pytest.mark.parametrize("looks", LOOKS, ids=lambda looks: looks.name)
async def test_a_paused_runs_trace_leads_to_its_form(
    looks: Looks, browser: Browser, server: Server, asking: Asking
) -> None:
    run_id, path = asking.ask()
    async with Desk.opened(browser, server, looks) as desk:
        await desk.sign_in()
        await desk.open(f"/apps/{asking.app_id}/runs?run={run_id}")
        link = desk.page.get_by_role("link", name=WORDS[looks.language]["open"])
        address = await link.get_attribute("href")
        await desk.shoot("human-trace")
        found = await desk.violations()
        desk.assert_no_complaints()

    assert address == server.url + path
    assert found == []
