"""The MCP server of `mcp_program.py` as a process of its own, over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

PROGRAM = Path(__file__).with_name("mcp_program.py")
STDIO = f"{sys.executable} {PROGRAM} stdio"
KEY = "sea-key-0123456789"


class McpSite(msgspec.Struct, frozen=True):
    """A running server."""

    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/mcp"

    def told(self) -> dict[str, Any]:
        """What it was asked: methods with paths, how many slow calls began and were cancelled, the last headers."""
        with urllib.request.urlopen(f"{self.origin}/_told", timeout=10) as answer:
            return json.load(answer)

    def wait_for(self, name: str, count: int, *, within_s: float = 5.0) -> float:
        """Seconds until a counter has reached `count`. It blocks: call it with `asyncio.to_thread`."""
        began = time.perf_counter()
        while self.told()[name] < count:
            assert time.perf_counter() - began < within_s, f"{name} is not {count} within {within_s} s"
        return time.perf_counter() - began


@contextmanager
def running_mcp(*, key: str = "", port: int = 0) -> Generator[McpSite]:
    """Start the server and stop it afterwards."""
    environment = {**os.environ, **({"MCP_TEST_KEY": key} if key else {})}
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "http", str(port)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("mcp_program port="), line
        yield McpSite(int(line.partition("=")[2]))
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()  # pyright: ignore[reportOptionalMemberAccess]


@pytest.fixture(scope="module")
def mcp_site() -> Iterator[McpSite]:
    """One server for the module's tests."""
    with running_mcp() as site:
        yield site
