"""Calls of models as JSON data, and their answers; see `call_forms`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tidemill.adapters.call_forms import Data, fingerprint
from tidemill.adapters.scrubbing import Scrubber
from tidemill.llm.types import ChatDelta, ChatRequest, FittedRequest, MediaPart, Message, ModelFacts


def chat_form(facts: ModelFacts, provider: str, name: str, fitted: FittedRequest, scrubber: Scrubber) -> Data:
    """A chat call. The answer's limit is the app's wish: what is left of the window is nothing the app said.

    `provider` and `name` are the app's words for the model; `about` holds what the model was.
    """
    asked = fitted.request
    form: Data = {
        "model": f"{facts.provider}/{facts.name}",
        "messages": [_message_form(message) for message in asked.messages],
        "max_tokens": fitted.budget.requested_max_tokens,
        **_further(asked),
    }
    text = msgspec.json.encode(form, enc_hook=str).decode()
    clean: Data = msgspec.json.decode(scrubber.json_text(text))
    return {**clean, "about": {"provider": provider, "name": name, "facts": _facts_form(facts)}}


def embedding_form(facts: ModelFacts, provider: str, name: str, texts: Sequence[str], scrubber: Scrubber) -> Data:
    about = {"provider": provider, "name": name, "facts": _facts_form(facts)}
    return {"model": f"{facts.provider}/{facts.name}", "texts": scrubber.data(list(texts)), "about": about}


def _further(asked: ChatRequest) -> Data:
    form: Data = {}
    if asked.tools:
        form["tools"] = msgspec.to_builtins(asked.tools)
        form["tool_choice"] = asked.tool_choice
    if asked.json_schema is not None:
        form["json_schema"] = asked.json_schema
    if asked.json_object:
        form["json_object"] = True
    if asked.stop:
        form["stop"] = list(asked.stop)
    if asked.params:
        form["params"] = dict(asked.params)
    return form


def _message_form(message: Message) -> Data:
    form: Data = {"role": message.role, "text": message.text}
    if not isinstance(message.content, str):
        form["media"] = [_media_form(part) for part in message.content if isinstance(part, MediaPart)]
    if message.tool_calls:
        form["tool_calls"] = [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    return form


def _media_form(part: MediaPart) -> Data:
    """What a picture is, not where it lies today: signed addresses change with every run."""
    form: Data = {"kind": part.kind, "filename": part.filename, "mime_type": part.mime_type, "detail": part.detail}
    if part.data is not None:
        form["data"] = fingerprint(part.data)
    return form


def deltas_form(deltas: Iterable[ChatDelta]) -> list[Any]:
    """The pieces of an answer: texts as they are, everything else as an object."""
    return [
        {name: value for name, value in msgspec.to_builtins(delta).items() if value}
        if delta.counts is not None or delta.finish_reason or delta.reasoning or delta.tool_calls
        else delta.text
        for delta in deltas
    ]


def deltas_of(form: Sequence[Any]) -> list[ChatDelta]:
    """The pieces that `deltas_form` wrote."""
    return [ChatDelta(text=piece) if isinstance(piece, str) else msgspec.convert(piece, ChatDelta) for piece in form]


def scrubbed_deltas(deltas: Sequence[ChatDelta], scrubber: Scrubber) -> list[Any]:
    """The form of the pieces without secrets. A secret may lie across pieces; their text is then one piece."""
    text = "".join(delta.text for delta in deltas)
    clean = scrubber.text(text)
    if clean == text:
        return [piece if isinstance(piece, str) else scrubber.data(piece) for piece in deltas_form(deltas)]
    rest = [msgspec.structs.replace(delta, text="") for delta in deltas]
    return [clean, *(scrubber.data(piece) for piece in deltas_form(rest) if piece)]


def _facts_form(facts: ModelFacts) -> Data:
    """In one order, so that a cassette recorded again differs only where something changed."""
    return {**msgspec.to_builtins(facts), "features": sorted(facts.features)}


def facts_of(about: Mapping[str, Any]) -> ModelFacts:
    return msgspec.convert(about["facts"], ModelFacts)
