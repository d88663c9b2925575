"""The one shape of an error, and the handlers that give it to every failing request."""

from __future__ import annotations

import http
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class AppError(Exception):
    """A request that cannot be served. Subclasses set `status` and `code`; the sentence is for people.

    Attributes:
        params: Name of the field at fault, or None.
        headers: Sent with the answer.
    """

    status: int = 400
    code: str = "bad_request"

    def __init__(self, message: str, *, params: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.params = params
        self.headers = dict(headers or {})


def envelope(status: int, code: str, message: str, params: str | None = None) -> dict[str, Any]:
    """`{code, message, status}`, and `params` where one field is at fault."""
    body: dict[str, Any] = {"code": code, "message": message, "status": status}
    return body if params is None else body | {"params": params}


def code_of(status: int) -> str:
    """The code of a plain HTTP status: its name in snake case."""
    try:
        return http.HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    except ValueError:
        return "error"


def describe(error: RequestValidationError) -> tuple[str, str | None]:
    """One readable line that names the first field at fault, and that field."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header", "cookie")]
    field = ".".join(place)
    reason = str(first["msg"]).removeprefix("Value error, ")
    return (f"{field}: {reason}." if field else f"{reason}."), field or None


def add_handlers(app: FastAPI, *, invalid_status: int = 422) -> None:
    """Answer every failure of `app` in the envelope; failed validation answers `invalid_status`."""

    async def app_error(request: Request, error: Exception) -> JSONResponse:
        del request
        if not isinstance(error, AppError):
            raise error
        body = envelope(error.status, error.code, error.message, error.params)
        return JSONResponse(body, error.status, headers=error.headers)

    async def http_error(request: Request, error: Exception) -> JSONResponse:
        del request
        if not isinstance(error, HTTPException):
            raise error
        headers = dict(error.headers or {})
        message = str(error.detail)
        return JSONResponse(
            envelope(error.status_code, code_of(error.status_code), message), error.status_code, headers
        )

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        del request
        if not isinstance(error, RequestValidationError):
            raise error
        message, field = describe(error)
        return JSONResponse(envelope(invalid_status, "invalid_param", message, field), invalid_status)

    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        del request, error  # The server below logs what was raised.
        message = "Something went wrong on the server. Its log has the details."
        return JSONResponse(envelope(500, "internal_server_error", message), 500)

    app.add_exception_handler(AppError, app_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unforeseen)
