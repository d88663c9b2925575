"""The main job from the first page to a call by HTTP, as one person does it."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Page, expect

from browser.desk import EMAIL, PASSWORD, Desk, Server
from support.model_server import ModelServer

APP = Path(__file__).parents[1] / "fixtures" / "dsl" / "v0.1.2-conversation-memory.yml"
MODEL = "mock-20ms"
ANSWER = """## Tides

The sea rises **twice** a day. Why?

- the moon pulls the water
- the earth turns under it

| place | range |
| --- | --- |
| Fundy | 16 m |

```python
print("tide")
```
"""
LONG = " ".join(f"word{number}" for number in range(400))
STOP_S = 1.0


async def test_the_main_job_from_first_page_to_http_call(desk: Desk, server: Server, models: ModelServer) -> None:
    models.script({"match": "tide", "reply": ANSWER}, {"match": "long", "reply": LONG})
    page = desk.page

    await _create_the_owner(desk)
    await _add_a_model(desk, models)
    await _import_by_drop(desk)
    await _chat(desk)
    await _stop(desk)
    await _continue_after_reload(desk)
    await _look_at_the_run(desk)
    await _look_at_the_canvas(desk)
    secret = await _publish_and_make_a_key(desk)

    assert "word0" in _ask_by_http(server, secret, "A long story, please")
    await page.get_by_role("link", name="Runs", exact=True).click()
    await expect(page.get_by_role("row").filter(has_text="API").first).to_be_visible()


async def _create_the_owner(desk: Desk) -> None:
    await desk.open("/")
    page = desk.page
    await page.get_by_label("Email").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await desk.shoot("story-1-account")
    await page.get_by_role("button", name="Create account").click()


async def _add_a_model(desk: Desk, models: ModelServer) -> None:
    page = desk.page
    await page.get_by_role("button", name="OpenAI-compatible").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Base URL").fill(models.base_url)
    await dialog.get_by_label("API key").fill("sk-test")
    await dialog.get_by_role("button", name="Test").click()
    await expect(dialog.get_by_text("It works")).to_be_visible()
    await dialog.get_by_role("button", name="Save").click()
    await dialog.get_by_label("Name of the model").fill(MODEL)
    await dialog.get_by_label("Window (tokens)").fill("8192")
    await desk.shoot("story-2-model")
    await dialog.get_by_role("button", name="Add model").click()
    await expect(page.get_by_role("heading", name="Your first app")).to_be_visible()
    await page.get_by_role("link", name="Go to the app list").click()


async def _import_by_drop(desk: Desk) -> None:
    page = desk.page
    await expect(page.get_by_role("heading", name="Apps", level=1)).to_be_visible()
    transfer = await page.evaluate_handle(
        """([name, content]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([content], name, {type: "text/yaml"}));
            return transfer;
        }""",
        [APP.name, APP.read_text()],
    )
    await page.dispatch_event("main", "dragenter", {"dataTransfer": transfer})
    await desk.shoot("story-3-drop")
    await page.dispatch_event("main", "drop", {"dataTransfer": transfer})
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("a model you do not have")).to_be_visible()
    await desk.shoot("story-4-import")
    await dialog.get_by_role("button", name="Use this model").click()
    await expect(page.get_by_role("heading", name="Remembers your name", level=1)).to_be_visible()


async def _chat(desk: Desk) -> None:
    page = desk.page
    await expect(page.get_by_text("Hello! What is your name?")).to_be_visible()
    await desk.shoot("story-5-opening")
    await page.get_by_role("button", name="Call me Ada").click()
    await expect(page.get_by_role("heading", name="Answer", exact=True)).to_have_count(1)
    await _idle(page)

    await _ask(page, "Tell me about the tide")
    await expect(page.get_by_text("Stop", exact=True)).to_be_visible()
    await expect(page.get_by_role("heading", name="Tides")).to_be_visible()
    await desk.shoot("story-6-streaming")
    await _idle(page)
    await expect(page.get_by_role("cell", name="16 m")).to_be_visible()
    await expect(page.get_by_role("article").last.get_by_text('print("tide")')).to_be_visible()
    steps = page.get_by_role("button", name="steps").last
    await steps.click()
    await expect(page.get_by_text("of a window of 8,192 tokens")).to_be_visible()
    await expect(page.get_by_text("tokens in").last).to_be_visible()
    await desk.shoot("story-7-steps")
    await steps.click()


async def _stop(desk: Desk) -> None:
    page = desk.page
    await _ask(page, "A long story, please")
    await expect(page.get_by_role("article").get_by_text("word20")).to_be_visible()
    stopped_at = time.monotonic()
    await page.get_by_text("Stop", exact=True).click()
    await expect(page.get_by_text("Stopped. What came before is kept.")).to_be_visible()
    assert time.monotonic() - stopped_at < STOP_S
    kept = await page.get_by_role("article").get_by_text("word20").inner_text()
    await expect(page.get_by_role("article").get_by_text("word20")).to_have_text(kept)
    assert "word399" not in kept
    await desk.shoot("story-8-stopped")


async def _continue_after_reload(desk: Desk) -> None:
    page = desk.page
    await page.reload()
    await expect(page.get_by_role("heading", name="Tides")).to_be_visible()
    await expect(page.get_by_role("article").get_by_text("word20")).to_be_visible()
    await _ask(page, "The tide once more")
    await expect(page.get_by_role("heading", name="Tides")).to_have_count(2)
    await _idle(page)
    await desk.shoot("story-9-continued")


async def _look_at_the_run(desk: Desk) -> None:
    page = desk.page
    await page.get_by_role("link", name="Full trace").last.click()
    await expect(page.get_by_role("heading", name="Nodes by time")).to_be_visible()
    await page.get_by_role("list", name="Nodes by time").get_by_role("button").filter(has_text="Chat").click()
    await page.get_by_role("tab", name="Usage").click()
    await expect(page.get_by_text("of a window of 8,192 tokens")).to_be_visible()
    await page.get_by_role("tab", name="Prompt").click()
    await expect(page.get_by_role("tabpanel").get_by_text("The tide once more")).to_be_visible()
    await desk.shoot("story-10-trace")
    await page.get_by_role("link", name="Show on the canvas").click()


async def _look_at_the_canvas(desk: Desk) -> None:
    page = desk.page
    start = page.get_by_role("button", name="Start, Start, Succeeded, 0 inputs, 1 output")
    await expect(start).to_be_visible()
    await start.focus()
    await page.keyboard.press("Alt+ArrowRight")
    await expect(page.get_by_role("heading", name="Name known?")).to_be_visible()
    await page.get_by_role("button", name="Rename the node").click()
    await page.get_by_label("Name of the node").fill("Is the name known?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Is the name known?")).to_be_visible()
    await page.get_by_role("button", name="List of nodes and search").click()
    await page.get_by_label("Search in this flow").fill("the name known")
    await page.keyboard.press("Enter")
    await desk.shoot("story-11-canvas")


async def _publish_and_make_a_key(desk: Desk) -> str:
    page = desk.page
    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.get_by_role("button", name="Published")).to_be_visible()
    await page.get_by_role("link", name="API", exact=True).click()
    await page.get_by_role("button", name="Create key").click()
    await page.get_by_role("dialog").get_by_role("button", name="Create key").click()
    secret = await page.get_by_role("dialog").locator("code").inner_text()
    await desk.shoot("story-12-key")
    await page.get_by_role("button", name="I have stored it").click()
    return secret


def _ask_by_http(server: Server, secret: str, query: str) -> str:
    body = {"query": query, "inputs": {}, "user": "curl", "response_mode": "blocking"}
    first = _post(server, secret, body)
    return _post(server, secret, {**body, "conversation_id": first["conversation_id"]})["answer"]


def _post(server: Server, secret: str, body: Mapping[str, object]) -> dict[str, str]:
    request = urllib.request.Request(
        f"{server.url}/v1/chat-messages",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


async def _ask(page: Page, query: str) -> None:
    await page.get_by_label("Your message").fill(query)
    await page.keyboard.press("Enter")


async def _idle(page: Page) -> None:
    await expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=20_000)
