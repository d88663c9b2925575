"""Ports that answer from a cassette and reach nothing outside.

A call is answered by the first recorded one at the same place, of the same port and with the same digest, that was
not used yet. Anything else is a stale cassette: the node fails, whatever its error strategy makes of it, and the
sentence says what is asked for now and was not then.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, Final, Literal, cast

from tidemill.adapters import call_forms as forms
from tidemill.adapters import chat_forms
from tidemill.adapters.cassette_player import Player
from tidemill.adapters.recording import Seat
from tidemill.adapters.scrubbing import Scrubber
from tidemill.engine.events import Usage
from tidemill.engine.values import File, Value, plain
from tidemill.llm.chat import BoundChat, bind, prepare
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
    History,
    Http,
    HttpRequest,
    HttpResponse,
    Knowledge,
    Models,
    Passage,
    Tool,
    ToolCall,
    ToolMessage,
    ToolRef,
    Tools,
    ToolSpec,
    Turn,
)


def played(ports: Mapping[type, object], player: Player) -> dict[type, object]:
    """The ports of a run, with nothing left of them that reaches outside."""
    return {**ports, **{kind: _Played(player, binding, ports.get(kind)) for kind, binding in _BINDINGS.items()}}


class _Played:
    """A port that is bound to whoever asks."""

    def __init__(self, player: Player, binding: type[_Bound], inner: object | None) -> None:
        self._player = player
        self._binding = binding
        self._inner = inner

    def at(self, seat: Seat) -> object:
        return self._binding(self._player, seat, self._inner)


class _Bound:
    """A port at a place. `inner` answers what is of this installation, never what lies outside."""

    def __init__(self, player: Player, seat: Seat, inner: Any) -> None:
        self._player = player
        self._seat = seat
        self._inner = inner
        self._scrubber = player.scrubber(seat)

    def _answer(self, port: type, request: forms.Data) -> forms.Data:
        response = self._player.answer(self._seat, port, request)
        if (error := forms.error_of(response)) is not None and not _PIECES & response.keys():
            raise error
        return response


# What came before an error is given first.
_PIECES: Final = frozenset(("deltas", "messages"))


class _ModelsAt(_Bound):
    async def chat(self, ref: ModelRef) -> ChatModel:
        request = {"operation": "find", "provider": ref.provider, "name": ref.name}
        missing = self._player.take(self._seat, Models, request)
        if missing is not None and (error := forms.error_of(missing.response)) is not None:
            raise error
        facts = self._player.facts(self._seat, ref)
        await prepare(facts)
        return _Chat(facts, ref, self)

    async def embedding(self, ref: ModelRef) -> EmbeddingModel:
        return _Embedding(self._player.facts(self._seat, ref), ref, self)

    def answer(self, request: forms.Data) -> forms.Data:
        return self._answer(Models, request)

    @property
    def scrubber(self) -> Scrubber:
        return self._scrubber


class _NoWire:
    """The wire of a model that is never sent anything."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        del request
        return
        yield


class _Chat:
    """A `ChatModel` that counts and fits as the recorded one did, and answers from the cassette."""

    def __init__(self, facts: ModelFacts, ref: ModelRef, models: _ModelsAt) -> None:
        self._model: BoundChat = bind(facts, _NoWire())
        self._ref = ref
        self._models = models

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
        ref = self._ref
        request = chat_forms.chat_form(self.facts, ref.provider, ref.name, fitted, self._models.scrubber)
        response = self._models.answer(request)
        for delta in chat_forms.deltas_of(response.get("deltas", ())):
            yield delta
        if (error := forms.error_of(response)) is not None:
            raise error


class _Embedding:
    def __init__(self, facts: ModelFacts, ref: ModelRef, models: _ModelsAt) -> None:
        self._facts = facts
        self._ref = ref
        self._models = models

    @property
    def facts(self) -> ModelFacts:
        return self._facts

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        ref = self._ref
        request = chat_forms.embedding_form(self._facts, ref.provider, ref.name, texts, self._models.scrubber)
        return self._models.answer(request)["vectors"]


class _HttpAt(_Bound):
    async def send(self, request: HttpRequest) -> HttpResponse:
        return forms.http_response_of(self._answer(Http, forms.http_form(request, self._scrubber)))


class _ToolsAt(_Bound):
    async def find(self, ref: ToolRef) -> Tool:
        return _ToolAt(forms.spec_of(self._answer(Tools, forms.tool_form(ref))["spec"]), ref, self)

    def answer(self, ref: ToolRef, arguments: Mapping[str, Value]) -> forms.Data:
        return self._answer(Tools, forms.tool_call_form(ref, arguments, self._scrubber))


class _ToolAt:
    def __init__(self, spec: ToolSpec, ref: ToolRef, tools: _ToolsAt) -> None:
        self._spec = spec
        self._ref = ref
        self._tools = tools

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        del call
        response = self._tools.answer(self._ref, arguments)
        for message in forms.messages_of(response.get("messages", ())):
            yield message
        if (error := forms.error_of(response)) is not None:
            raise error


class _KnowledgeAt(_Bound):
    async def retrieve(
        self, *, query: str, dataset_ids: Sequence[str], options: Mapping[str, Any]
    ) -> Sequence[Passage]:
        request = {"query": query, "dataset_ids": list(dataset_ids), "options": plain(dict(options))}
        return forms.passages_of(self._answer(Knowledge, self._scrubber.data(request))["passages"])


class _HistoryAt(_Bound):
    async def turns(self, limit: int) -> Sequence[Turn]:
        found = self._player.take(self._seat, History, {"limit": limit})
        if found is not None:
            return forms.turns_of(found.response["turns"])
        # Nothing had been said when it was recorded; what a test says before is its own.
        return await cast(History, self._inner).turns(limit) if self._inner is not None else ()


class _FilesAt(_Bound):
    async def read(self, file: File) -> bytes:
        request = forms.file_form(file, operation="read")
        if self._is_here(file, request):
            return await cast(Files, self._inner).read(file)
        return forms.bytes_of(self._answer(Files, request))

    async def media(self, file: File, *, detail: Literal["low", "high", "auto"] = "auto") -> MediaPart:
        request = forms.file_form(file, operation="media")
        if self._is_here(file, request):
            return await cast(Files, self._inner).media(file, detail=detail)
        return forms.media_of(self._answer(Files, request))

    async def save(self, *, filename: str, mime_type: str, data: bytes) -> File:
        return await cast(Files, self._inner).save(filename=filename, mime_type=mime_type, data=data)

    def _is_here(self, file: File, request: forms.Data) -> bool:
        """Whether the file is of this run: given with it, or made in it and not by a recorded tool."""
        return file.transfer_method == "local_file" or (
            file.transfer_method != "remote_url" and not self._player.has(self._seat, Files, request)
        )


_BINDINGS: Final[dict[type, type[_Bound]]] = {
    Models: _ModelsAt,
    Http: _HttpAt,
    Tools: _ToolsAt,
    Knowledge: _KnowledgeAt,
    History: _HistoryAt,
    Files: _FilesAt,
}
