"""A local Ollama: found by itself, and its models known by what it tells of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp import web

from support.installation import Person, settings_in, started
from support.postgres import free_port


@pytest_asyncio.fixture
async def ollama() -> AsyncIterator[str]:
    """A server that lists one model and describes it, as Ollama does."""

    async def tags(request: web.Request) -> web.Response:
        del request
        return web.json_response({"models": [{"name": "qwen3:8b"}]})

    async def show(request: web.Request) -> web.Response:
        if (await request.json())["model"] != "qwen3:8b":
            return web.json_response({"error": "model not found"}, status=404)
        info = {"qwen3.context_length": 40960}
        return web.json_response({"model_info": info, "capabilities": ["completion", "tools"]})

    app = web.Application()
    app.add_routes([web.get("/api/tags", tags), web.post("/api/show", show)])
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


@pytest_asyncio.fixture
async def person(tmp_path: Path, database_settings: dict[str, str], ollama: str) -> AsyncIterator[Person]:
    """The owner of an installation beside that Ollama."""
    async with started(settings_in(tmp_path, OLLAMA_HOST=ollama, **database_settings)) as running:
        owner = await running.add_person("owner@example.com")
        async with owner.browser:
            yield owner


async def test_it_is_found_with_its_models(person: Person, ollama: str):
    found = (await person.browser.get("/model-providers/discover")).json()

    assert found == [{"provider": "ollama", "base_url": ollama, "models": ["qwen3:8b"]}]


async def test_a_model_s_window_is_asked_of_the_server(person: Person, ollama: str):
    path = "/model-providers/ollama"
    await person.browser.put(f"{path}/credentials", json={"credentials": {"base_url": ollama}})

    known = await person.browser.post(f"{path}/models", json={"name": "qwen3:8b"})
    unknown = await person.browser.post(f"{path}/models", json={"name": "nobody-knows-this"})

    assert (known.status_code, known.json()["window_tokens"]) == (201, 40960)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "window_required")


async def test_nothing_is_found_where_nothing_answers(tmp_path: Path, database_settings: dict[str, str]):
    settings = settings_in(tmp_path, OLLAMA_HOST=f"127.0.0.1:{free_port()}", **database_settings)
    async with started(settings) as running:
        owner = await running.add_person("owner@example.com")
        found = await owner.browser.get("/model-providers/discover")
        await owner.browser.aclose()

    assert found.json() == []
