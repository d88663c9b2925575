"""Messages, requests and answers of chat models: one vocabulary for every provider wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from tidemill.engine.events import Usage

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
ModelKind: TypeAlias = Literal["chat", "completion", "embedding", "rerank", "speech-to-text", "text-to-speech"]
Feature: TypeAlias = Literal[
    "vision", "document", "audio", "video", "tool-call", "multi-tool-call", "json-schema", "json-object", "reasoning"
]
PartKind: TypeAlias = Literal["image", "document", "audio", "video"]


class ModelRef(msgspec.Struct, frozen=True):
    """A model as an app names it. `provider` is the app's spelling; resolving it is the catalogue's work."""

    provider: str
    name: str


class TextPart(msgspec.Struct, frozen=True, tag="text"):
    text: str


class MediaPart(msgspec.Struct, frozen=True, kw_only=True, tag="media"):
    """A picture or file inside a message: either a public `url` or `data` (base64) with `mime_type`.

    `width` and `height` are pixels, 0 when unknown; they price images. `detail` applies to images.
    """

    kind: PartKind
    url: str | None = None
    data: str | None = None
    mime_type: str = ""
    filename: str = ""
    detail: Literal["low", "high", "auto"] = "auto"
    width: int = 0
    height: int = 0


Part: TypeAlias = TextPart | MediaPart


class ToolCall(msgspec.Struct, frozen=True):
    """A call the model asks for; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `is_history` marks what the token budget may drop, oldest first."""

    role: Role
    content: str | tuple[Part, ...] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str = ""
    is_history: bool = False

    @property
    def text(self) -> str:
        """The text of the message, without its media parts."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, TextPart))


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool the model may call; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants of a model.

    `max_tokens` None leaves the reservation to the budget. `params` are the remaining sampling
    parameters under their OpenAI names (temperature, top_p, seed, ...); a wire drops what it does not know.
    `json_schema` asks for an answer of that shape, `json_object` for any JSON object.
    """

    messages: tuple[Message, ...]
    max_tokens: int | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | None = None  # "auto", "none", "required" or a tool's name
    json_schema: dict[str, Any] | None = None
    json_object: bool = False
    stop: tuple[str, ...] = ()
    params: Mapping[str, Any] = {}


class ToolCallDelta(msgspec.Struct, frozen=True, kw_only=True):
    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class TokenCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says it counted."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class ChatDelta(msgspec.Struct, frozen=True, kw_only=True):
    """The next piece of an answer. The last one carries `finish_reason` and, where the provider tells, `counts`."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish_reason: str | None = None
    counts: TokenCounts | None = None


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The arithmetic of one call: prompt_tokens + max_tokens <= window_tokens."""

    window_tokens: int
    prompt_tokens: int
    max_tokens: int
    requested_max_tokens: int | None = None
    trimmed_messages: int = 0
    trimmed_tokens: int = 0
    is_exact: bool = False


class FittedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that fits its model's window. Made by `ChatModel.fit` only; nothing else can be sent."""

    request: ChatRequest
    budget: Budget


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model: data of the catalogue, the provider's list or the person who added it."""

    provider: str
    name: str
    kind: ModelKind = "chat"
    window_tokens: int
    max_output_tokens: int | None = None
    features: frozenset[Feature] = frozenset()
    tokenizer: str = "estimate"  # "o200k", "cl100k", "estimate:<factor>"


class ChatModel(Protocol):
    """A chat model ready for use: wire, credentials, facts, tokenizer and prices bound together."""

    @property
    def facts(self) -> ModelFacts: ...

    def count(self, request: ChatRequest) -> int:
        """Tokens of the prompt: messages, tools, schema and images. Offline; an upper bound where not exact."""
        ...

    def fit(self, request: ChatRequest) -> FittedRequest:
        """Make the request fit the window: trim history oldest first, then lower max_tokens.

        Raises:
            ContextExceeded: The prompt alone does not fit, or fewer than 16 tokens would remain.
        """
        ...

    def stream(self, fitted: FittedRequest) -> AsyncIterator[ChatDelta]:
        """Send it. Raises the errors of `llm.errors`; closing the iterator closes the connection."""
        ...

    def usage(self, fitted: FittedRequest, counts: TokenCounts | None, *, completion_text: str = "") -> Usage:
        """Tokens and price of a finished call; without `counts` both are estimated from the texts."""
        ...


class EmbeddingModel(Protocol):
    @property
    def facts(self) -> ModelFacts: ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-free vector per text, in order."""
        ...
