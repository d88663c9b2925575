"""Agents whose model calls tools by itself (reference `workflow-dsl.md`, section 7.6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tidemill.agent.task import AgentTask, Answer, Call, PastTurn, Round
from tidemill.llm.reasoning import ReasoningSplitter
from tidemill.llm.types import ChatDelta, ChatRequest, MediaPart, Message, ToolCall


class FunctionCalling:
    """Implements `agent.strategy.Strategy`."""

    def __init__(self, task: AgentTask) -> None:
        self._task = task
        self._specs = tuple(tool.model_spec for tool in task.tools)
        self._later_query = without_media(task.query)

    def request(self, turns: Sequence[PastTurn], rounds: Sequence[Round], *, is_last: bool) -> ChatRequest:
        task = self._task
        messages: list[Message] = []
        ids = _Ids()
        if task.instruction.strip():
            messages.append(Message(role="system", content=task.instruction))
        for turn in turns:
            messages.append(turn.query)
            messages.extend(_messages(turn.rounds, ids))
            if turn.answer:
                messages.append(Message(role="assistant", content=turn.answer))
        # What the user's pictures show is in the model's first answer; sending them again costs each time.
        messages.append(self._later_query if rounds else task.query)
        messages.extend(_messages(rounds, ids))
        parameters = task.parameters
        return ChatRequest(
            messages=tuple(messages),
            max_tokens=parameters.max_tokens,
            tools=() if is_last else self._specs,
            json_schema=parameters.json_schema,
            json_object=parameters.json_object and parameters.json_schema is None,
            stop=parameters.stop,
            params=parameters.params,
        )

    def reader(self, number: int) -> CallReader:
        return CallReader(number)


class CallReader:
    """Shows text as it comes and puts tool calls together."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._splitter = ReasoningSplitter()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, Call] = {}

    def feed(self, delta: ChatDelta) -> str:
        for piece in delta.tool_calls:
            known = self._calls.get(piece.index) or Call(id="", name="", arguments="")
            self._calls[piece.index] = Call(
                id=known.id or piece.id,
                name=known.name + piece.name,
                arguments=known.arguments + piece.arguments,
            )
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        return self._take(*self._splitter.feed(delta.text)) if delta.text else ""

    def finish(self) -> tuple[str, Answer]:
        rest = self._take(*self._splitter.finish())
        return rest, Answer(
            thought="".join(self._text), calls=tuple(self._named_calls()), reasoning="".join(self._reasoning)
        )

    def _take(self, text: str, reasoning: str) -> str:
        if reasoning:
            self._reasoning.append(reasoning)
        if text:
            self._text.append(text)
        return text

    def _named_calls(self) -> Iterator[Call]:
        """The calls, each with an id of its own: some servers give none, or the same to all."""
        taken: set[str] = set()
        for index in sorted(self._calls):
            call = self._calls[index]
            found = call.id if call.id and call.id not in taken else f"call_{self._number}_{index + 1}"
            taken.add(found)
            yield msgspec.structs.replace(call, id=found)


class _Ids:
    """Ids of calls within one prompt. Servers that count anew in each answer repeat them; providers refuse repeats."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def own(self, wanted: str) -> str:
        found, number = wanted, 1
        while found in self._taken:
            number += 1
            found = f"{wanted}_{number}"
        self._taken.add(found)
        return found


def _messages(rounds: Sequence[Round], ids: _Ids) -> Iterator[Message]:
    for done in rounds:
        calls = tuple(ToolCall(ids.own(call.id), call.name, _arguments(call)) for call in done.answer.calls)
        yield Message(role="assistant", content=done.answer.thought, tool_calls=calls, reasoning=done.answer.reasoning)
        for call, text in zip(calls, done.observations, strict=True):
            yield Message(role="tool", content=text, tool_call_id=call.id)


def _arguments(call: Call) -> str:
    """The arguments as providers take them back: they refuse text that is no JSON object."""
    try:
        read = msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        return "{}"
    return call.arguments if isinstance(read, dict) else "{}"


def without_media(message: Message) -> Message:
    """The message with a word in place of every picture and file."""
    if isinstance(message.content, str):
        return message
    words = [f"[{part.kind}]" if isinstance(part, MediaPart) else part.text for part in message.content]
    return msgspec.structs.replace(message, content="\n".join(words))
