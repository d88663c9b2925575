"""The Service API under `/v1`, wire-compatible (reference `service-api.md`)."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidemill import __version__
from tidemill.api import service_app, service_forms, service_runs, service_threads
from tidemill.api.service_requests import JsonAnswer
from tidemill.kit.errors import add_handlers, envelope

PATH = "/v1"
METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS = "Content-Type, Authorization, X-App-Code, X-App-Passport"
EXPOSED_HEADERS = "X-Version, X-Env, X-Trace-Id"
PREFLIGHT_S = "600"

_log = logging.getLogger(__name__)


class ApiHeaders:
    """Version and environment on every answer, and CORS for any origin without credentials."""

    def __init__(self, app: ASGIApp, *, environment: str) -> None:
        self._app = app
        self._own = ((b"x-version", __version__.encode()), (b"x-env", environment.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        has_origin = "origin" in headers

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._own]
                if has_origin:
                    added = MutableHeaders(raw=message["headers"])
                    added["access-control-allow-origin"] = "*"
                    added["access-control-expose-headers"] = EXPOSED_HEADERS
            await send(message)

        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._preflight()(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)

    def _preflight(self) -> Response:
        allowed = {
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": REQUEST_HEADERS,
            "access-control-max-age": PREFLIGHT_S,
        }
        return PlainTextResponse("OK", headers=allowed)


def create_service_api(environment: str) -> FastAPI:
    """The Service API as an application of its own. It reads `state.desk`, `state.database` and `state.settings`."""
    app = FastAPI(title="Tidemill Service API", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    async def welcome() -> Response:
        return JsonAnswer({"welcome": "Tidemill Service API", "api_version": "v1", "server_version": __version__})

    for part in (service_runs, service_threads, service_app, service_forms):
        app.include_router(part.router)
    add_handlers(app, invalid_status=400)
    app.add_exception_handler(DBAPIError, _database_failed)
    app.add_middleware(ApiHeaders, environment=environment)
    return app


async def _database_failed(request: Request, error: Exception) -> Response:
    _log.error("%s failed: %s", request.url.path, error)
    return JSONResponse(envelope(500, "internal_server_error", "The database could not serve the request."), 500)
