"""Webhook trigger: an HTTP request from outside begins the run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from tidemill.engine.node import Node
from tidemill.nodes._shapes import LooseText, Settings, Shape, first_repeated
from tidemill.nodes._unavailable import Unavailable

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


class TriggerWebhook(Unavailable, Node[Config, dict[str, Any]]):
    type = "trigger-webhook"
    title = "Webhook trigger"
    is_root = True
