"""Webhook trigger: an HTTP request from outside begins the run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BeforeValidator, Field, field_validator, model_validator

from tidemill.engine.errors import InputInvalid
from tidemill.engine.node import Node
from tidemill.engine.values import File, Value, as_file, is_number
from tidemill.nodes._shapes import LooseText, Settings, Shape, first_repeated
from tidemill.nodes._trigger import Trigger

Kind = Literal[
    "string",
    "number",
    "boolean",
    "object",
    "array[string]",
    "array[number]",
    "array[boolean]",
    "array[object]",
    "file",
]
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
RAW = "_webhook_raw"
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})
_ARTICLES = {"string": "a text", "number": "a number", "boolean": "true or false", "object": "an object"}
_FILE_BODIES = (_MULTIPART, "application/octet-stream")


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class Parameter(Shape):
    name: str = Field(min_length=1)
    type: Annotated[Kind, BeforeValidator(_lower)] = "string"
    required: bool = False


class BodyEntry(Parameter):
    """One value of the request's body."""


class Config(Settings):
    method: Annotated[Literal["get", "post", "put", "delete", "patch", "head"], BeforeValidator(_lower)] = "get"
    content_type: Annotated[
        Literal[
            "application/json",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "text/plain",
            "application/octet-stream",
        ],
        BeforeValidator(_lower),
    ] = "application/json"
    headers: tuple[Parameter, ...] = ()
    params: tuple[Parameter, ...] = ()
    body: tuple[BodyEntry, ...] = ()
    async_mode: bool = True
    status_code: int = Field(default=200, ge=100, le=599)
    response_body: LooseText = ""
    timeout: int = Field(default=30, ge=1)

    @field_validator("headers", "params", "body")
    @classmethod
    def _names_differ(cls, entries: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
        repeated = first_repeated(entry.name for entry in entries)
        if repeated is not None:
            raise ValueError(f'"{repeated}" is listed twice; give each entry a name of its own')
        return entries

    @model_validator(mode="after")
    def _body_fits_content_type(self) -> Config:
        for entry in self.body:
            if entry.type == "file" and self.content_type not in _FILE_BODIES:
                raise ValueError(
                    f'the body entry "{entry.name}" is a file, which a {self.content_type} body cannot carry; '
                    f"choose {_MULTIPART}"
                )
            is_structure = entry.type == "object" or entry.type.startswith("array[")
            if is_structure and self.content_type in (_FORM, _MULTIPART):
                raise ValueError(
                    f'the body entry "{entry.name}" is of type {entry.type}, which a {self.content_type} body '
                    "cannot carry; choose application/json"
                )
        return self

    @model_validator(mode="after")
    def _structure_is_json(self) -> Config:
        if self.response_body.lstrip().startswith(("{", "[")):
            try:
                json.loads(self.response_body)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"the response body begins like JSON but is none: {error}") from error
        return self


class WebhookRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came in.

    `body` is the parsed JSON of an application/json body, the fields by name of a form, the text of
    text/plain, and a `File` for application/octet-stream. `files` are the files of a multipart form.
    """

    method: str
    content_type: str = ""
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    body: Any = None
    files: Mapping[str, File] = {}


class WebhookResponse(msgspec.Struct, frozen=True):
    """What the sender is told at once; the run goes on by itself."""

    status: int
    body: Any


class WebhookRefused(Exception):
    """The request is not what the trigger takes. One sentence; `status` is the HTTP status to answer with."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def read_request(config: Config, request: WebhookRequest) -> dict[str, Value]:
    """The outputs of the trigger for a request.

    Raises:
        WebhookRefused: Another method or content type, something required is missing, or a wrong type.
    """
    if request.method.lower() != config.method:
        raise WebhookRefused(f"This webhook takes {config.method.upper()} requests, not {request.method.upper()}.")
    content_type = request.content_type.partition(";")[0].strip().lower()
    if content_type and content_type != config.content_type:
        raise WebhookRefused(f"This webhook takes {config.content_type} bodies, not {content_type}.")
    outputs: dict[str, Value] = {}
    headers = {_header_key(name): value for name, value in request.headers.items()}
    for entry in config.headers:
        outputs[entry.name.replace("-", "_")] = _required(entry, headers.get(_header_key(entry.name)), "header")
    for entry in config.params:
        outputs[entry.name] = _converted(entry, request.query.get(entry.name), "query parameter")
    for entry in config.body:
        outputs[entry.name] = _body_value(config, entry, request)
    outputs[RAW] = _raw(config, request)
    return outputs


