#!/usr/bin/env python3
"""The floor of the SSE path: a bare Starlette proxy in front of an OpenAI-compatible upstream.

    passthrough.py --upstream http://127.0.0.1:8089 --port 8090 --client aiohttp
    passthrough.py ... --model mock-50tok-20ms

POST /v1/chat/completions is passed through byte for byte; POST /v1/chat-messages (the
Dify-compatible route) asks the upstream for --model and re-frames. No authentication, no
database, no log: nothing that does more than this can cost less.
"""

# pyright: basic
from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

HEADERS = {"Content-Type": "application/json"}
MESSAGE = {
    "event": "message",
    "conversation_id": "c",
    "message_id": "m",
    "created_at": 1700000000,
    "task_id": "t",
    "id": "m",
    "answer": "",
    "from_variable_selector": ["llm", "text"],
}

Fetch = Callable[[bytes], AsyncIterator[bytes]]
"""Posts a body to the upstream and yields the bytes of its answer as they come."""


@contextlib.asynccontextmanager
async def aiohttp_client(url: str) -> AsyncIterator[Fetch]:
    import aiohttp  # one of the two clients is enough

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def fetch(body: bytes) -> AsyncIterator[bytes]:
            async with session.post(url, data=body, headers=HEADERS) as r:
                async for b in r.content.iter_any():
                    yield b

        yield fetch


@contextlib.asynccontextmanager
async def httpx_client(url: str) -> AsyncIterator[Fetch]:
    import httpx  # one of the two clients is enough

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=1000)
    async with httpx.AsyncClient(limits=limits, timeout=None) as session:

        async def fetch(body: bytes) -> AsyncIterator[bytes]:
            async with session.stream("POST", url, content=body, headers=HEADERS) as r:
                async for b in r.aiter_raw():
                    yield b

        yield fetch


CLIENTS = {"aiohttp": aiohttp_client, "httpx": httpx_client}


async def reframed(upstream: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """An OpenAI stream as a Dify stream."""
    buf = b""
    async for b in upstream:
        buf += b
        lines = buf.split(b"\n\n")
        buf = lines.pop()
        for line in lines:
            if line.startswith(b"data: {"):
                chunk = json.loads(line[6:])
                if chunk["choices"] and (text := chunk["choices"][0]["delta"].get("content")):
                    yield "data: " + json.dumps({**MESSAGE, "answer": text}) + "\n\n"
            elif line.startswith(b"data: [DONE]"):
                yield 'data: {"event": "message_end", "id": "m", "metadata": {}}\n\n'


def build(upstream: str, client: str, model: str) -> Starlette:
    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        async with CLIENTS[client](upstream + "/v1/chat/completions") as fetch:
            app.state.fetch = fetch
            yield

    async def raw(request: Request) -> StreamingResponse:
        body = await request.body()
        return StreamingResponse(request.app.state.fetch(body), media_type="text/event-stream")

    async def dify(request: Request) -> StreamingResponse:
        query = (await request.json()).get("query", "")
        asked = {
            "model": model,
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [{"role": "user", "content": query}],
        }
        answer = request.app.state.fetch(json.dumps(asked).encode())
        return StreamingResponse(reframed(answer), media_type="text/event-stream")

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    routes = [
        Route("/v1/chat/completions", raw, methods=["POST"]),
        Route("/v1/chat-messages", dify, methods=["POST"]),
        Route("/health", health),
    ]
    return Starlette(routes=routes, lifespan=life)


def main() -> None:
    ap = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ap.add_argument("--upstream", default="http://127.0.0.1:8089")
    ap.add_argument("--port", type=int, default=8090)
    ap.add_argument("--client", choices=("aiohttp", "httpx"), default="aiohttp")
    ap.add_argument("--model", default="mock-200tok-0ms", help="what the Dify-compatible route asks the upstream for")
    a = ap.parse_args()
    app = build(a.upstream, a.client, a.model)
    print(f"passthrough pid={os.getpid()} on http://127.0.0.1:{a.port}", flush=True)
    uvicorn.run(app, host="127.0.0.1", port=a.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
