#!/usr/bin/env python3
"""How long after the upstream's first chunk does a reader see the first text?

    first_text.py --base http://127.0.0.1:5001 --key app-... -c 100

The app's model must be a `stamp` model of `mock_llm.py`: its first chunk says when it was due, so what is
measured includes the upstream's own delay and is never too small. All streams begin together and are read to the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time

import aiohttp


async def one(session: aiohttp.ClientSession, base: str, key: str, number: int) -> float:
    """Seconds from the upstream's first chunk to the first text of one stream."""
    body = {"query": "go", "inputs": {}, "user": f"reader-{number}", "response_mode": "streaming"}
    found = -1.0
    headers = {"Authorization": f"Bearer {key}"}
    async with session.post(f"{base}/v1/chat-messages", json=body, headers=headers) as response:
        response.raise_for_status()
        async for line in response.content:
            if found < 0 and b'"answer":"t=' in line:
                arrived = time.time()
                found = arrived - float(json.loads(line[6:])["answer"][2:])
    if found < 0:
        raise SystemExit("A stream ended without its first text. Is the app's model a stamp model?")
    return found


async def measure(base: str, key: str, count: int) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds over `count` streams at once."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        found = sorted(await asyncio.gather(*(one(session, base, key, number) for number in range(count))))
    return statistics.median(found) * 1000, found[min(len(found) - 1, int(len(found) * 0.99))] * 1000


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--base", default="http://127.0.0.1:5001")
    options.add_argument("--key", required=True)
    options.add_argument("-c", "--concurrency", type=int, default=100)
    chosen = options.parse_args()
    median, late = asyncio.run(measure(chosen.base, chosen.key, chosen.concurrency))
    print(f"first text after the upstream's first chunk: p50 {median:.0f} ms, p99 {late:.0f} ms")


if __name__ == "__main__":
    main()
