"""A real MCP server, written with the official SDK: `mcp_program.py stdio`, or `mcp_program.py http [PORT]`.

Over HTTP it serves `/mcp` (streamable) and `/sse`, and tells at `/_told` what it was asked. With MCP_TEST_KEY set it
answers 401 to whoever does not send that key in X-Key.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn
from mcp.server.mcpserver import Image, MCPServer
from mcp_types import ToolAnnotations
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8ffff3f0005fe02fea7a8b8f50000000049454e44ae426082"
)
told: dict[str, Any] = {"methods": [], "began": 0, "cancelled": 0, "headers": {}}
server = MCPServer("sea", log_level="CRITICAL")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def echo(text: str, tags: list[str] | None = None) -> str:
    """Say the same."""
    return f"{text} {' '.join(tags or [])}".strip()


@server.tool()
def picture() -> Image:
    """A picture."""
    return Image(data=PIXEL, format="png")


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ValueError("the tide is out")


@server.tool()
def environment() -> list[str]:
    """The names of the environment's variables."""
    return sorted(os.environ)


@server.tool()
async def slow() -> str:
    """Never ends by itself."""
    told["began"] += 1
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        told["cancelled"] += 1
        raise
    return "never"


@server.tool()
def pid() -> int:
    """The program's process."""
    return os.getpid()


@server.tool()
def die() -> str:
    """Ends the program."""
    os._exit(3)


class Noting:
    """Notes what comes in, and turns away whoever has no key."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in ("/_told",):
            request = Request(scope, receive)
            told["methods"].append(f"{request.method} {scope['path']}")
            told["headers"] = dict(request.headers)
            key = os.environ.get("MCP_TEST_KEY")
            if key and request.headers.get("x-key") != key:
                await JSONResponse({"detail": "no key"}, 401)(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def tell(request: Request) -> JSONResponse:
    del request
    return JSONResponse(told)


def application() -> Starlette:
    streamable, sse = server.streamable_http_app(), server.sse_app()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        del app
        async with streamable.router.lifespan_context(streamable):
            yield

    app = Starlette(routes=[Route("/_told", tell), *streamable.routes, *sse.routes], lifespan=lifespan)
    app.add_middleware(Noting)
    return app


def serve(port: int) -> None:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    print(f"mcp_program port={listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(application(), log_level="error", timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        anyio.run(server.run_stdio_async)
    else:
        serve(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
