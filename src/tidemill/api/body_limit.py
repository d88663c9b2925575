"""Refuses bodies that are larger than any honest request."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidemill.kit.errors import envelope


class BodyTooLarge(Exception):
    """More bytes came than were announced or allowed."""


class BodyLimit:
    """Answers 413 as soon as a body is known to be over `max_bytes`. Uploads have limits of their own."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, exempt_suffix: str) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._exempt_suffix = exempt_suffix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(self._exempt_suffix):
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise BodyTooLarge
            return message

        try:
            await self._app(scope, counted, send)
        except BodyTooLarge:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = f"The request is larger than {self._max_bytes // (1024 * 1024)} MB. Send a smaller file."
        await JSONResponse(envelope(413, "request_entity_too_large", message), 413)(scope, receive, send)
