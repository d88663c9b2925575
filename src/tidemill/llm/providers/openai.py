"""The OpenAI-compatible wire of chat completions.

Reference: OpenAI's API reference, "Chat"; `reasoning_content` as DeepSeek documents it,
`reasoning` as OpenRouter and Ollama do.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import msgspec

from tidemill.llm.errors import StreamBroken
from tidemill.llm.failures import error_in_stream
from tidemill.llm.quirks import Quirks, accepted
from tidemill.llm.sse import EventTooLong, SseParser
from tidemill.llm.transport import Endpoint, drain, posted, read_block, read_body
from tidemill.llm.types import (
    ChatDelta,
    ChatRequest,
    MediaPart,
    Message,
    Part,
    TextPart,
    TokenCounts,
    ToolCallDelta,
    ToolSpec,
)


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCall(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Details(msgspec.Struct, gc=False):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    object: str | None = None
    message: str | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class OpenAIChat:
    """A `ChatWire`. It is handed its endpoint, so it knows no settings and no database."""

    def __init__(self, endpoint: Endpoint, *, model: str, quirks: Quirks) -> None:
        self._endpoint = endpoint
        self._model = model
        self._quirks = quirks

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        provider = self._endpoint.provider
        async with posted(self._endpoint, to_wire(request, self._model, self._quirks)) as response:
            if response.content_type == "application/json":
                # The server ignored `stream` and sent the whole answer.
                yield whole(await read_body(response, provider), provider)
                return
            reader = _Reader(provider)
            while not reader.is_done and (block := await read_block(response, provider)):
                for delta in reader.feed(block):
                    yield delta
            if not reader.is_done:
                for delta in reader.finish():
                    yield delta
            else:
                await drain(response)
            yield reader.last()


class _Reader:
    """Turns blocks of the stream into deltas; keeps finish reason and usage for the last one."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._parser = SseParser()
        self._finish_reason: str | None = None
        self._usage: _Usage | None = None
        self.is_done = False

    def feed(self, block: bytes) -> Iterator[ChatDelta]:
        try:
            events = self._parser.feed(block)
        except EventTooLong as error:
            raise StreamBroken(f"{self._provider} sent an event that has no end.") from error
        return self._deltas(events)

    def finish(self) -> Iterator[ChatDelta]:
        return self._deltas(self._parser.finish())

    def last(self) -> ChatDelta:
        if self._finish_reason is None and not self.is_done:
            raise StreamBroken(f"The answer of {self._provider} was cut off before its end. Try again.")
        return ChatDelta(finish_reason=self._finish_reason or "stop", counts=_counts(self._usage))

    def _deltas(self, events: list[bytes]) -> Iterator[ChatDelta]:
        # One by one, so that an error at the end of a block does not swallow the text before it.
        for data in events:
            if data == b"[DONE]":
                self.is_done = True
                return
            delta = self._delta(data)
            if delta is not None:
                yield delta

    def _delta(self, data: bytes) -> ChatDelta | None:
        chunk = _decoded(data, self._provider)
        if chunk.usage is not None:
            self._usage = chunk.usage
        if not chunk.choices:
            return None
        choice = chunk.choices[0]
        if choice.finish_reason:
            self._finish_reason = choice.finish_reason
        delta = choice.delta
        if delta is None:
            return None
        text = delta.content
        reasoning = delta.reasoning_content or delta.reasoning
        if delta.tool_calls:
            return ChatDelta(text=text or "", reasoning=reasoning or "", tool_calls=_calls(delta.tool_calls))
        if text or reasoning:
            return ChatDelta(text=text or "", reasoning=reasoning or "")
        return None


def _decoded(data: bytes, provider: str) -> _Chunk:
    try:
        chunk = _decode_chunk(data)
    except msgspec.DecodeError as error:
        raise StreamBroken(f"{provider} sent a malformed line in its answer. Try again.") from error
    if chunk.error:
        raise error_in_stream(chunk.error, provider)
    if chunk.object == "error":
        raise error_in_stream({"message": chunk.message or ""}, provider)
    return chunk


