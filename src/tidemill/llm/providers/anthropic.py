"""The Anthropic Messages wire.

Reference: Anthropic's API documentation, "Messages", "Streaming Messages" and "Tool use". Structured output goes
through one forced tool, which every Claude model understands; its input is streamed as the answer's text.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final

import msgspec

from tidemill.llm.errors import StreamBroken
from tidemill.llm.failures import error_in_stream
from tidemill.llm.sse import EventTooLong, SseParser
from tidemill.llm.transport import Endpoint, drain, posted, read_block
from tidemill.llm.types import ChatDelta, ChatRequest, MediaPart, Message, TextPart, TokenCounts, ToolCallDelta

API_VERSION: Final = "2023-06-01"
ANSWER_TOOL: Final = "answer"
LEAST_THINKING: Final = 1024
_FINISH: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Message(msgspec.Struct, gc=False):
    usage: _Usage | None = None


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    id: str = ""
    name: str = ""


class _Delta(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct, gc=False):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Event).decode


class AnthropicChat:
    """A `ChatWire`. `has_fixed_sampling` marks models that refuse temperature and the like."""

    def __init__(self, endpoint: Endpoint, *, model: str, has_fixed_sampling: bool = False) -> None:
        self._endpoint = endpoint
        self._model = model
        self._has_fixed_sampling = has_fixed_sampling

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        provider = self._endpoint.provider
        body = to_wire(request, self._model, has_fixed_sampling=self._has_fixed_sampling)
        async with posted(self._endpoint, body) as response:
            reader = _Reader(provider, answers_by_tool=request.json_schema is not None)
            while not reader.is_done and (block := await read_block(response, provider)):
                for delta in reader.feed(block):
                    yield delta
            if reader.is_done:
                await drain(response)
            yield reader.last()


class _Reader:
    """Turns blocks of the stream into deltas; keeps stop reason and usage for the last one."""

    def __init__(self, provider: str, *, answers_by_tool: bool) -> None:
        self._provider = provider
        self._answers_by_tool = answers_by_tool
        self._parser = SseParser()
        self._stop_reason = "end_turn"
        self._usage = _Usage()
        self._tools: dict[int, int] = {}  # content block index -> index among the tool calls
        self._answer_block = -1
        self.is_done = False

    def feed(self, block: bytes) -> Iterator[ChatDelta]:
        try:
            events = self._parser.feed(block)
        except EventTooLong as error:
            raise StreamBroken(f"{self._provider} sent an event that has no end.") from error
        return (delta for data in events if (delta := self._delta(data)) is not None)

    def last(self) -> ChatDelta:
        if not self.is_done:
            raise StreamBroken(f"The answer of {self._provider} was cut off before its end. Try again.")
        reason = _FINISH.get(self._stop_reason, self._stop_reason)
        if self._answer_block >= 0 and reason == "tool_calls":
            reason = "stop"
        return ChatDelta(finish_reason=reason, counts=self._counts())

    def _delta(self, data: bytes) -> ChatDelta | None:
        try:
            event = _decode(data)
        except msgspec.DecodeError as error:
            raise StreamBroken(f"{self._provider} sent a malformed line in its answer. Try again.") from error
        match event.type:
            case "content_block_delta":
                return self._piece(event)
            case "content_block_start":
                return self._opened(event)
            case "message_start":
                self._count(event.message.usage if event.message else None)
            case "message_delta":
                self._count(event.usage)
                if event.delta and event.delta.stop_reason:
                    self._stop_reason = event.delta.stop_reason
            case "message_stop":
                self.is_done = True
            case "error":
                raise error_in_stream(event.error, self._provider)
            case _:
                return None
        return None

    def _piece(self, event: _Event) -> ChatDelta | None:
        delta = event.delta
        if delta is None:
            return None
        if delta.text:
            # Beside the forced answer, prose of the model would spoil the JSON.
            return None if self._answers_by_tool else ChatDelta(text=delta.text)
        if delta.thinking:
            return ChatDelta(reasoning=delta.thinking)
        if delta.partial_json:
            if event.index == self._answer_block:
                return ChatDelta(text=delta.partial_json)
            index = self._tools.get(event.index, 0)
            return ChatDelta(tool_calls=(ToolCallDelta(index=index, arguments=delta.partial_json),))
        return None

    def _opened(self, event: _Event) -> ChatDelta | None:
        block = event.content_block
        if block is None or block.type != "tool_use":
            return None
        if self._answers_by_tool and block.name == ANSWER_TOOL:
            self._answer_block = event.index
            return None
        index = self._tools.setdefault(event.index, len(self._tools))
        return ChatDelta(tool_calls=(ToolCallDelta(index=index, id=block.id, name=block.name),))

    def _count(self, usage: _Usage | None) -> None:
        if usage is None:
            return
        for name in usage.__struct_fields__:
            value = getattr(usage, name)
            if value is not None:
                setattr(self._usage, name, value)

    def _counts(self) -> TokenCounts | None:
        usage = self._usage
        if usage.input_tokens is None:
            return None
        cached = usage.cache_read_input_tokens or 0
        return TokenCounts(
            prompt_tokens=usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0),
            completion_tokens=usage.output_tokens or 0,
            cached_tokens=cached,
        )


def to_wire(request: ChatRequest, model: str, *, has_fixed_sampling: bool = False) -> dict[str, Any]:
    """The JSON body of a streaming request."""
    system = "\n\n".join(message.text for message in request.messages if message.role == "system" and message.text)
    # The API refuses blocks of tool use in a request that offers no tools; such a conversation is told as text.
    has_tools = bool(request.tools) or request.json_schema is not None
    messages = _messages([message for message in request.messages if message.role != "system"], has_tools=has_tools)
    if not messages:
        # The API wants a user message; app files often hold nothing but a system prompt.
        system, messages = "", [{"role": "user", "content": [{"type": "text", "text": system or "."}]}]
    body: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": request.max_tokens or 1, "stream": True}
    if system:
        body["system"] = system
    if request.stop:
        body["stop_sequences"] = [stop for stop in request.stop if stop.strip()]
    body.update(_tools(request))
    thinking = _thinking(request)
    if thinking:
        body["thinking"] = thinking
    elif not has_fixed_sampling:
        body.update(_sampling(request))
    return body


def _sampling(request: ChatRequest) -> dict[str, Any]:
    params = {name: request.params[name] for name in ("temperature", "top_p", "top_k") if name in request.params}
    params = {name: value for name, value in params.items() if value is not None and value != ""}
    if isinstance(params.get("temperature"), (int, float)):
        params["temperature"] = min(1.0, params["temperature"])  # OpenAI's scale goes to 2.
        params.pop("top_p", None)  # Newer models refuse both together; temperature is what authors set.
    return params


def _tools(request: ChatRequest) -> dict[str, Any]:
    tools = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in request.tools
    ]
    if request.json_schema is not None:
        answer = {
            "name": ANSWER_TOOL,
            "description": "Give the answer in this form.",
            "input_schema": request.json_schema,
        }
        return {"tools": [*tools, answer], "tool_choice": {"type": "tool", "name": ANSWER_TOOL}}
    if not tools:
        return {}
    choice = request.tool_choice or "auto"
    kinds = {"auto": "auto", "none": "none", "required": "any"}
    wire = {"type": kinds[choice]} if choice in kinds else {"type": "tool", "name": choice}
    return {"tools": tools, "tool_choice": wire}


def _thinking(request: ChatRequest) -> dict[str, Any] | None:
    wish = request.params.get("thinking")
    if isinstance(wish, dict):
        return wish
    # Thinking cannot be combined with a forced tool, and the signed blocks of earlier turns are not kept.
    has_tools = request.json_schema is not None or any(message.tool_calls for message in request.messages)
    budget = min(int(request.params.get("thinking_budget") or LEAST_THINKING), (request.max_tokens or 0) - 1)
    if wish is not True or has_tools or budget < LEAST_THINKING:
        return None
    return {"type": "enabled", "budget_tokens": budget}


def _messages(messages: list[Message], *, has_tools: bool) -> list[dict[str, Any]]:
    wire: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message, has_tools=has_tools)
        if not blocks:
            continue
        if wire and wire[-1]["role"] == role:
            wire[-1]["content"].extend(blocks)
        else:
            wire.append({"role": role, "content": blocks})
    if wire and wire[0]["role"] == "assistant":
        wire.insert(0, {"role": "user", "content": [{"type": "text", "text": "."}]})
    return wire


def _blocks(message: Message, *, has_tools: bool) -> list[dict[str, Any]]:
    if message.role == "tool":
        if not has_tools:
            return [{"type": "text", "text": f"Result of the tool:\n{message.text}"}]
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id or "", "content": message.text or "."}]
    blocks: list[dict[str, Any]] = []
    parts = (TextPart(message.content),) if isinstance(message.content, str) else message.content
    for part in parts:
        if isinstance(part, MediaPart):
            blocks.append(_media(part))
        elif part.text.strip():
            blocks.append({"type": "text", "text": part.text})
    for call in message.tool_calls:
        if not has_tools:
            blocks.append({"type": "text", "text": f"(Calling the tool {call.name}: {call.arguments})"})
            continue
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": _object(call.arguments)})
    return blocks


def _object(arguments: str) -> Any:
    try:
        value = msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        return {"arguments": arguments}
    return value if isinstance(value, dict) else {"arguments": value}


def _media(part: MediaPart) -> dict[str, Any]:
    kind = "image" if part.kind == "image" else "document"
    if part.data is not None:
        source = {"type": "base64", "media_type": part.mime_type or "application/octet-stream", "data": part.data}
    else:
        source = {"type": "url", "url": part.url or ""}
    return {"type": kind, "source": source}
