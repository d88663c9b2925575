"""What a node may ask of the outside world. Adapters and domains implement these; tests use small fakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from tidemill.engine.values import File, Value
from tidemill.llm.types import ChatModel, EmbeddingModel, MediaPart, ModelRef


class Models(Protocol):
    async def chat(self, ref: ModelRef) -> ChatModel:
        """The model ready for use. Raises `ModelNotConfigured` naming provider and model."""
        ...

    async def embedding(self, ref: ModelRef) -> EmbeddingModel: ...


class HttpPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a multipart body: a text `value`, or a file's `data`."""

    name: str
    value: str | None = None
    data: bytes = b""
    filename: str = ""
    mime_type: str = ""


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`query` and `headers` keep repeats and order. One of `body`, `form`, `parts` at most. Times in seconds."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    form: tuple[tuple[str, str], ...] | None = None
    parts: tuple[HttpPart, ...] | None = None
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 600.0
    write_timeout_s: float = 600.0
    verify_tls: bool = True
    max_body_bytes: int = 10 * 1024 * 1024


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Header names are lower case; the body is whole."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


class HttpFailed(Exception):
    """No response: refused by the egress guard, unreachable, too slow or too large. One sentence."""


class EgressRefused(HttpFailed):
    """The guard does not let requests go there. Names the host and the setting that would allow it."""


class Http(Protocol):
    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send through the egress guard, following redirects. Raises `HttpFailed`."""
        ...


class Templates(Protocol):
    async def render(self, source: str, values: Mapping[str, Value], *, max_chars: int) -> str:
        """Render Jinja text on copies of plain values. Raises `TemplateFailed`; bounded in time and memory."""
        ...


class TemplateFailed(Exception):
    """The template is wrong, or went over a limit. One sentence."""


class Files(Protocol):
    async def read(self, file: File) -> bytes:
        """The bytes of a file the run may see. Raises `FileUnavailable`."""
        ...

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        """Keep bytes a node made."""
        ...

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        """A file as a model reads it. Raises `FileUnavailable`."""
        ...


class FileUnavailable(Exception):
    """The file does not exist, is not the caller's, or cannot be fetched."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One stored exchange of a conversation."""

    query: str
    answer: str
    files: tuple[File, ...] = ()


class History(Protocol):
    async def turns(self, limit: int) -> Sequence[Turn]:
        """The last `limit` completed turns of this run's conversation, oldest first; empty without one."""
        ...


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A retrieved piece of a document, in the shape the retrieval node's `result` items have."""

    content: str
    title: str
    metadata: dict[str, Any]
    files: tuple[File, ...] = ()


class Knowledge(Protocol):
    async def retrieve(
        self, *, query: str, dataset_ids: Sequence[str], options: Mapping[str, Any]
    ) -> Sequence[Passage]: ...
