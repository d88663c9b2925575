#!/usr/bin/env python3
"""Counts the side effects of runs: what came in, how often, and under which idempotency keys.

    counting_server.py --port 9001 [--delay-ms 60]

POST /effect/{run}/{place} waits and answers `{"done": true}`; GET /counts gives, by run and place, the requests that
came in, the distinct `Idempotency-Key`s they carried, and when each was under way. Standard library only.
"""

# pyright: basic
from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter, defaultdict

ANSWER = b'{"done": true}'


class Effects:
    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.raw: Counter[tuple[str, str]] = Counter()
        self.keys: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.times: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                line, *rest = head.split("\r\n")
                headers = dict(item.lower().split(": ", 1) for item in rest if ": " in item)
                await reader.readexactly(int(headers.get("content-length", 0)))
                body = await self.answer(line.split()[1], headers)
                kind = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                writer.write(kind + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, path: str, headers: dict[str, str]) -> bytes:
        if path == "/counts":
            rows = [[*key, self.raw[key], sorted(self.keys[key]), self.times[key]] for key in self.raw]
            return json.dumps(rows).encode()
        if path.startswith("/effect/"):
            _, _, run, place = path.split("/")
            # Counted when it comes in: a caller that dies while it waits has done it all the same.
            self.raw[run, place] += 1
            self.keys[run, place].add(headers.get("idempotency-key", ""))
            began = time.time()
            await asyncio.sleep(self.delay_s)
            self.times[run, place].append((began, time.time()))
        return ANSWER


async def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--delay-ms", type=float, default=60.0)
    chosen = options.parse_args()
    effects = Effects(chosen.delay_ms / 1000)
    server = await asyncio.start_server(effects.serve, "127.0.0.1", chosen.port)
    print(f"counting server on {chosen.port}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
