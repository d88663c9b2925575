"""Every route in both themes and both languages: accessible, without a complaint, and with a picture to look at."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from browser.desk import LOOKS, ROOT, Desk, Looks, Server

CHAT = ROOT / "tests" / "fixtures" / "dsl" / "v0.1.2-conversation-memory.yml"
WORKFLOW = ROOT / "tests" / "fixtures" / "dsl" / "start-every-input.yml"


@pytest.fixture(scope="module")
def apps(server: Server) -> dict[str, str]:
    """A chat app with a run on record, and an app with a form. Both use the demo model."""
    server.own()
    ids = {"chat": server.import_file(CHAT), "form": server.import_file(WORKFLOW)}
    for app_id in ids.values():
        uses = server.call("GET", f"/apps/{app_id}/models")
        demo = {"provider": "demo", "name": "demo"}
        mappings = [{"from": {"provider": use["provider"], "name": use["name"]}, "to": demo} for use in uses]
        if mappings:
            server.call("PUT", f"/apps/{app_id}/models", {"mappings": mappings})
    ids["conversation"] = server.chat(ids["chat"], "Call me Ada")
    server.chat(ids["chat"], "What is a tide?", ids["conversation"])
    ids["run"] = server.call("GET", f"/apps/{ids['chat']}/runs?limit=1")["items"][0]["id"]
    return ids


def _routes(apps: dict[str, str]) -> dict[str, str]:
    chat = f"/apps/{apps['chat']}"
    return {
        "apps": "/apps",
        "chat-new": chat,
        "chat": f"{chat}?conversation={apps['conversation']}",
        "form": f"/apps/{apps['form']}",
        "canvas": f"{chat}/canvas",
        "canvas-run": f"{chat}/canvas?run={apps['run']}&node=chat",
        "runs": f"{chat}/runs",
        "trace": f"{chat}/runs?run={apps['run']}",
        "api": f"{chat}/api",
        "models": "/settings/models",
        "appearance": "/settings/appearance",
        "system": "/settings/system",
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize("looks", LOOKS, ids=lambda looks: looks.name)
async def test_every_route_is_accessible_and_quiet(
    looks: Looks, browser: Browser, server: Server, apps: dict[str, str]
) -> None:
    found: list[str] = []
    async with Desk.opened(browser, server, looks) as desk:
        await desk.open("/signin")
        found += [f"signin: {line}" for line in await desk.violations()]
        await desk.shoot("signin")
        desk.expect_refusal(401)
        await desk.sign_in()
        for name, path in _routes(apps).items():
            await desk.open(path)
            await expect(desk.page.locator("html")).to_have_attribute("lang", looks.language)
            await expect(desk.page.get_by_role("heading", level=1)).to_have_count(1)
            found += [f"{name}: {line}" for line in await desk.violations()]
            await desk.shoot(name)
        desk.assert_no_complaints()

    assert found == []


async def test_the_chat_works_on_a_narrow_screen(browser: Browser, server: Server, apps: dict[str, str]) -> None:
    async with Desk.opened(browser, server, Looks(width=390, height=800)) as desk:
        await desk.sign_in()
        await desk.open(f"/apps/{apps['chat']}?conversation={apps['conversation']}")
        await desk.shoot("chat-narrow")
        await desk.page.get_by_role("button", name="Conversations").click()
        await desk.page.get_by_role("navigation", name="Conversations").get_by_role("button").first.wait_for()
        width = await desk.page.evaluate("document.documentElement.scrollWidth")
        desk.assert_no_complaints()

    assert width <= 390


async def test_enter_does_not_send_while_a_word_is_being_composed(
    browser: Browser, server: Server, apps: dict[str, str]
) -> None:
    async with Desk.opened(browser, server, Looks("zh-Hans")) as desk:
        await desk.sign_in()
        await desk.open(f"/apps/{apps['chat']}")
        box = desk.page.get_by_role("textbox").last
        await box.focus()
        session = await desk.page.context.new_cdp_session(desk.page)
        await session.send("Input.imeSetComposition", {"text": "ni", "selectionStart": 2, "selectionEnd": 2})
        await session.send(
            "Input.dispatchKeyEvent", {"type": "keyDown", "key": "Enter", "windowsVirtualKeyCode": 229, "code": "Enter"}
        )
        assert await desk.page.locator("article").count() == 0
        await session.send("Input.insertText", {"text": "你好"})
        assert await box.input_value() == "你好"
        await box.press("Enter")
        await desk.page.locator("article").wait_for()
        desk.assert_no_complaints()
