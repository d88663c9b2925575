"""Start an installed `tidemill` on an empty data folder, look at what it shows, and end it. Used by CI."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

MAX_LINES = 3
PATIENCE_S = 60.0


class Unexpected(Exception):
    """The program did not do what it promises. One sentence."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str) -> tuple[int, str, str]:
    """(status, content type, text); status 0 while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.headers.get("content-type", ""), answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, "", error.read().decode(errors="replace")
    except OSError:
        return 0, "", ""


@contextmanager
def running(command: list[str], environment: dict[str, str], port: int, log: Path) -> Generator[str]:
    """Run the server until the block ends; yields its address once it is ready.

    Raises:
        Unexpected: It ended early, was not ready in time, or said more than it may.
    """
    url = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        while fetch(f"{url}/readyz")[0] != 200:
            if process.poll() is not None or time.monotonic() - began > PATIENCE_S:
                raise Unexpected(f"The server did not become ready:\n{log.read_text()}")
            time.sleep(0.02)
        print(f"ready after {time.monotonic() - began:.2f} s")
        yield url
        check_words(log.read_text())
    finally:
        process.terminate()
        process.wait(20)


def check_words(text: str) -> None:
    """A start says at most three lines, none of them a warning."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_LINES or re.search(r"warn|deprecat|traceback", text, re.IGNORECASE):
        raise Unexpected(f"The start said too much:\n{text}")
    print("\n".join(f"    {line}" for line in lines))


def check_page(url: str) -> None:
    """`/` is the console, and what it asks for is there."""
    status, kind, page = fetch(f"{url}/")
    if status != 200 or not kind.startswith("text/html"):
        raise Unexpected(f"/ answered {status} {kind}: {page[:300]}")
    assets = re.findall(r'(?:src|href)="([^":]+\.(?:js|css))"', page)
    if not assets:
        raise Unexpected(f"/ is not the built console: {page[:300]}")
    for asset in assets:
        address = f"{url}/{asset.removeprefix('./').removeprefix('/')}"
        if fetch(address)[0] != 200:
            raise Unexpected(f"/ asks for {asset}, which is not there.")
    print(f"/ is the console, with {len(assets)} assets")


def bare_environment(home: Path, path: str) -> dict[str, str]:
    """An environment with nothing of ours: an empty home and no way to the network but this machine."""
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")}
    nowhere = "http://127.0.0.1:9"
    proxies = {name: nowhere for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    return {**kept, **proxies, "NO_PROXY": "127.0.0.1", "HOME": str(home), "PATH": path}
