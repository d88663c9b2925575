"""CPU of the OpenAI-compatible wire per streamed chunk, against raw aiohttp with `json`.

    python bench/wire_bench.py [--chunks 2000] [--rounds 7] [--delay-ms 0]

Prints microseconds of this process's CPU per chunk, the minimum over interleaved rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import ClientSession

from tidemill.llm.chat import BoundChat, bind
from tidemill.llm.connect import chat_wire
from tidemill.llm.presets import PRESETS
from tidemill.llm.types import ChatRequest, Message, ModelFacts

REQUEST = ChatRequest(messages=(Message(role="user", content="Go"),), max_tokens=100)


async def raw(http: ClientSession, base_url: str, name: str) -> int:
    body = {"model": name, "stream": True, "messages": [{"role": "user", "content": "Go"}]}
    count = 0
    async with http.post(f"{base_url}/chat/completions", json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: ") and b"[DONE]" not in line:
                choices = json.loads(line[6:])["choices"]
                count += bool(choices and choices[0]["delta"].get("content"))
    return count


async def wire(http: ClientSession, base_url: str, name: str) -> int:
    chat = chat_wire(PRESETS["openai"], name, {"api_key": "k", "base_url": base_url}, http)
    return sum([1 async for delta in chat.stream(REQUEST) if delta.text])


async def bound(http: ClientSession, base_url: str, name: str) -> int:
    chat: BoundChat = bind(
        ModelFacts(provider="openai", name=name, window_tokens=8192, tokenizer="o200k"),
        chat_wire(PRESETS["openai"], name, {"api_key": "k", "base_url": base_url}, http),
    )
    return sum([1 async for delta in chat.stream(chat.fit(REQUEST)) if delta.text])


async def measure(base_url: str, chunks: int, rounds: int, delay_ms: int) -> dict[str, float]:
    name = f"mock-{chunks}tok-{delay_ms}ms"
    contestants: dict[str, Callable[[ClientSession, str, str], Awaitable[int]]] = {
        "raw aiohttp + json": raw,
        "wire": wire,
        "bound model (fit, retry, wire)": bound,
    }
    best = dict.fromkeys(contestants, float("inf"))
    async with ClientSession() as http:
        for run in contestants.values():
            await run(http, base_url, "mock-20tok")
        for _ in range(rounds):
            for label, run in contestants.items():
                began = time.process_time()
                seen = await run(http, base_url, name)
                best[label] = min(best[label], (time.process_time() - began) / chunks * 1e6)
                assert seen == chunks, f"{label} saw {seen} of {chunks} chunks"
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--delay-ms", type=int, default=0)
    given = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name("mock_llm.py")
    server = subprocess.Popen([sys.executable, str(script), "--port", str(port)], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        server.stdout.readline()
        best = asyncio.run(measure(f"http://127.0.0.1:{port}/v1", given.chunks, given.rounds, given.delay_ms))
    finally:
        server.terminate()
        server.wait(10)
    floor = min(best["raw aiohttp + json"], 1e9)
    for label, value in best.items():
        print(f"{label:32s} {value:7.1f} us per chunk   {value / floor:.2f} x raw")


if __name__ == "__main__":
    main()
