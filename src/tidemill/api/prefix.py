"""Paths as clients and proxies send them, brought to the form that routes know, and requests to the API they name."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from tidemill.domains.runs.stream import DIRECT_SEND

_SLASHES = re.compile(r"/{2,}")


class PathPrefix:
    """Gives every request the prefix as its root path, whether the proxy stripped it or not."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._prefix:
            path = scope["path"]
            if path != self._prefix and not path.startswith(f"{self._prefix}/"):
                path = self._prefix + path
            scope = {**scope, "path": path, "root_path": self._prefix}
        await self._app(scope, receive, send)


class SingleSlashes:
    """Doubled slashes in a path count as one: clients join base and path carelessly."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "//" in scope["path"]:
            path = _SLASHES.sub("/", scope["path"])
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


class ProgramApis:
    """Hands requests to the APIs for programs, listed in `app.state.program_apis`, before anything else sees them.

    They carry the load, and what guards the console's pages is not for them. Their event streams write past the
    middleware between here and there, which has nothing to say after an answer has begun.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            root, path = scope.get("root_path", ""), scope["path"]
            for prefix, api in scope["app"].state.program_apis:
                base = root + prefix
                if path == base or path.startswith(f"{base}/"):
                    inner = {**scope, "root_path": base, "app_root_path": scope.get("app_root_path", root)}
                    inner[DIRECT_SEND] = send
                    await api(inner, receive, send)
                    return
        await self._app(scope, receive, send)
