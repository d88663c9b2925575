"""Ports that tell the run's journal each outside call with its answer, for cassettes.

`recorded(ports)` wraps the ports of a run. A node gets a port bound to its place by `at`; asked in any other way the
ports pass on what they wrap and record nothing. What computes in this installation (code, templates, documents) is
not recorded: it runs again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Literal, Protocol, TypeVar, cast

import msgspec

from tidemill.adapters import call_forms as forms
from tidemill.adapters import chat_forms
from tidemill.adapters.scrubbing import Scrubber
from tidemill.engine.events import CallRecorded, Event, Usage
from tidemill.engine.values import File, Value, VariablePool, plain
from tidemill.llm.errors import ModelError
from tidemill.llm.types import (
    ChatDelta,
    ChatModel,
    ChatRequest,
    EmbeddingModel,
    FittedRequest,
    MediaPart,
    ModelFacts,
    ModelRef,
    TokenCounts,
)
from tidemill.ports import (
    Files,
    FileUnavailable,
    History,
    Http,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    Knowledge,
    Models,
    Passage,
    Tool,
    ToolCall,
    ToolFailed,
    ToolMessage,
    ToolRef,
    Tools,
    ToolSpec,
    Turn,
)

P = TypeVar("P")
# A longer answer is not kept: the journal is no place for downloads.
MAX_RESPONSE_BYTES: Final = 2_000_000


class Seat(Protocol):
    """Who makes calls: a node at its place in a run. `engine.node.Context` is one."""

    node_id: str
    pool: VariablePool

    @property
    def place(self) -> str: ...

    def emit(self, kind: type[Event], /, **fields: Any) -> None: ...


class Tape:
    """Tells the calls of one place."""

    def __init__(self, seat: Seat, secrets: Iterable[str], max_bytes: int) -> None:
        self._seat = seat
        self._max_bytes = max_bytes
        self.scrubber = Scrubber((*secrets, *seat.pool.secrets))

    def tell(self, port: type, request: forms.Data, response: forms.Data) -> None:
        """Add a call and what came of it."""
        # A model's answer is bounded by its window.
        if self._max_bytes and port is not Models:
            size = len(msgspec.json.encode(response, enc_hook=str))
            if size > self._max_bytes:
                response = {"too_large": size}
        name = port.__name__
        digest = forms.digest_of(name, request)
        self._seat.emit(CallRecorded, port=name, digest=digest, request=request, response=response)

    def tell_error(self, port: type, request: forms.Data, error: Exception, **before: Any) -> None:
        self.tell(port, request, {**before, **forms.error_form(error, self.scrubber)})


def recorded(
    ports: Mapping[type, object], *, secrets: Iterable[str] = (), max_bytes: int = MAX_RESPONSE_BYTES
) -> dict[type, object]:
    """The ports of a run, those that reach outside wrapped.

    Args:
        secrets: Further texts that must not be recorded, beside the run's secret variables.
        max_bytes: Answers over this size are left out; 0 keeps all.
    """
    kept = frozenset(secrets)
    wrapped = dict(ports)
    for kind, binding in _BINDINGS.items():
        if (inner := ports.get(kind)) is not None:
            wrapped[kind] = _Wrapped(inner, binding, kept, max_bytes)
    return wrapped


class _Wrapped:
    """A port that is bound to whoever asks. Its other attributes are those of what it wraps."""

    def __init__(self, inner: object, binding: type[_Bound], secrets: frozenset[str], max_bytes: int) -> None:
        self._inner = inner
        self._binding = binding
        self._secrets = secrets
        self._max_bytes = max_bytes

    def at(self, seat: Seat) -> object:
        inner = self._inner
        bind = getattr(inner, "at", None)
        if bind is not None:
            inner = bind(seat)
        return self._binding(inner, Tape(seat, self._secrets, self._max_bytes))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Bound:
    """A port at a place. `inner` is the port itself."""

    def __init__(self, inner: Any, tape: Tape) -> None:
        self.inner = inner
        self._tape = tape


# ---------------------------------------------------------------- models


class _ModelsAt(_Bound):
    async def chat(self, ref: ModelRef) -> ChatModel:
        try:
            model = await cast(Models, self.inner).chat(ref)
        except ModelError as error:
            request = {"operation": "find", "provider": ref.provider, "name": ref.name}
            self._tape.tell_error(Models, request, error)
            raise
        return _Chat(model, ref, self._tape)

    async def embedding(self, ref: ModelRef) -> EmbeddingModel:
        return _Embedding(await cast(Models, self.inner).embedding(ref), ref, self._tape)


class _Chat:
    """A `ChatModel` whose answers are recorded piece by piece."""

    def __init__(self, model: ChatModel, ref: ModelRef, tape: Tape) -> None:
        self._model = model
        self._ref = ref
        self._tape = tape

    @property
    def facts(self) -> ModelFacts:
        return self._model.facts

    def count(self, request: ChatRequest) -> int:
        return self._model.count(request)

    def fit(self, request: ChatRequest) -> FittedRequest:
        return self._model.fit(request)

    def usage(self, fitted: FittedRequest, counts: TokenCounts | None, *, completion_text: str = "") -> Usage:
        return self._model.usage(fitted, counts, completion_text=completion_text)

    async def stream(self, fitted: FittedRequest) -> AsyncGenerator[ChatDelta]:
        deltas: list[ChatDelta] = []
        tape = self._tape
        request = chat_forms.chat_form(self.facts, self._ref.provider, self._ref.name, fitted, tape.scrubber)
        try:
            async with aclosing(cast("AsyncGenerator[ChatDelta]", self._model.stream(fitted))) as stream:
                async for delta in stream:
                    deltas.append(delta)
                    yield delta
        except ModelError as error:
            tape.tell_error(Models, request, error, deltas=chat_forms.scrubbed_deltas(deltas, tape.scrubber))
            raise
        tape.tell(Models, request, {"deltas": chat_forms.scrubbed_deltas(deltas, tape.scrubber)})


class _Embedding:
    def __init__(self, model: EmbeddingModel, ref: ModelRef, tape: Tape) -> None:
        self._model = model
        self._ref = ref
        self._tape = tape

    @property
    def facts(self) -> ModelFacts:
        return self._model.facts

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        request = chat_forms.embedding_form(self.facts, self._ref.provider, self._ref.name, texts, self._tape.scrubber)
        try:
            vectors = await self._model.embed(texts)
        except ModelError as error:
            self._tape.tell_error(Models, request, error)
            raise
        self._tape.tell(Models, request, {"vectors": vectors})
        return vectors


# ---------------------------------------------------------------- HTTP


class _HttpAt(_Bound):
    async def send(self, request: HttpRequest) -> HttpResponse:
        tape = self._tape
        form = forms.http_form(request, tape.scrubber)
        try:
            response = await cast(Http, self.inner).send(request)
        except HttpFailed as error:
            tape.tell_error(Http, form, error)
            raise
        tape.tell(Http, form, forms.http_response_form(response, tape.scrubber))
        return response


# ---------------------------------------------------------------- tools


class _ToolsAt(_Bound):
    async def find(self, ref: ToolRef) -> Tool:
        request = forms.tool_form(ref)
        try:
            tool = await cast(Tools, self.inner).find(ref)
        except ToolFailed as error:
            self._tape.tell_error(Tools, request, error)
            raise
        self._tape.tell(Tools, request, {"spec": forms.spec_form(tool.spec)})
        return _ToolAt(tool, ref, self._tape)


class _ToolAt:
    def __init__(self, tool: Tool, ref: ToolRef, tape: Tape) -> None:
        self._tool = tool
        self._ref = ref
        self._tape = tape

    @property
    def spec(self) -> ToolSpec:
        return self._tool.spec

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        tape = self._tape
        request = forms.tool_call_form(self._ref, arguments, tape.scrubber)
        # What the tool itself does outside is part of its answer.
        quiet = msgspec.structs.replace(call, ports=_Unrecorded(call.ports))
        messages: list[ToolMessage] = []
        try:
            async for message in self._tool.call(arguments, quiet):
                messages.append(message)
                yield message
        except ToolFailed as error:
            tape.tell_error(Tools, request, error, messages=forms.messages_form(messages, tape.scrubber))
            raise
        tape.tell(Tools, request, {"messages": forms.messages_form(messages, tape.scrubber)})


class _Unrecorded(Mapping[type, object]):
    """Ports without their recorders."""

    def __init__(self, ports: Mapping[type, object]) -> None:
        self._ports = ports

    def __getitem__(self, kind: type) -> object:
        found = self._ports[kind]
        return found.inner if isinstance(found, _Bound) else found

    def __iter__(self) -> Any:
        return iter(self._ports)

    def __len__(self) -> int:
        return len(self._ports)


# ---------------------------------------------------------------- knowledge, history, files


class _KnowledgeAt(_Bound):
    async def retrieve(
        self, *, query: str, dataset_ids: Sequence[str], options: Mapping[str, Any]
    ) -> Sequence[Passage]:
        scrubber = self._tape.scrubber
        request = scrubber.data({"query": query, "dataset_ids": list(dataset_ids), "options": plain(dict(options))})
        found = await cast(Knowledge, self.inner).retrieve(query=query, dataset_ids=dataset_ids, options=options)
        self._tape.tell(Knowledge, request, {"passages": forms.passages_form(found, scrubber)})
        return found


class _HistoryAt(_Bound):
    async def turns(self, limit: int) -> Sequence[Turn]:
        turns = await cast(History, self.inner).turns(limit)
        if turns:
            response = {"turns": forms.turns_form(turns, self._tape.scrubber)}
            self._tape.tell(History, {"limit": limit}, response)
        return turns


class _FilesAt(_Bound):
    """Files that lie elsewhere are recorded; those of this installation are read again."""

    async def read(self, file: File) -> bytes:
        if file.transfer_method == "local_file":
            return await cast(Files, self.inner).read(file)
        request = forms.file_form(file, operation="read")
        try:
            data = await cast(Files, self.inner).read(file)
        except FileUnavailable as error:
            self._tape.tell_error(Files, request, error)
            raise
        self._tape.tell(Files, request, forms.bytes_form(data))
        return data

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        if file.transfer_method == "local_file":
            return await cast(Files, self.inner).media(file, detail=detail)
        request = forms.file_form(file, operation="media")
        try:
            part = await cast(Files, self.inner).media(file, detail=detail)
        except FileUnavailable as error:
            self._tape.tell_error(Files, request, error)
            raise
        self._tape.tell(Files, request, forms.media_form(part))
        return part

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        return await cast(Files, self.inner).save(filename=filename, mime_type=mime_type, data=data)


_BINDINGS: Final[dict[type, type[_Bound]]] = {
    Models: _ModelsAt,
    Http: _HttpAt,
    Tools: _ToolsAt,
    Knowledge: _KnowledgeAt,
    History: _HistoryAt,
    Files: _FilesAt,
}