def _header_key(name: str) -> str:
    return name.lower().replace("_", "-")


def _body_value(config: Config, entry: BodyEntry, request: WebhookRequest) -> Value:
    match config.content_type:
        case "application/json":
            fields: Mapping[str, Any] = request.body if isinstance(request.body, Mapping) else {}
            return _validated(entry, fields.get(entry.name))
        case "text/plain" | "application/octet-stream":
            return _required(entry, request.body, "body")
        case _:
            if entry.type == "file":
                return _required(entry, request.files.get(entry.name), "file")
            fields = request.body if isinstance(request.body, Mapping) else {}
            return _converted(entry, fields.get(entry.name), "form field")


def _required(entry: Parameter, value: Value, what: str) -> Value:
    if value is None and entry.required:
        raise WebhookRefused(f"The {what} `{entry.name}` is required and missing.")
    return value


def _validated(entry: Parameter, value: Any) -> Value:
    """A value of a JSON body: it must have its type already."""
    if _required(entry, value, "body value") is None:
        return None
    if not _is_of(value, entry.type):
        raise WebhookRefused(f"The body value `{entry.name}` must be {_ARTICLES.get(entry.type, entry.type)}.")
    return value


def _is_of(value: Any, kind: str) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "number":
            return is_number(value)
        case "boolean":
            return isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "file":
            return as_file(value) is not None
        case _:
            return isinstance(value, list) and all(_is_of(item, kind[6:-1]) for item in value)


def _converted(entry: Parameter, value: str | None, what: str) -> Value:
    """A value of a form or a query, which are all text."""
    if entry.type != "string" and value is not None and not value.strip():
        value = None
    if value is None:
        return _required(entry, value, what)
    if entry.type == "string":
        return value
    converted = _number(value) if entry.type == "number" else _boolean(value) if entry.type == "boolean" else None
    if converted is None:
        raise WebhookRefused(f'The {what} `{entry.name}` is "{value[:100]}", which is not of type {entry.type}.')
    return converted


def _number(text: str) -> int | float | None:
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError, OverflowError):
        number = float(text)
        if math.isfinite(number):
            return int(number) if number.is_integer() else number
    return None


def _boolean(text: str) -> bool | None:
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _raw(config: Config, request: WebhookRequest) -> dict[str, Value]:
    """The whole request, with what nobody declared."""
    is_raw = config.content_type in ("text/plain", "application/octet-stream")
    return {
        "method": request.method.upper(),
        "headers": dict(request.headers),
        "query_params": dict(request.query),
        "body": {"raw": request.body} if is_raw else request.body if request.body is not None else {},
        "files": dict(request.files),
    }


def response(config: Config) -> WebhookResponse:
    """What the sender of an accepted request is told: `body` is JSON data."""
    text = config.response_body.strip()
    if text.startswith(("{", "[")):
        return WebhookResponse(config.status_code, json.loads(text))
    is_success = 200 <= config.status_code < 300
    return WebhookResponse(
        config.status_code, {"message": text or ("Webhook processed successfully" if is_success else "")}
    )


class TriggerWebhook(Trigger, Node[Config, dict[str, Value]]):
    type = "trigger-webhook"
    title = "Webhook trigger"
    is_root = True
    is_inline = True

    def payload(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """Headers, parameters and body values by name, as text or as what they are."""
        entries = {
            **{entry.name.replace("-", "_"): entry for entry in self.config.headers},
            **{entry.name: entry for entry in (*self.config.params, *self.config.body)},
        }
        outputs = {name: self._by_hand(entry, name, given.get(name)) for name, entry in entries.items()}
        body = {name: value for name, value in given.items() if name not in outputs}
        body |= {entry.name: outputs[entry.name] for entry in self.config.body if outputs[entry.name] is not None}
        request = WebhookRequest(method=self.config.method, body=body)
        return {**outputs, RAW: {**_raw(self.config, request), "body": body}}

    def _by_hand(self, entry: Parameter, name: str, value: Any) -> Value:
        try:
            if isinstance(value, str) and entry.type in ("number", "boolean"):
                return _converted(entry, value, "input")
            if isinstance(value, str) and entry.type not in ("string", "file"):
                value = json.loads(value)
            return _validated(entry, value)
        except WebhookRefused as error:
            raise InputInvalid(str(error).rstrip("."), variable=name) from error
        except (ValueError, RecursionError) as error:
            raise InputInvalid(f"`{name}` must be JSON of type {entry.type}", variable=name) from error

    def file_names(self) -> frozenset[str]:
        return frozenset(entry.name for entry in self.config.body if entry.type == "file")
