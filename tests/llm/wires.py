"""Helpers of the wire tests: collect an answer, bind a model, serve recorded bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import ClientSession

from tidemill.llm.chat import BoundChat, bind
from tidemill.llm.connect import chat_wire
from tidemill.llm.presets import PRESETS
from tidemill.llm.types import ChatDelta, ChatRequest, Feature, FittedRequest, Message, ModelFacts

EVERYTHING: frozenset[Feature] = frozenset({"tool-call", "multi-tool-call", "json-schema", "json-object", "vision"})


class Answer(msgspec.Struct):
    """A whole streamed answer."""

    text: str = ""
    reasoning: str = ""
    calls: dict[int, list[str]] = {}
    last: ChatDelta = ChatDelta()
    pieces: int = 0


class Pauses:
    """Stands in for the clock: remembers how long it was asked to sleep."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)


def model(
    http: ClientSession,
    base_url: str,
    name: str,
    *,
    provider: str = "openai",
    window: int = 8192,
    features: frozenset[Feature] = EVERYTHING,
    sleep: Pauses | None = None,
    read_timeout_s: float = 5,
) -> BoundChat:
    credentials = {"api_key": "sk-test", "base_url": base_url}
    wire = chat_wire(PRESETS[provider], name, credentials, http, read_timeout_s=read_timeout_s)
    facts = ModelFacts(provider=provider, name=name, window_tokens=window, features=features, tokenizer="o200k")
    return bind(facts, wire, sleep=sleep or Pauses())


def asking(text: str = "How high is the tide?", **more: object) -> ChatRequest:
    return msgspec.structs.replace(ChatRequest(messages=(Message(role="user", content=text),)), **more)


async def collect(chat: BoundChat, request: ChatRequest | FittedRequest) -> Answer:
    answer = Answer()
    fitted = chat.fit(request) if isinstance(request, ChatRequest) else request
    async for delta in chat.stream(fitted):
        answer.pieces += 1
        answer.text += delta.text
        answer.reasoning += delta.reasoning
        for call in delta.tool_calls:
            known = answer.calls.setdefault(call.index, ["", "", ""])
            known[0] += call.id
            known[1] += call.name
            known[2] += call.arguments
        answer.last = delta
    return answer


@asynccontextmanager
async def recorded(*responses: bytes) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """A server that answers each connection with the next of `responses`, byte for byte, and then closes it."""
    requests: list[bytes] = []
    waiting = list(responses)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        requests.append(head + await reader.readexactly(length))
        writer.write(waiting.pop(0) if waiting else b"")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", requests


@asynccontextmanager
async def held_open(beginning: bytes) -> AsyncGenerator[str]:
    """A server that begins an answer and then says nothing more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(beginning)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def events(*data: str, status: str = "200 OK", end: str = "\n\n") -> bytes:
    """A recorded event stream."""
    body = "".join(f"data: {item}{end}" for item in data)
    return f"HTTP/1.1 {status}\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{body}".encode()


def json_response(body: str, *, status: str = "200 OK", headers: str = "") -> bytes:
    """A recorded JSON response; `headers` are whole lines."""
    data = body.encode()
    kind = "Content-Type: application/json\r\nConnection: close\r\n"
    return f"HTTP/1.1 {status}\r\n{kind}{headers}Content-Length: {len(data)}\r\n\r\n".encode() + data
