"""The console's files, and where links lead behind a proxy."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient, Response

from support.installation import PASSWORD, settings_in, started
from tidemill.api.pages import BASE_TAG, BUILD_COMMAND, ConsolePages

OWNER = {"email": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A built console in small."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "console.html").write_text(f"<!doctype html><head>{BASE_TAG}</head>")
    (folder / "assets" / "main-1a2b.js").write_text("plain")
    (folder / "assets" / "main-1a2b.js.gz").write_bytes(b"packed")
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


async def _head(static: Path, path: str, *, prefix: str = "", accept: str = "identity") -> Response:
    transport = ASGITransport(ConsolePages(static, prefix=prefix))
    async with AsyncClient(transport=transport, base_url="http://console.test") as client:
        # HEAD: the packed file of these tests is no real one, and the client would unpack it.
        return await client.head(path, headers={"Accept-Encoding": accept})


async def _page(static: Path, path: str, *, prefix: str = "") -> str:
    transport = ASGITransport(ConsolePages(static, prefix=prefix))
    async with AsyncClient(transport=transport, base_url="http://console.test") as client:
        return (await client.get(path)).text


@pytest.mark.parametrize("path", ["/", "/apps", "/app/123/workflow"])
async def test_the_console_s_own_addresses_give_its_page(static: Path, path: str):
    assert BASE_TAG in await _page(static, path)


async def test_the_prefix_is_written_into_the_page(static: Path):
    assert '<base href="/tide/" />' in await _page(static, "/tide/apps", prefix="/tide")


async def test_hashed_files_are_kept_for_a_year_and_sent_packed(static: Path):
    answer = await _head(static, "/assets/main-1a2b.js", accept="br, gzip")

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


async def test_other_files_are_asked_for_again(static: Path):
    answer = await _head(static, "/favicon.svg")

    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/svg+xml", "no-cache")


@pytest.mark.parametrize(
    "path", ["/missing.js", "/../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/manifest.json"]
)
async def test_what_is_not_the_console_s_is_not_found(static: Path, path: str):
    assert (await _head(static, path)).status_code == 404


async def test_without_a_built_console_the_page_shows_the_command_that_mends_it(tmp_path: Path):
    assert escape(BUILD_COMMAND) in await _page(tmp_path / "nothing", "/")


async def test_the_probes_need_no_account(visitor: AsyncClient):
    assert (await visitor.get("/healthz")).json() == {"status": "ok"}
    assert (await visitor.get("/readyz")).json() == {"status": "ok", "checks": {"database": True, "storage": True}}


async def test_pages_and_answers_carry_the_security_headers(visitor: AsyncClient):
    for path in ("/", "/docs", "/console/api/setup"):
        headers = (await visitor.get(path)).headers

        assert "script-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


async def test_the_reference_pages_load_nothing_from_elsewhere(visitor: AsyncClient):
    listed = (await visitor.get("/docs")).text
    page = (await visitor.get("/docs/console")).text

    assert 'href="/docs/console"' in listed
    assert "/console/api/apps" in page
    assert "http://" not in page
    assert "<script" not in page
    assert (await visitor.get("/docs/console/openapi.json")).json()["info"]["title"] == "Tidemill console API"
    assert (await visitor.get("/docs/nothing")).status_code == 404


async def test_links_are_those_of_the_request_without_settings(visitor: AsyncClient):
    made = await visitor.post("/console/api/setup", json=OWNER, headers={"Host": "tide.example"})

    assert made.json()["urls"] == {
        "api": "http://tide.example/v1",
        "openai": "http://tide.example/openai/v1",
        "web": "http://tide.example",
        "files": "http://tide.example",
    }


async def test_the_url_settings_decide_every_link(tmp_path: Path, database_settings: dict[str, str]):
    environ = {
        "SERVICE_API_URL": "https://api.example",
        "APP_WEB_URL": "https://web.example/",
        "FILES_URL": "https://files.example",
        "CONSOLE_WEB_URL": "https://console.example",
    }
    async with started(settings_in(tmp_path, **environ, **database_settings)) as running, running.client() as visitor:
        made = await visitor.post("/console/api/setup", json=OWNER)

    assert made.json()["urls"] == {
        "api": "https://api.example/v1",
        "openai": "https://api.example/openai/v1",
        "web": "https://web.example",
        "files": "https://files.example",
    }
    assert "Secure" in made.headers["set-cookie"]


@pytest.mark.parametrize("sent", ["/tide", ""], ids=["kept", "stripped"])
async def test_a_proxy_may_keep_the_prefix_or_strip_it(tmp_path: Path, database_settings: dict[str, str], sent: str):
    settings = settings_in(tmp_path, TIDEMILL_PATH_PREFIX="/tide", **database_settings)
    async with started(settings) as running, running.client(sent) as visitor:
        ready = await visitor.get("/readyz")
        made = await visitor.post("/console/api/setup", json=OWNER)
        welcome = await visitor.get("/v1/")
        docs = await visitor.get("/docs")

    assert (ready.status_code, made.status_code, welcome.status_code) == (200, 201, 200)
    assert made.json()["urls"]["api"] == "http://console.test/tide/v1"
    assert "Path=/tide" in made.headers["set-cookie"]
    assert 'href="/tide/docs/console"' in docs.text
