"""The console in a real browser, on a real server with a data folder of its own and the scripted model.

Screenshots go to the folder that `TIDEMILL_SHOTS` names. Without Chromium nothing here is collected.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from browser.desk import Desk, Looks, Server, running_server
from support.model_server import ModelServer, running_model_server

CHROMIUM = os.environ.get("TIDEMILL_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ABSENT = "Chromium is not on this machine: the browser tests do not run (install it, or name it in TIDEMILL_CHROMIUM)."
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


def pytest_configure(config: pytest.Config) -> None:
    del config
    if CHROMIUM is None and os.environ.get("TIDEMILL_TEST_REQUIRE") == "all":
        raise pytest.UsageError(f"TIDEMILL_TEST_REQUIRE=all, but {ABSENT}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not CHROMIUM:
        terminalreporter.write_line(ABSENT)


@pytest.fixture(scope="session", autouse=True)
def shots() -> None:
    if folder := os.environ.get("TIDEMILL_SHOTS"):
        os.makedirs(folder, exist_ok=True)


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on an empty data folder, one for each file of tests."""
    with running_server(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    assert CHROMIUM is not None
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def desk(browser: Browser, server: Server) -> AsyncIterator[Desk]:
    """A person at the console. The test fails when the page complains about anything."""
    async with Desk.opened(browser, server, Looks()) as desk:
        yield desk
        desk.assert_no_complaints()
