"""The console's API as commands use it: on the data folder, in this process, or on a running server.

Both ways speak the same routes, so a command is written once and does the same as the page does.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientSession, DummyCookieJar
from starlette.types import ASGIApp, Message

from tidemill.api.surfaces import mount_surfaces, open_http
from tidemill.api.tool_services import tool_services
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import read_settings
from tidemill.domains.accounts import service as accounts
from tidemill.domains.model_providers.port import ModelRegistry
from tidemill.domains.workspaces import service as workspaces
from tidemill.domains.workspaces.permissions import COOKIE, CSRF_HEADER
from tidemill.kit.db import Database
from tidemill.kit.faults import StartFault
from tidemill.kit.settings import Settings, with_secret_key
from tidemill.kit.startup import require_start
from tidemill.main import create_app, open_database
from tidemill.migrations.schema import bring_up_to_date

PATH = "/console/api"
NO_OWNER = "There is no owner yet. Make one with: tidemill admin init --email E --password P"


class Transport(Protocol):
    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of one request."""
        ...


class Console:
    """A signed-in caller of the console's API."""

    def __init__(self, transport: Transport, token: str) -> None:
        self._transport = transport
        self._headers = {"Cookie": f"{COOKIE}={token}", "Content-Type": "application/json"}

    async def sign_in(self) -> None:
        """Learn the token that changing requests carry. Ends the command when the session is not one."""
        me = await self.get("/me")
        self._headers[CSRF_HEADER] = me["csrf_token"]

    async def get(self, path: str, **query: str) -> Any:
        return json.loads(await self._send("GET", path, query=query))

    async def text(self, path: str, **query: str) -> str:
        return (await self._send("GET", path, query=query)).decode()

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return json.loads(await self._send("POST", path, body=body or {}))

    async def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return json.loads(await self._send("PATCH", path, body=body))

    async def put(self, path: str, body: Mapping[str, Any]) -> None:
        await self._send("PUT", path, body=body)

    async def delete(self, path: str) -> None:
        await self._send("DELETE", path)

    async def _send(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> bytes:
        target = f"{PATH}{path}{f'?{urlencode(query)}' if query else ''}"
        data = b"" if body is None else json.dumps(body).encode()
        status, answer = await self._transport.send(method, target, self._headers, data)
        if status >= 400:
            raise CommandFailed(_sentence(status, answer))
        return answer


def _sentence(status: int, answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return f"The server answered {status}. Check that the address is Tidemill's."


@asynccontextmanager
async def open_console(data: Path | None, server: str, token: str) -> AsyncGenerator[Console]:
    """The console of the server at `server`, else of the data folder."""
    if server and not token:
        raise CommandFailed("--server needs --token. Print one on the server's machine with: tidemill admin token")
    if server:
        async with ClientSession(cookie_jar=DummyCookieJar()) as http:
            console = Console(_Remote(http, server.rstrip("/")), token)
            await console.sign_in()
            yield console
    else:
        async with _local(read_settings(data)) as console:
            yield console


@asynccontextmanager
async def open_data(settings: Settings) -> AsyncGenerator[tuple[Settings, Database]]:
    """The database of the data folder, up to date. A fault ends the command with the line `serve` would print."""
    try:
        await require_start(settings, with_port=False)
        settings = with_secret_key(settings)
        database = open_database(settings)
        try:
            await bring_up_to_date(database, settings)
            yield settings, database
        finally:
            await database.close()
    except StartFault as fault:
        raise CommandFailed(str(fault)) from fault


@asynccontextmanager
async def _local(settings: Settings) -> AsyncGenerator[Console]:
    async with open_data(settings) as (ready, database), ClientSession(cookie_jar=DummyCookieJar()) as http:
        async with database.session() as db:
            owner = await workspaces.first(db)
            if owner is None:
                raise CommandFailed(NO_OWNER)
            _, token = await accounts.open_session(db, owner.account_id, days=1)
        app = create_app(ready)
        # What a server's start would add, less what runs apps.
        mount_surfaces(app, ready)
        app.state.database = database
        app.state.models = ModelRegistry(database, app.state.vault, http, ollama_url=ready.ollama_host)
        try:
            async with (
                await open_http(ready) as sessions,
                tool_services(ready, database, app.state.vault, sessions.http) as (tools, _),
            ):
                app.state.tools = tools
                console = Console(_InProcess(app, ready), token)
                await console.sign_in()
                yield console
        finally:
            async with database.session() as db:
                await accounts.close_session(db, token)


class _Remote:
    def __init__(self, http: ClientSession, server: str) -> None:
        self._http = http
        self._server = server

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            async with self._http.request(method, self._server + path, headers=headers, data=body) as response:
                return response.status, await response.read()
        except (ClientError, OSError, ValueError) as error:
            raise CommandFailed(f"{self._server} cannot be reached: {error}. Check --server.") from error


class _InProcess:
    """Calls the application directly, without a socket."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._prefix = settings.path_prefix

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(path)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": self._prefix + parts.path,
            "raw_path": (self._prefix + parts.path).encode(),
            "query_string": parts.query.encode(),
            "root_path": self._prefix,
            "headers": [(b"host", b"127.0.0.1"), *((k.lower().encode(), v.encode()) for k, v in headers.items())],
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 80),
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def take(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, take)
        status = next(message["status"] for message in sent if message["type"] == "http.response.start")
        return status, b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
