"""Headers, parameters, authorization and bodies of the HTTP node, from its configuration."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BeforeValidator, Field, model_validator

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context
from tidemill.engine.templates import selectors
from tidemill.engine.values import File, Missing, Selector, as_file
from tidemill.nodes._schema import JsonUnreadable, read_json
from tidemill.nodes._shapes import LooseText, SelectorField, Shape
from tidemill.ports import Files, FileUnavailable, HttpPart

Pairs = list[tuple[str, str]]


def _refused(sentence: str, error_type: str) -> NodeFailed:
    return NodeFailed(sentence, error_type=error_type, is_retryable=False)


# ---------------------------------------------------------------- authorization


class AuthHeader(msgspec.Struct, frozen=True):
    name: str
    value: str


class ApiKey(Shape):
    type: Literal["basic", "bearer", "custom"] = "bearer"
    api_key: str = ""
    header: str = ""


class Authorization(Shape):
    type: Literal["no-auth", "api-key"] = "no-auth"
    config: ApiKey | None = None

    @property
    def template(self) -> str:
        """The key as it is configured, before rendering."""
        return self.config.api_key if self.type == "api-key" and self.config else ""

    def header_of(self, ctx: Context) -> AuthHeader | None:
        """The header that authorizes the request, or None."""
        if self.type == "no-auth":
            return None
        if self.config is None:
            raise _refused("The authorization has no API key configuration.", "AuthorizationConfigError")
        key = ctx.render(self.config.api_key).strip()
        if not key:
            raise _refused("The API key of the authorization is empty.", "AuthorizationConfigError")
        match self.config.type:
            case "bearer":
                return AuthHeader("Authorization", f"Bearer {key}")
            case "basic":
                credentials = base64.b64encode(key.encode()).decode() if ":" in key else key
                return AuthHeader("Authorization", f"Basic {credentials}")
            case "custom":
                return AuthHeader(self.config.header.strip() or "Authorization", key)


# ---------------------------------------------------------------- headers and parameters


def parse_headers(rendered: str) -> Pairs:
    """One `name: value` per line, split at the first colon; the value may be empty."""
    pairs: Pairs = []
    for line in rendered.splitlines():
        name, _, value = line.partition(":")
        if name.strip():
            pairs.append((name.strip(), value.strip()))
    return pairs


def parse_params(text: str, ctx: Context) -> tuple[tuple[str, str], ...]:
    """Split before rendering, so that values may hold line breaks; repeated names are kept."""
    pairs: Pairs = []
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip():
            pairs.append((ctx.render(name.strip()), ctx.render(value.strip())))
    return tuple(pairs)


# ---------------------------------------------------------------- bodies


class BodyItem(Shape):
    type: Literal["text", "file"] = "text"
    key: str = ""
    value: LooseText = ""
    file: SelectorField = ()


def _lines_as_items(text: str) -> list[dict[str, str]]:
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return [{"type": "text", "key": key.strip(), "value": value.strip()} for key, _, value in pairs]


def _item_list(value: Any) -> Any:
    return [] if value in ("", {}) else value


class Body(Shape):
    type: Literal["none", "form-data", "x-www-form-urlencoded", "raw-text", "json", "binary"] = "none"
    data: Annotated[tuple[BodyItem, ...], BeforeValidator(_item_list)] = Field(default=())

    @model_validator(mode="before")
    @classmethod
    def _text_of_2024(cls, body: Any) -> Any:
        if not isinstance(body, dict) or not isinstance(body.get("data"), str) or not body["data"]:
            return body
        text: str = body["data"]
        if body.get("type") in ("form-data", "x-www-form-urlencoded"):
            return {**body, "data": _lines_as_items(text)}
        return {**body, "data": [{"type": "text", "key": "", "value": text}]}

    def reads(self) -> tuple[Selector, ...]:
        found: list[Selector] = []
        for item in self.data:
            found += [*selectors(item.key), *selectors(item.value)]
            if item.file:
                found.append(item.file)
        return tuple(found)


class Payload(msgspec.Struct, kw_only=True):
    """A body ready to send, and the headers completed by its content type."""

    headers: Pairs
    body: bytes | None = None
    form: tuple[tuple[str, str], ...] | None = None
    parts: tuple[HttpPart, ...] | None = None


async def encode_body(body: Body | None, ctx: Context, headers: Pairs) -> Payload:
    """Render the body; the content type is set unless the headers have one."""
    if body is None:
        return Payload(headers=headers)
    match body.type:
        case "none":
            return Payload(headers=headers)
        case "raw-text":
            text = ctx.render(_only_item(body).value)
            return Payload(headers=_typed(headers, "text/plain"), body=text.encode())
        case "json":
            return Payload(headers=_typed(headers, "application/json"), body=_json(ctx.render(_only_item(body).value)))
        case "binary":
            file = _one_file(_only_item(body), ctx)
            data = await _bytes_of(file, ctx)
            return Payload(headers=_typed(headers, file.mime_type or "application/octet-stream"), body=data)
        case "x-www-form-urlencoded":
            form = tuple((ctx.render(item.key), ctx.render(item.value)) for item in body.data)
            return Payload(headers=_typed(headers, "application/x-www-form-urlencoded"), form=form)
        case "form-data":
            return Payload(headers=_without_bare_multipart(headers), parts=await _parts(body, ctx))


def _only_item(body: Body) -> BodyItem:
    if len(body.data) != 1:
        raise _refused(f"A {body.type} body needs exactly one item, this one has {len(body.data)}.", "RequestBodyError")
    return body.data[0]


def _typed(headers: Pairs, content_type: str) -> Pairs:
    if any(name.lower() == "content-type" for name, _ in headers):
        return headers
    return [*headers, ("Content-Type", content_type)]


def _without_bare_multipart(headers: Pairs) -> Pairs:
    # Without its boundary the header would make the body unreadable; the client writes a whole one.
    return [
        (name, value)
        for name, value in headers
        if name.lower() != "content-type" or ("multipart" in value.lower() and "boundary=" in value.lower())
    ]


def _json(text: str) -> bytes:
    try:
        value = read_json(text)
    except JsonUnreadable as error:
        raise _refused(f"The JSON body cannot be read. {error}", "RequestBodyError") from error
    return json.dumps(value, ensure_ascii=False).encode()


def _files_of(item: BodyItem, ctx: Context) -> list[File]:
    value = ctx.find(item.file)
    if isinstance(value, Missing):
        return []
    candidates = value if isinstance(value, list) else [value]
    return [file for file in map(as_file, candidates) if file is not None]


def _one_file(item: BodyItem, ctx: Context) -> File:
    files = _files_of(item, ctx)
    if not files:
        raise _refused(f"There is no file in {'.'.join(item.file) or 'the body'}.", "FileFetchError")
    return files[0]


async def _bytes_of(file: File, ctx: Context) -> bytes:
    try:
        return await ctx.port(Files).read(file)
    except FileUnavailable as error:
        raise NodeFailed(str(error), error_type="FileFetchError") from error


async def _parts(body: Body, ctx: Context) -> tuple[HttpPart, ...]:
    parts: list[HttpPart] = []
    for item in body.data:
        name = ctx.render(item.key)
        if item.type == "text":
            parts.append(HttpPart(name=name, value=ctx.render(item.value)))
            continue
        for file in _files_of(item, ctx):
            data = await _bytes_of(file, ctx)
            parts.append(
                HttpPart(
                    name=name,
                    data=data,
                    filename=file.filename or "file",
                    mime_type=file.mime_type or "application/octet-stream",
                )
            )
    if not parts:
        # A multipart body cannot be empty.
        parts.append(HttpPart(name="__multipart_placeholder__", mime_type="application/octet-stream"))
    return tuple(parts)