def whole(body: bytes, provider: str) -> ChatDelta:
    """The answer of a server that does not stream, as one delta."""
    chunk = _decoded(body, provider)
    message = chunk.choices[0].message if chunk.choices else None
    if chunk.choices is None or message is None:
        raise StreamBroken(f"{provider} answered with something that is not a chat completion. Check the base URL.")
    return ChatDelta(
        text=message.content or "",
        reasoning=message.reasoning_content or message.reasoning or "",
        tool_calls=_calls(message.tool_calls or []),
        finish_reason=chunk.choices[0].finish_reason or "stop",
        counts=_counts(chunk.usage),
    )


def _calls(calls: Sequence[_ToolCall]) -> tuple[ToolCallDelta, ...]:
    return tuple(
        ToolCallDelta(
            index=position if call.index is None else call.index,
            id=call.id or "",
            name=(call.function.name if call.function else None) or "",
            arguments=_arguments(call.function),
        )
        for position, call in enumerate(calls)
    )


def _arguments(function: _Function | None) -> str:
    # Some servers send the arguments as an object instead of JSON text.
    if function is None or function.arguments is None:
        return ""
    if isinstance(function.arguments, str):
        return function.arguments
    return msgspec.json.encode(function.arguments).decode()


def _counts(usage: _Usage | None) -> TokenCounts | None:
    if usage is None or usage.prompt_tokens is None:
        return None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return TokenCounts(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens or 0,
        cached_tokens=(prompt.cached_tokens if prompt else None) or 0,
        reasoning_tokens=(completion.reasoning_tokens if completion else None) or 0,
    )


def to_wire(request: ChatRequest, model: str, quirks: Quirks) -> dict[str, Any]:
    """The JSON body of a streaming request."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message, quirks) for message in request.messages],
        "stream": True,
        **accepted(request.params, quirks),
    }
    if quirks.has_stream_usage:
        body["stream_options"] = {"include_usage": True}
    if request.max_tokens is not None:
        body[quirks.max_tokens_field] = request.max_tokens
    if request.stop and quirks.max_stop:
        body["stop"] = list(request.stop[: quirks.max_stop])
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
        if request.tool_choice:
            body["tool_choice"] = _tool_choice(request.tool_choice)
    if request.json_schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": _schema(request.json_schema)}
    elif request.json_object:
        body["response_format"] = {"type": "json_object"}
    return body


def _message(message: Message, quirks: Quirks) -> dict[str, Any]:
    content: Any = message.content if isinstance(message.content, str) else [_part(part) for part in message.content]
    body: dict[str, Any] = {"role": message.role, "content": content}
    if message.tool_calls:
        body["content"] = content or None
        body["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
        if quirks.takes_reasoning_back and message.reasoning:
            body["reasoning_content"] = message.reasoning
    if message.tool_call_id is not None:
        body["tool_call_id"] = message.tool_call_id
    return body


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    url = part.url or data_url(part)
    match part.kind:
        case "image":
            return {"type": "image_url", "image_url": {"url": url, "detail": part.detail}}
        case "audio":
            form = part.mime_type.rsplit("/", 1)[-1].replace("mpeg", "mp3").replace("x-wav", "wav") or "mp3"
            return {"type": "input_audio", "input_audio": {"data": part.data or url, "format": form}}
        case "video":
            return {"type": "video_url", "video_url": {"url": url}}
        case "document":
            return {"type": "file", "file": {"filename": part.filename or "document", "file_data": url}}


def data_url(part: MediaPart) -> str:
    """A media part's bytes as a `data:` URL."""
    return f"data:{part.mime_type or 'application/octet-stream'};base64,{part.data or ''}"


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    }


def _tool_choice(choice: str) -> Any:
    return choice if choice in ("auto", "none", "required") else {"type": "function", "function": {"name": choice}}


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": "answer", "schema": schema, "strict": is_strict(schema)}


def is_strict(schema: Any) -> bool:
    """Whether a schema keeps the rules of strict mode: every object closed and all its properties required."""
    if isinstance(schema, list):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", [])) != set(properties):
            return False
    return all(is_strict(value) for value in schema.values())
