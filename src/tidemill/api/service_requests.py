"""What Service API requests have in common: the caller, the body, the user, and how answers are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, cast
from uuid import UUID

import msgspec
from fastapi import Depends, Request
from starlette.responses import Response

from tidemill.api.wire import spaced
from tidemill.domains.conversations.desk import Asker, Desk, get_desk
from tidemill.domains.conversations.errors import FieldInvalid
from tidemill.domains.conversations.people import ANONYMOUS
from tidemill.domains.runs.callers import Caller
from tidemill.domains.runs.ticket import Surface
from tidemill.kit.errors import AppError

_TRACE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class UnsupportedMediaType(AppError):
    status, code = 415, "unsupported_media_type"


class BadBody(AppError):
    status, code = 400, "bad_request"


class JsonAnswer(Response):
    """JSON as the Service API writes it."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: object) -> bytes:
        return spaced(content)


async def caller_of(request: Request) -> Caller:
    """Who calls. Raises `Unauthorized`, `CallRefused`."""
    desk = cast(Desk, request.app.state.desk)
    return await desk.callers.identify(request.headers.get("authorization"))


ByKey = Annotated[Caller, Depends(caller_of)]


async def read_json(request: Request) -> dict[str, Any]:
    """The body as an object.

    Raises:
        UnsupportedMediaType: It is not sent as JSON.
        BadBody: It cannot be decoded.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType("Send the body as JSON, with the header `Content-Type: application/json`.")
    try:
        body = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(f"The body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadBody("The body must be a JSON object.")
    return body


def user_of(body: Mapping[str, Any]) -> str | None:
    """The caller's user, as text; None when absent or empty."""
    user = body.get("user")
    return None if user is None or user == "" else _clean(user if isinstance(user, str) else str(user))


def required_user(body: Mapping[str, Any]) -> str:
    """Raises `FieldInvalid`."""
    if (user := user_of(body)) is None:
        raise FieldInvalid("`user` is missing. Send your own identifier of the end user.", params="user")
    return user


def asker_of(desk: Desk, caller: Caller, user: str | None, surface: Surface) -> Asker:
    """The end user that a request speaks for."""
    user_id = desk.end_users.get(caller.workspace_id, caller.app_id, surface, user)
    return Asker(caller.workspace_id, caller.app_id, surface, user_id, user or ANONYMOUS)


async def _asker_by_query(request: Request, caller: ByKey) -> Asker:
    return asker_of(await get_desk(request), caller, user_of(request.query_params), "service-api")


async def _asker_by_body(request: Request, caller: ByKey) -> Asker:
    body = await read_json(request) if await request.body() else {}
    return asker_of(await get_desk(request), caller, user_of(body), "service-api")


AskerByQuery = Annotated[Asker, Depends(_asker_by_query)]
AskerByBody = Annotated[Asker, Depends(_asker_by_body)]


def objects_of(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A field that is a list of objects; absent and null are empty."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise FieldInvalid(f"`{name}` must be a list of objects.", params=name)
    return value


def inputs_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs`, which must be there; NUL characters are stripped from its texts."""
    inputs = body.get("inputs")
    if not isinstance(inputs, dict):
        raise FieldInvalid("`inputs` is missing or no object. Send `{}` when the app has no inputs.", params="inputs")
    return {name: _clean(value) if isinstance(value, str) else value for name, value in inputs.items()}


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text field; absent and null are empty."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldInvalid(f"`{name}` must be text.", params=name)
    return _clean(value)


def flag_of(body: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise FieldInvalid(f"`{name}` must be true or false.", params=name)
    return value


def uuid_of(value: object, name: str) -> UUID | None:
    """A UUID field; absent, null and blank are None."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        return UUID(str(value))
    except ValueError as error:
        raise FieldInvalid(f"`{name}` is not a UUID.", params=name) from error


def is_streaming(body: Mapping[str, Any]) -> bool:
    """Whether the answer is wanted as a stream; blocking when nothing is said."""
    mode = body.get("response_mode")
    if mode not in (None, "streaming", "blocking"):
        raise FieldInvalid("`response_mode` must be streaming or blocking.", params="response_mode")
    return mode == "streaming"


def limit_of(request: Request, *, most: int = 100) -> int:
    """The page size of a query, 20 when absent."""
    value = request.query_params.get("limit") or "20"
    if not value.isdecimal() or not 1 <= int(value) <= most:
        raise FieldInvalid(f"`limit` must be a whole number from 1 to {most}.", params="limit")
    return int(value)


def trace_id_of(request: Request, body: Mapping[str, Any]) -> str | None:
    """The caller's trace id; what is malformed is ignored."""
    for given in (request.headers.get("x-trace-id"), request.query_params.get("trace_id"), body.get("trace_id")):
        if isinstance(given, str) and _TRACE_ID.fullmatch(given):
            return given
    match = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return match[1] if match else None


def _clean(text: str) -> str:
    return text.replace("\0", "")
