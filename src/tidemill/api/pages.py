"""The built console: pages with the path prefix written in, and files with their compressed forms."""

from __future__ import annotations

import mimetypes
from html import escape
from pathlib import Path, PurePosixPath

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tidemill.kit.errors import envelope

STATIC = Path(__file__).parent.parent / "static"
PAGE = "console.html"
BASE_TAG = '<base href="/" />'
ENCODINGS = ((".br", "br"), (".gz", "gzip"))
YEAR = "public, max-age=31536000, immutable"
# Types are named here, since a system's own table of types may hold anything.
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
BUILD_COMMAND = "python3 start.py console"
# Written by the build (scripts/console_build.py) when it could not finish; says why.
FAILURE_FILE = "BUILD_FAILED.txt"


class ConsolePages:
    """Serves the console under `/`. Addresses without a file extension are the console's own routes."""

    def __init__(self, static: Path, *, prefix: str) -> None:
        self._static = static
        self._prefix = prefix
        self._page: tuple[float, bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._respond(scope)
        await response(scope, receive, send)

    def _respond(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return JSONResponse(envelope(405, "method_not_allowed", "This address can only be read."), 405)
        path = PurePosixPath(scope["path"].removeprefix(self._prefix).lstrip("/"))
        if not path.suffix:
            return self._console()
        file = self._find(path)
        if file is None:
            return JSONResponse(envelope(404, "not_found", "There is no such file."), 404)
        is_hashed = path.parts[0] == "assets"
        return _send_file(file, Headers(scope=scope), YEAR if is_hashed else "no-cache")

    def _find(self, path: PurePosixPath) -> Path | None:
        if ".." in path.parts or path.name in (PAGE, "manifest.json"):
            return None
        file = self._static / path
        return file if file.is_file() else None

    def _console(self) -> Response:
        file = self._static / PAGE
        try:
            changed_at = file.stat().st_mtime
        except FileNotFoundError:
            return HTMLResponse(_unbuilt(self._static), 503, headers={"Cache-Control": "no-store"})
        if self._page is None or self._page[0] != changed_at:
            base = f'<base href="{escape(self._prefix, quote=True)}/" />'
            self._page = (changed_at, file.read_text("utf-8").replace(BASE_TAG, base, 1).encode())
        return HTMLResponse(self._page[1], headers={"Cache-Control": "no-cache"})


def _send_file(file: Path, headers: Headers, cache: str) -> Response:
    kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    accepted = headers.get("accept-encoding", "")
    for suffix, encoding in ENCODINGS:
        packed = file.with_name(file.name + suffix)
        if encoding in accepted and packed.is_file():
            extra = {"Cache-Control": cache, "Vary": "Accept-Encoding", "Content-Encoding": encoding}
            return FileResponse(packed, headers=extra, media_type=kind)
    return FileResponse(file, headers={"Cache-Control": cache, "Vary": "Accept-Encoding"}, media_type=kind)


def _unbuilt(static: Path) -> str:
    failure = static / FAILURE_FILE
    reason = f"<pre>{escape(failure.read_text('utf-8'))}</pre>" if failure.is_file() else ""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Tidemill</title>"
        "<h1>Tidemill is running; its console is not built.</h1>"
        "<p>The APIs work. To build the console, run this in the project folder and reload the page:</p>"
        f"<pre>{escape(BUILD_COMMAND)}</pre>{reason}"
        "</html>"
    )
