"""Pieces of prompts: histories, context passages and call parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from tidemill.llm.types import MediaPart, Message, Part, Role, TextPart

MAX_STOPS: Final = 4
MAX_PARAMETER_CHARS: Final = 1024

_INTEGERS = frozenset(
    [
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "num_predict",
        "top_k",
        "seed",
        "n",
        "thinking_budget",
        "num_ctx",
        "repeat_last_n",
        "top_logprobs",
    ]
)
_FLOATS = frozenset(
    [
        "temperature",
        "top_p",
        "min_p",
        "presence_penalty",
        "frequency_penalty",
        "repetition_penalty",
        "repeat_penalty",
        "typical_p",
    ]
)
_BOOLEANS = frozenset(["enable_thinking", "enable_search", "logprobs", "echo", "incremental_output"])
_ANSWER_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict")


class ParameterInvalid(ValueError):
    """A call parameter that cannot be used. One sentence naming it."""


class CallParameters(msgspec.Struct, frozen=True, kw_only=True):
    """`completion_params` of an app, sorted into what a `ChatRequest` has fields for and the rest."""

    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = None
    json_object: bool = False
    params: dict[str, Any] = {}


def read_parameters(raw: Mapping[str, Any], render: Callable[[str], str]) -> CallParameters:
    """Render and type the parameters of a call.

    Raises:
        ParameterInvalid: A rendered value is over 1024 characters or does not have its parameter's type.
    """
    values = {name: _typed(name, value, render) for name, value in raw.items() if value is not None}
    limits = [values.pop(name, None) for name in _ANSWER_LIMITS]
    max_tokens = next((limit for limit in limits if isinstance(limit, int) and limit > 0), None)
    response_format = values.pop("response_format", None)
    schema = _json_schema(values.pop("json_schema", None)) if response_format == "json_schema" else None
    values.pop("json_schema", None)
    return CallParameters(
        max_tokens=max_tokens,
        stop=_stops(values.pop("stop", None)),
        json_schema=schema,
        json_object=response_format in ("json_object", "JSON"),
        params=values,
    )


def _typed(name: str, value: Any, render: Callable[[str], str]) -> Any:
    if not isinstance(value, str) or name == "json_schema":
        return value
    text = render(value)
    if len(text) > MAX_PARAMETER_CHARS and text != value:
        raise ParameterInvalid(
            f"The model parameter {name} has {len(text)} characters after its variables were filled in; "
            f"at most {MAX_PARAMETER_CHARS} are allowed."
        )
    try:
        if name in _INTEGERS:
            return int(float(text))
        if name in _FLOATS:
            return float(text)
    except (ValueError, OverflowError) as error:
        raise ParameterInvalid(f'The model parameter {name} is "{text}", which is not a number.') from error
    if name in _BOOLEANS and text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    return text


def _stops(value: Any) -> tuple[str, ...]:
    candidates = [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
    return tuple(stop for stop in candidates if isinstance(stop, str) and stop)[:MAX_STOPS]


def _json_schema(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ParameterInvalid(f"The model parameter json_schema is not JSON: {error}.") from error
    if not isinstance(value, dict):
        return None
    # Files hold either the schema or OpenAI's envelope around it.
    inner = value.get("schema")
    return inner if isinstance(inner, dict) and "type" not in value else value


# ---------------------------------------------------------------- messages


def message_of(role: Role, text: str, media: Sequence[MediaPart] = (), *, is_history: bool = False) -> Message:
    """A message with its media before its text, as models expect them."""
    if not media:
        return Message(role=role, content=text, is_history=is_history)
    parts: list[Part] = list(media)
    if text:
        parts.append(TextPart(text))
    return Message(role=role, content=tuple(parts), is_history=is_history)


def with_media(messages: Sequence[Message], media: Sequence[MediaPart]) -> list[Message]:
    """Put media before the text of the last message if it is the user's, else into a message of their own."""
    if not media:
        return list(messages)
    if not messages or messages[-1].role != "user":
        return [*messages, message_of("user", "", media)]
    last = messages[-1]
    rest: tuple[Part, ...] = (
        last.content if isinstance(last.content, tuple) else (TextPart(last.content),) if last.content else ()
    )
    return [*messages[:-1], msgspec.structs.replace(last, content=(*media, *rest))]


def is_empty(message: Message) -> bool:
    """Whether a message says nothing and shows nothing."""
    return not message.text and not _media(message)


def _media(message: Message) -> list[MediaPart]:
    # A text would be looked at letter by letter.
    return [] if isinstance(message.content, str) else [part for part in message.content if isinstance(part, MediaPart)]


def describe(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The prompt as a trace shows it: roles, texts, and files without their bytes."""
    return [
        {
            "role": message.role,
            "text": message.text,
            "files": [
                {"type": part.kind, "filename": part.filename, "mime_type": part.mime_type, "url": part.url}
                for part in _media(message)
            ],
        }
        for message in messages
    ]


def history_text(messages: Sequence[Message], *, user: str, assistant: str) -> str:
    """A conversation as one text, for prompts that are not chats."""
    prefix = {"user": user or "Human", "assistant": assistant or "Assistant"}
    return "\n".join(f"{prefix.get(message.role, message.role)}: {message.text}" for message in messages)


# ---------------------------------------------------------------- context


class ContextInvalid(ValueError):
    """A context variable whose items are no passages."""


def context_text(value: Any) -> str:
    """The passages of a context variable as one text.

    Raises:
        ContextInvalid: A list item is neither a text nor an object with `content`.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    lines: list[str] = []
    for item in value:
        if isinstance(item, str):
            lines.append(item)
            continue
        if not isinstance(item, dict) or "content" not in item:
            raise ContextInvalid(
                "Invalid context structure: every item of the context must be a text or an object with content."
            )
        if item.get("summary"):
            lines.append(str(item["summary"]))
        lines.append(str(item["content"]))
    return "\n".join(lines).rstrip()


def passages_of(value: Any) -> list[dict[str, Any]]:
    """The items of a context variable that came from a knowledge base."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict) and _source(item) == "knowledge"]


def _source(item: Mapping[str, Any]) -> Any:
    metadata = item.get("metadata")
    return metadata.get("_source") if isinstance(metadata, dict) else None


def template_text(value: Any) -> Any:
    """A variable as Jinja prompts see it: lists one item a line, objects as JSON, passages as their content."""
    if isinstance(value, list):
        return "\n".join(_item_text(item) for item in value).strip()
    if isinstance(value, dict):
        return _item_text(value)
    return "" if value is None else value


def _item_text(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    if isinstance(item.get("metadata"), dict) and "_source" in item["metadata"] and "content" in item:
        return str(item["content"])
    return json.dumps(item, ensure_ascii=False)
