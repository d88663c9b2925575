"""A shop with an HTTP API, and an installation that may reach this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from support.installation import settings_in
from support.mcp_site import STDIO
from tidemill.kit.settings import Settings

DOCUMENT = """
openapi: 3.1.0
info: {title: Shop, version: '1', description: Sells nets.}
servers: [{url: ORIGIN}]
paths:
  /items:
    get:
      operationId: findItems
      summary: Find items
      parameters:
      - {name: q, in: query, required: true, schema: {type: string}}
      - {name: limit, in: query, schema: {type: integer, default: 5}}
    post:
      operationId: addItem
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [name], properties: {name: {type: string}, count: {type: integer}}}
  /broken:
    get: {operationId: broken, summary: Always 500}
"""


class Shop:
    """A real HTTP server that remembers what it was asked."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.document = DOCUMENT.replace("ORIGIN", origin)
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        # Set once somebody asks for what is held; that answer never comes.
        self.is_held = asyncio.Event()

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("X-Key") for request in self.seen]


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    found: Shop

    async def answer(request: web.Request) -> web.Response:
        found.seen.append(request)
        found.bodies.append(await request.read())
        if request.path == "/openapi.yaml":
            return web.Response(text=found.document)
        if request.query.get("q") == "held":
            found.is_held.set()
            await asyncio.Event().wait()
        if request.path == "/broken":
            return web.Response(status=500, text="The till is on fire.")
        return web.json_response({"items": [{"name": "net"}], "asked": dict(request.query)})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found = Shop(f"http://127.0.0.1:{runner.addresses[0][1]}")
        yield found
    finally:
        await runner.cleanup()


@pytest.fixture
def settings(tmp_path: Any, database_settings: dict[str, str]) -> Settings:
    """An installation whose administrator lets tools reach this machine and start one program."""
    allowed = {"TIDEMILL_EGRESS_ALLOW": "127.0.0.1", "TIDEMILL_MCP_STDIO_ALLOWED": f"ls; {STDIO}"}
    return settings_in(tmp_path, **database_settings, **allowed)
