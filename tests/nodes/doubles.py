"""Small stand-ins for what lies outside the process: HTTP peers, models' wires, storage, conversations."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Literal

import msgspec

from tidemill.engine.values import File, Value
from tidemill.llm.chat import bind
from tidemill.llm.errors import ModelError, ModelNotConfigured
from tidemill.llm.types import (
    ChatDelta,
    ChatModel,
    ChatRequest,
    EmbeddingModel,
    Feature,
    MediaPart,
    ModelFacts,
    ModelRef,
    TokenCounts,
)
from tidemill.ports import FileUnavailable, HttpFailed, HttpRequest, HttpResponse, TemplateFailed, Turn


class Peer:
    """An HTTP peer: keeps the requests and answers what it was given."""

    def __init__(self, response: HttpResponse | HttpFailed | None = None) -> None:
        self.requests: list[HttpRequest] = []
        self._response = response or reply()

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        if isinstance(self._response, HttpFailed):
            raise self._response
        return self._response

    @property
    def request(self) -> HttpRequest:
        (request,) = self.requests
        return request


def reply(
    body: bytes = b"ok", kind: str = "text/plain", *, status: int = 200, url: str = "http://a.example/x", **headers: str
) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if kind:
        named["content-type"] = kind
    return HttpResponse(status=status, headers=named, body=body, url=url)


class Shelf:
    """Storage: bytes by file name, and what was saved."""

    def __init__(self, **contents: bytes) -> None:
        self._contents = {name.replace("_", "."): data for name, data in contents.items()}
        self.saved: list[tuple[str, str, bytes]] = []

    async def read(self, file: File) -> bytes:
        if file.filename not in self._contents:
            raise FileUnavailable(f"The file {file.filename} does not exist any more.")
        return self._contents[file.filename]

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        self.saved.append((filename, mime_type, data))
        return File(type="custom", transfer_method="tool_file", related_id="1", filename=filename, mime_type=mime_type)

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        await self.read(file)
        assert file.type != "custom"
        return MediaPart(kind=file.type, url=f"data:{file.filename}", filename=file.filename, detail=detail)


class Past:
    """A conversation so far."""

    def __init__(self, *turns: tuple[str, str], files: Mapping[str, tuple[File, ...]] | None = None) -> None:
        self._turns = [Turn(query=query, answer=answer, files=(files or {}).get(query, ())) for query, answer in turns]
        self.limits: list[int] = []

    async def turns(self, limit: int) -> Sequence[Turn]:
        self.limits.append(limit)
        return self._turns[-limit:]


class Script:
    """A model's wire: keeps the requests, streams the deltas it was given, raises an error in place of one."""

    def __init__(self, *deltas: ChatDelta | ModelError | str) -> None:
        self._deltas = deltas or ("Hello", " there")
        self.requests: list[ChatRequest] = []
        self.is_closed = False
        self.hangs = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        self.requests.append(request)
        try:
            for delta in self._deltas:
                if isinstance(delta, ModelError):
                    raise delta
                yield ChatDelta(text=delta) if isinstance(delta, str) else delta
            if self.hangs:
                await asyncio.Event().wait()
            yield ChatDelta(finish_reason="stop", counts=TokenCounts(prompt_tokens=7, completion_tokens=3))
        finally:
            self.is_closed = True


class OneModel:
    """`ports.Models` with one model, bound to a script."""

    def __init__(
        self,
        script: Script,
        *features: Feature,
        window_tokens: int = 8192,
        max_output_tokens: int | None = None,
        is_configured: bool = True,
    ) -> None:
        self.refs: list[ModelRef] = []
        self._script = script
        self._is_configured = is_configured
        self._facts = ModelFacts(
            provider="openai",
            name="gpt-4o-mini",
            window_tokens=window_tokens,
            max_output_tokens=max_output_tokens,
            features=frozenset(features),
            tokenizer="o200k",
        )

    async def chat(self, ref: ModelRef) -> ChatModel:
        self.refs.append(ref)
        if not self._is_configured:
            raise ModelNotConfigured(f"The model {ref.name} of {ref.provider} is not configured. Add a key.")
        return bind(self._facts, self._script, sleep=_no_wait)

    async def embedding(self, ref: ModelRef) -> EmbeddingModel:
        raise ModelNotConfigured(f"{ref.name} is no embedding model.")


async def _no_wait(seconds: float) -> None:
    del seconds


class Echo:
    """Templates that show what they were given."""

    async def render(self, source: str, values: Mapping[str, Value], *, max_chars: int) -> str:
        if source == "wrong":
            raise TemplateFailed("The template could not be rendered: it is wrong.")
        shown = msgspec.json.encode({name: value for name, value in values.items()}, order="sorted").decode()
        return f"{source}:{shown}:{max_chars}"
