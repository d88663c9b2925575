"""A model whose answers are written down, tools that do what a test says, and a host that keeps what happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from tidemill.agent.calling import call_tool
from tidemill.agent.loop import OnDelta, Outcome, run_agent
from tidemill.agent.task import AgentTask, AgentTool, Answer, Call, Observation
from tidemill.agent.window import Fitting
from tidemill.engine.node import RunInfo
from tidemill.engine.values import File, Value
from tidemill.llm.chat import BoundChat, bind
from tidemill.llm.types import (
    ChatDelta,
    ChatModel,
    ChatRequest,
    EmbeddingModel,
    Feature,
    Message,
    ModelFacts,
    ModelRef,
    TokenCounts,
    ToolCallDelta,
)
from tidemill.ports import ToolCall, ToolFailed, ToolMessage, ToolMissing, ToolParameter, ToolRef, ToolSpec

Said = str | Sequence[ChatDelta]


def calls(*wanted: tuple[str, str], text: str = "", ids: bool = True) -> list[ChatDelta]:
    """An answer that asks for tools: names and arguments as the model writes them, in two pieces."""
    deltas = [ChatDelta(text=text)] if text else []
    for index, (name, arguments) in enumerate(wanted):
        half = len(arguments) // 2
        call_id = f"id{index}" if ids else ""
        first = ToolCallDelta(index=index, id=call_id, name=name, arguments=arguments[:half])
        deltas.append(ChatDelta(tool_calls=(first,)))
        deltas.append(ChatDelta(tool_calls=(ToolCallDelta(index=index, arguments=arguments[half:]),)))
    return deltas


class Lines:
    """A model's wire that gives one written answer after the other; the last one again and again."""

    def __init__(self, *answers: Said) -> None:
        self._answers = answers
        self.requests: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        pieces = [answer[at : at + 7] for at in range(0, len(answer), 7)] if isinstance(answer, str) else answer
        for piece in pieces:
            yield ChatDelta(text=piece) if isinstance(piece, str) else piece
        yield ChatDelta(finish_reason="stop", counts=TokenCounts(prompt_tokens=10, completion_tokens=5))


def model_of(
    wire: Lines, *features: Feature, window_tokens: int = 8192, max_output_tokens: int | None = None
) -> BoundChat:
    facts = ModelFacts(
        provider="openai",
        name="gpt-4o-mini",
        window_tokens=window_tokens,
        max_output_tokens=max_output_tokens,
        features=frozenset(features),
        tokenizer="o200k",
    )
    return bind(facts, wire)


class ScriptedModels:
    """`ports.Models` with one model."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.refs: list[ModelRef] = []

    async def chat(self, ref: ModelRef) -> ChatModel:
        self.refs.append(ref)
        return self._model

    async def embedding(self, ref: ModelRef) -> EmbeddingModel:
        raise AssertionError("no agent embeds")


class FakeTool:
    """A tool that answers with what it is given to answer, or by a function of its arguments."""

    def __init__(
        self,
        name: str = "weather",
        *parameters: ToolParameter,
        answer: str | ToolFailed | Callable[[Mapping[str, Value]], str] = "sunny",
        messages: Sequence[ToolMessage] = (),
        description: str = "Tells the weather.",
    ) -> None:
        self._answer = answer
        self._messages = messages
        own = parameters or (ToolParameter(name="city", is_required=True, description="Where"),)
        self._spec = ToolSpec(provider="p", name=name, label=name.title(), description=description, parameters=own)
        self.calls: list[dict[str, Value]] = []
        self.keys: list[str] = []

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        self.calls.append(dict(arguments))
        self.keys.append(call.idempotency_key)
        if isinstance(self._answer, ToolFailed):
            raise self._answer
        for message in self._messages:
            yield message
        if not self._messages:
            yield ToolMessage(
                kind="text", text=self._answer if isinstance(self._answer, str) else self._answer(arguments)
            )


class Shed:
    """`ports.Tools`: tools by name."""

    def __init__(self, *tools: FakeTool) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self.refs: list[ToolRef] = []

    async def find(self, ref: ToolRef) -> FakeTool:
        self.refs.append(ref)
        if ref.name not in self._tools:
            raise ToolMissing(f"The tool {ref.name} of {ref.provider} is not installed. Install it.")
        return self._tools[ref.name]


class Diary:
    """A host that asks the model directly and writes everything down."""

    def __init__(self, model: ChatModel, task: AgentTask) -> None:
        self._model = model
        self._task = task
        self.said: list[str] = []
        self.answers: list[Answer] = []
        self.seen: list[list[Observation]] = []
        self.fittings: list[Fitting] = []

    async def run(self) -> Outcome:
        return await run_agent(self._task, self._model, self)

    def begin(self, number: int, fitting: Fitting) -> None:
        assert number == len(self.fittings) + 1
        self.fittings.append(fitting)

    async def ask(self, number: int, fitting: Fitting, on_delta: OnDelta) -> None:
        async for delta in self._model.stream(fitting.request):
            await on_delta(delta)

    async def say(self, text: str) -> None:
        self.said.append(text)

    def answered(self, number: int, answer: Answer) -> None:
        self.answers.append(answer)

    async def call(self, number: int, place: int, call: Call) -> Observation:
        circumstances = ToolCall(info=RunInfo(run_id="run"), ports={}, idempotency_key=f"{number}.{place}")
        return await call_tool(self._task.tools, call, circumstances)

    def observed(self, number: int, answer: Answer, observations: Sequence[Observation]) -> None:
        self.seen.append(list(observations))


def task(question: str = "How is it?", *tools: FakeTool, method: Any = "function_calling", **fields: Any) -> AgentTask:
    own = tuple(AgentTool(name=tool.spec.name, tool=tool, fixed=fields.pop("fixed", {})) for tool in tools)
    given: dict[str, Any] = {"query": Message(role="user", content=question), "tools": own, "method": method, **fields}
    return AgentTask(**given)


def picture(name: str = "chart.png") -> File:
    return File(type="image", transfer_method="tool_file", related_id="f1", filename=name, mime_type="image/png")
