"""Calls an operation of an OpenAPI document as a tool."""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from tidemill.engine.values import File, Value, as_file, plain, to_json
from tidemill.ports import (
    Files,
    FileUnavailable,
    Http,
    HttpFailed,
    HttpPart,
    HttpRequest,
    HttpResponse,
    ToolCall,
    ToolFailed,
    ToolMessage,
    ToolSpec,
)
from tidemill.tools.openapi_document import WHOLE_BODY, Body, Operation, WireParameter, is_json

CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 60.0
MAX_ERROR_CHARS: Final = 500
AUTH_TYPES: Final = ("none", "header", "query", "basic", "bearer")
_DELIMITERS: Final = {"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}
_TEXT_TYPES: Final = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")

Pairs = tuple[tuple[str, str], ...]


class OpenApiTool:
    """Implements `ports.Tool`. Credentials, in `ToolCall.credentials`: `auth_type`, one of `AUTH_TYPES`, and with it
    `name` and `value` (header, query), `value` (bearer), or `username` and `password` (basic).
    """

    def __init__(
        self,
        operation: Operation,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._operation = operation
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s

    @property
    def spec(self) -> ToolSpec:
        return self._operation.spec

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        """Send the request. A JSON answer is a json and a text message, a file a file message, else a text message.

        Raises:
            ToolFailed: An argument is missing or cannot be written, no answer came, or one of 400 and above.
        """
        request = await self._request(arguments, call)
        try:
            response = await call.port(Http).send(request)
        except HttpFailed as error:
            raise ToolFailed(f"The tool {self.spec.name} got no answer: {error}") from error
        if response.status >= 400:
            said = _text(response).strip()[:MAX_ERROR_CHARS] or "nothing"
            raise ToolFailed(f"The tool {self.spec.name} was answered {response.status}: {said}")
        async for message in _messages(response, call):
            yield message

    async def _request(self, arguments: Mapping[str, Value], call: ToolCall) -> HttpRequest:
        operation = self._operation
        given = {name: value for name, value in arguments.items() if value is not None}
        for told in operation.spec.parameters:
            if told.name not in given and told.default is not None:
                given[told.name] = told.default
            if told.is_required and told.name not in given:
                raise ToolFailed(f"The tool {operation.spec.name} needs the argument {told.name}. Give it a value.")
        path, query, headers, cookies = operation.path, list[tuple[str, str]](), list[tuple[str, str]](), list[str]()
        for wire in operation.parameters:
            if wire.name not in given:
                continue
            value = _wire_value(wire, given[wire.name])
            if wire.place == "path":
                path = path.replace(f"{{{wire.name}}}", _path_text(wire, value))
            elif wire.place == "query":
                query += pairs_of(wire, value)
            elif wire.place == "header":
                headers.append((wire.name, _header_text(wire.name, _joined(value, ",", explode=wire.explode))))
            else:
                cookies += [f"{name}={quote(text, safe='')}" for name, text in pairs_of(wire, value)]
        if cookies:
            headers.append(("Cookie", "; ".join(cookies)))
        private = _authorized(call.credentials, headers, query)
        if not operation.spec.is_read_only:
            # What a crash repeats, the server can tell from a second wish.
            headers.append(("Idempotency-Key", call.idempotency_key))
        body = await _body(operation.body, given, call) if operation.body is not None else {}
        if media_type := body.pop("media_type", ""):
            headers.append(("Content-Type", media_type))
        return HttpRequest(
            method=operation.method,
            url=operation.server + path,
            query=tuple(query),
            headers=tuple(headers),
            connect_timeout_s=self._connect_timeout_s,
            read_timeout_s=self._read_timeout_s,
            private_headers=private,
            **body,
        )


# ---------------------------------------------------------------- credentials


def _authorized(
    credentials: Mapping[str, str], headers: list[tuple[str, str]], query: list[tuple[str, str]]
) -> tuple[str, ...]:
    """Add what authorizes the request, in place of whatever an argument put there. Returns the headers that hold it."""
    kind, name, value = (credentials.get(key, "") for key in ("auth_type", "name", "value"))
    if kind == "query":
        query[:] = [pair for pair in query if pair[0] != name]
        query.append((name, value))
        return ()
    if kind == "bearer":
        name, value = "Authorization", f"Bearer {value}"
    elif kind == "basic":
        pair = f"{credentials.get('username', '')}:{credentials.get('password', '')}"
        name, value = "Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif kind != "header":
        return ()
    headers[:] = [pair for pair in headers if pair[0].lower() != name.lower()]
    headers.append((name, _header_text(name, value)))
    return (name,)


# ---------------------------------------------------------------- parameters


def _wire_value(wire: WireParameter, value: Value) -> Value:
    return to_json(value) if wire.is_json else plain(value)


def text_of(value: Any) -> str:
    """A value inside an address, a header or a form."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def pairs_of(wire: WireParameter, value: Any) -> list[tuple[str, str]]:
    """A query or cookie parameter as the pairs that its style makes of it."""
    if isinstance(value, list):
        if wire.explode:
            return [(wire.name, text_of(item)) for item in value]
        return [(wire.name, _DELIMITERS.get(wire.style, ",").join(text_of(item) for item in value))]
    if isinstance(value, dict):
        if wire.style == "deepObject":
            return [(f"{wire.name}[{key}]", text_of(item)) for key, item in value.items()]
        if wire.explode:
            return [(str(key), text_of(item)) for key, item in value.items()]
        return [(wire.name, _joined(value, ",", explode=False))]
    return [(wire.name, text_of(value))]


def _joined(value: Any, delimiter: str, *, explode: bool) -> str:
    if isinstance(value, list):
        return delimiter.join(text_of(item) for item in value)
    if isinstance(value, dict):
        between = "=" if explode else delimiter
        return delimiter.join(f"{key}{between}{text_of(item)}" for key, item in value.items())
    return text_of(value)


def _path_text(wire: WireParameter, value: Any) -> str:
    """A path parameter, encoded so that it stays within its own segment."""
    plain_text = _joined(value, ",", explode=wire.explode)
    if plain_text in ("", ".", ".."):
        raise ToolFailed(f"The argument {wire.name} is part of the address and cannot be `{plain_text}`.")
    text = quote(plain_text, safe=",=" if isinstance(value, (list, dict)) else "")
    if wire.style == "label":
        return f".{text}"
    return f";{wire.name}={text}" if wire.style == "matrix" else text


def _header_text(name: str, text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ToolFailed(f"The header {name} cannot hold line breaks or control characters.")
    return text


# ---------------------------------------------------------------- bodies


async def _body(body: Body, given: Mapping[str, Value], call: ToolCall) -> dict[str, Any]:
    """The body's arguments of an `HttpRequest`, with `media_type` where a header has to say it."""
    if not body.names and WHOLE_BODY not in given:
        return {}
    sent: Any = given[WHOLE_BODY] if not body.names else {name: given[name] for name in body.names if name in given}
    if body.media_type == "multipart/form-data" and isinstance(sent, dict):
        parts = [part for name, value in sent.items() for part in await _parts(name, value, call)]
        return {"parts": tuple(parts)}
    if body.media_type == "application/x-www-form-urlencoded" and isinstance(sent, dict):
        return {"form": tuple(_form(sent))}
    if is_json(body.media_type):
        return {"body": _json(sent, body.integers), "media_type": body.media_type}
    file = as_file(sent)
    data = await _read(file, call) if file is not None else text_of(sent).encode()
    return {"body": data, "media_type": body.media_type}


def _json(sent: Any, integers: frozenset[str]) -> bytes:
    if isinstance(sent, dict):
        # Numbers that models and forms give are often 3.0 where the document says integer.
        sent = {
            name: int(value) if name in integers and isinstance(value, float) and value.is_integer() else value
            for name, value in sent.items()
        }
    return json.dumps(plain(sent), ensure_ascii=False).encode()


def _form(sent: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in sent.items():
        items: Sequence[Any] = value if isinstance(value, list) else [value]
        pairs += [(name, text_of(plain(item))) for item in items]
    return pairs


async def _parts(name: str, value: Any, call: ToolCall) -> list[HttpPart]:
    parts: list[HttpPart] = []
    for item in value if isinstance(value, list) else [value]:
        file = as_file(item)
        if file is None:
            parts.append(HttpPart(name=name, value=text_of(plain(item))))
        else:
            data = await _read(file, call)
            parts.append(HttpPart(name=name, data=data, filename=file.filename, mime_type=file.mime_type))
    return parts


async def _read(file: File, call: ToolCall) -> bytes:
    try:
        return await call.port(Files).read(file)
    except FileUnavailable as error:
        raise ToolFailed(str(error)) from error


# ---------------------------------------------------------------- answers


async def _messages(response: HttpResponse, call: ToolCall) -> AsyncIterator[ToolMessage]:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and not is_json(media_type) and not media_type.startswith(_TEXT_TYPES):
        if response.body:
            yield ToolMessage(kind="file", file=await _kept(response, media_type, call))
        return
    text = _text(response)
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if isinstance(data, (dict, list)):
        yield ToolMessage(kind="json", data=data)
        text = json.dumps(data, ensure_ascii=False)
    yield ToolMessage(kind="text", text=text)


async def _kept(response: HttpResponse, media_type: str, call: ToolCall) -> File:
    name = response.url.partition("?")[0].rstrip("/").rpartition("/")[2][:100] or "answer"
    extension = mimetypes.guess_extension(media_type) or ""
    filename = name if name.endswith(extension) else f"{name}{extension}"
    try:
        return await call.port(Files).save(filename=filename, mime_type=media_type, data=response.body)
    except FileUnavailable as error:
        raise ToolFailed(str(error)) from error


def _text(response: HttpResponse) -> str:
    charset = "utf-8"
    for item in response.headers.get("content-type", "").split(";")[1:]:
        name, _, value = item.strip().partition("=")
        if name.lower() == "charset":
            charset = value.strip("\"' ")
    try:
        return response.body.decode(charset, errors="replace")
    except LookupError:
        return response.body.decode(errors="replace")
