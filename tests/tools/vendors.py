"""Vendors played by a local server, and a bench that calls tools with real ports."""

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from tidemill.engine.node import RunInfo
from tidemill.engine.values import File, Value
from tidemill.ports import FileUnavailable, Http, HttpRequest, HttpResponse, MediaPart, ToolCall, ToolFailed
from tidemill.tools import builtin
from tidemill.tools.call import Collected, cast_arguments
from tidemill.tools.provider import BoundTool


@dataclass
class Seen:
    """A request as the vendor saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Vendors:
    """Answers requests by "METHOD host/path", in the order given and the last one for ever; keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._answers: dict[str, list[tuple[int, str, bytes]]] = {}
        self._always: bytes | None = None
        app = web.Application(client_max_size=50 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._server = TestServer(app)

    def on(self, what: str, body: Any, *, status: int = 200, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self._answers.setdefault(what, []).append((status, kind, data))

    def always(self, body: Any) -> None:
        """Answer every request with the same JSON."""
        self._always = json.dumps(body).encode()

    async def _answer(self, request: web.Request) -> web.Response:
        key = f"{request.method} {request.rel_url.raw_path[1:]}"
        query = dict(request.query)
        self.seen.append(Seen(request.method, key.split(" ", 1)[1], query, dict(request.headers), await request.read()))
        if self._always is not None:
            return web.Response(body=self._always, content_type="application/json")
        answers = self._answers.get(key)
        if not answers:
            return web.Response(status=404, text=f"nothing is played for {key}")
        status, kind, data = answers.pop(0) if len(answers) > 1 else answers[0]
        return web.Response(status=status, body=data, headers={"Content-Type": kind})

    @property
    def request(self) -> Seen:
        """The one request there was."""
        (request,) = self.seen
        return request

    def local(self, url: str) -> str:
        """Where a vendor's address is played."""
        wanted = URL(url, encoded=True)
        rest = str(wanted).split("://", 1)[1]
        return f"http://127.0.0.1:{self._server.port}/{rest}"

    async def start(self) -> None:
        await self._server.start_server()

    async def close(self) -> None:
        await self._server.close()


class Rerouted:
    """`ports.Http` that reaches every vendor at the local server, through the real client and guard."""

    def __init__(self, http: Http, vendors: Vendors) -> None:
        self._http = http
        self._vendors = vendors

    async def send(self, request: HttpRequest) -> HttpResponse:
        local = msgspec.structs.replace(request, url=self._vendors.local(request.url))
        return msgspec.structs.replace(await self._http.send(local), url=request.url)


class Keeping:
    """Storage in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def read(self, file: File) -> bytes:
        if file.related_id not in self.kept:
            raise FileUnavailable(f"The file {file.filename} does not exist any more.")
        return self.kept[file.related_id]

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        key = f"kept-{len(self.kept)}"
        self.kept[key] = data
        return File(type="custom", transfer_method="tool_file", related_id=key, filename=filename, mime_type=mime_type)

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        raise FileUnavailable("No model reads these files.")


async def sentence_of(work: Awaitable[object]) -> str:
    """The sentence that work fails with; nothing when it succeeds."""
    try:
        await work
    except ToolFailed as error:
        return str(error)
    return ""


@dataclass
class Bench:
    """Calls tools as a node would."""

    vendors: Vendors
    files: Keeping
    ports: dict[type, object] = field(default_factory=dict[type, object])

    async def run(
        self, provider: str, name: str, arguments: Mapping[str, Value], credentials: Mapping[str, str] | None = None
    ) -> Collected:
        tool = builtin.find(provider, name)
        assert tool is not None, f"{provider} has no tool {name}"
        call = ToolCall(info=RunInfo(run_id="run"), ports=self.ports, idempotency_key="key-1")
        collected = Collected()
        bound = BoundTool(tool, credentials or {})
        async for message in bound.call(cast_arguments(tool.spec, arguments), call):
            collected.add(message)
        return collected

    def data(self, collected: Collected) -> bytes:
        """The bytes of the one file a tool made."""
        (file,) = collected.files
        return self.files.kept[file.related_id or ""]
