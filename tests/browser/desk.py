"""A person in front of the console: what they open, see and complain about."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Literal, cast

from playwright.async_api import Browser, ConsoleMessage, Page, Response

ROOT = Path(__file__).parents[2]
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice")
START_S = 30.0
EMAIL, PASSWORD = "ada@example.com", "tide-and-mill-1"


@dataclass(frozen=True)
class Looks:
    language: Literal["en", "zh-Hans"] = "en"
    theme: Literal["light", "dark"] = "light"
    width: int = 1360
    height: int = 860

    @property
    def name(self) -> str:
        return f"{self.theme}-{self.language}"


# Each theme and each language once; every pair of them when pictures are wanted.
_EVERY_LOOK = (Looks("en", "light"), Looks("zh-Hans", "dark"), Looks("zh-Hans", "light"), Looks("en", "dark"))
LOOKS = _EVERY_LOOK if os.environ.get("TIDEMILL_SHOTS") else _EVERY_LOOK[:2]


@dataclass
class Server:
    """A running server, and a signed-in client of its console API."""

    url: str
    _csrf: str = ""
    _opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    )

    def call(self, method: str, path: str, body: object = None) -> Any:
        """A request of the console API, as the signed-in owner."""
        request = urllib.request.Request(
            f"{self.url}/console/api{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-CSRF-Token": self._csrf},
        )
        with self._opener.open(request, timeout=60) as response:
            content = response.read()
        return json.loads(content) if content else None

    def own(self) -> None:
        """Make the owner's account, or sign in where it is there, without the page."""
        credentials = {"email": EMAIL, "password": PASSWORD}
        is_done = self.call("GET", "/setup")["is_done"]
        me = self.call("POST", "/session" if is_done else "/setup", credentials)
        self._csrf = me["csrf_token"]

    def chat(self, app_id: str, query: str, conversation_id: str | None = None) -> str:
        """Ask the draft of an app, read the answer to its end, and return the conversation."""
        body = {"query": query, "inputs": {}, **({"conversation_id": conversation_id} if conversation_id else {})}
        request = urllib.request.Request(
            f"{self.url}/console/api/apps/{app_id}/chat",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-CSRF-Token": self._csrf},
        )
        with self._opener.open(request, timeout=60) as response:
            events = [json.loads(line[6:]) for line in response if line.startswith(b"data: ")]
        return next(event["conversation_id"] for event in events if "conversation_id" in event)

    def import_file(self, file: Path) -> str:
        """The id of the app that a file becomes, also when it asks for a confirmation first."""
        result = self.call("POST", "/apps/import", {"content": file.read_text("utf-8-sig")})
        if result["status"] == "pending":
            result = self.call("POST", f"/apps/import/{result['import_id']}/confirm", {})
        return cast(str, result["app"]["id"])


@contextmanager
def running_server(data: Path) -> Generator[Server]:
    """`tidemill serve` as a process, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tidemill.cli", "serve", "--port", str(port), "--data", str(data)]
    log = data.with_suffix(".log")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "OLLAMA_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=data, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, log)
        yield Server(url)
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends_at = time.monotonic() + START_S
    while time.monotonic() < ends_at:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"The server did not answer within {START_S} s:\n{log.read_text()}")


class Desk:
    """One page of the browser, with everything it complained about."""

    def __init__(self, page: Page, server: Server, looks: Looks) -> None:
        self.page = page
        self.looks = looks
        self._server = server
        self._complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._complaints.append(f"uncaught: {error}"))
        page.on("response", self._see)

    @classmethod
    @asynccontextmanager
    async def opened(cls, browser: Browser, server: Server, looks: Looks) -> AsyncGenerator[Desk]:
        context = await browser.new_context(
            viewport={"width": looks.width, "height": looks.height},
            locale=looks.language,
            color_scheme=looks.theme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        yield cls(await context.new_page(), server, looks)
        await context.close()

    async def sign_in(self) -> None:
        """Sign in as the owner and give the account this language and theme."""
        await self.open("/signin")
        await self.page.evaluate(
            """async ([credentials, wishes]) => {
                const post = (path, method, body, headers) => fetch(`/console/api${path}`, {
                    method, body: JSON.stringify(body), headers: {"content-type": "application/json", ...headers},
                });
                const me = await (await post("/session", "POST", credentials)).json();
                await post("/me", "PATCH", wishes, {"x-csrf-token": me.csrf_token});
            }""",
            [
                {"email": EMAIL, "password": PASSWORD},
                {"language": self.looks.language, "theme": self.looks.theme},
            ],
        )

    async def open(self, path: str) -> None:
        await self.page.goto(self._server.url + path)
        await self.page.wait_for_load_state("networkidle")

    async def go(self, path: str) -> None:
        """Go to another view without loading the page again, as a link would."""
        await self.page.evaluate("path => history.pushState(null, '', path)", path)

    async def shoot(self, name: str) -> None:
        """A screenshot for people to look at, where `TIDEMILL_SHOTS` names a folder."""
        if folder := os.environ.get("TIDEMILL_SHOTS"):
            await self.page.screenshot(path=f"{folder}/{self.looks.name}-{name}.png", animations="disabled")

    async def violations(self) -> list[str]:
        """What axe finds wrong with the page, one line each."""
        if not await self.page.evaluate("'axe' in window"):
            # A policy that forbids foreign scripts does not bind the test, which evaluates in the page.
            await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(result => result.violations)",
            list(AXE_TAGS),
        )
        return [
            f"{each['id']}: {each['help']} ({', '.join(' '.join(node['target']) for node in each['nodes'][:4])})"
            for each in cast(list[dict[str, Any]], found)
        ]

    def assert_no_complaints(self) -> None:
        assert not self._complaints, "\n".join(self._complaints)

    def expect_refusal(self, status: int) -> None:
        """Forget the refusals of this status: the test asked for them."""
        self._complaints = [line for line in self._complaints if str(status) not in line.split()]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"{message.type}: {message.text}")

    def _see(self, response: Response) -> None:
        if response.status >= 400:
            self._complaints.append(f"answered {response.status} {response.url}")
