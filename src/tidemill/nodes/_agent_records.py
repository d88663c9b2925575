"""What an agent has done, kept in the run's journal: after a crash its steps are taken from there, not done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from tidemill.agent.task import AgentTask, Observation
from tidemill.engine.events import CallRecorded, Usage
from tidemill.engine.node import Context
from tidemill.engine.values import File, plain
from tidemill.llm.types import Budget, ChatDelta, ToolCallDelta
from tidemill.nodes._chat import Reply

RECORDS: Final = "Agent"


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of the model as it is recorded; a call is its index, id, name and arguments."""

    text: str
    reasoning: str
    calls: tuple[tuple[int, str, str, str], ...]
    usage: Usage
    budget: Budget
    finish_reason: str

    def delta(self) -> ChatDelta:
        """The whole answer as one piece."""
        calls = tuple(
            ToolCallDelta(index=index, id=call_id, name=name, arguments=arguments)
            for index, call_id, name, arguments in self.calls
        )
        return ChatDelta(text=self.text, reasoning=self.reasoning, tool_calls=calls, finish_reason=self.finish_reason)


class Records:
    """The records of one execution. `prefix` tells apart the attempts that an execution makes."""

    def __init__(self, ctx: Context, task: AgentTask, prefix: str) -> None:
        self._ctx = ctx
        self._digest = _digest(task)
        self._prefix = prefix
        self._found = {record.digest: record for record in ctx.recorded_calls() if record.port == RECORDS}

    def answer(self, step: str) -> KeptAnswer | None:
        """The model's answer of an earlier attempt."""
        found = self._recalled(step)
        return None if found is None else msgspec.convert(found, KeptAnswer)

    def observation(self, step: str) -> Observation | None:
        """The result of a call made in an earlier attempt."""
        found = self._recalled(step)
        return None if found is None else _observation(found)

    def keep_answer(self, step: str, answer: KeptAnswer) -> None:
        self._keep(step, {}, msgspec.to_builtins(answer))

    def keep_observation(self, step: str, request: Mapping[str, Any], seen: Observation) -> None:
        self._keep(step, request, _written(seen))

    def _key(self, step: str) -> str:
        return hashlib.sha256(f"{self._digest}/{self._prefix}{step}".encode()).hexdigest()

    def _recalled(self, step: str) -> Any:
        record = self._found.get(self._key(step))
        return None if record is None else each_text(record.response, self._ctx.pool.unsealed)

    def _keep(self, step: str, request: Mapping[str, Any], response: Any) -> None:
        seal = self._ctx.pool.sealed
        self._ctx.emit(
            CallRecorded,
            port=RECORDS,
            digest=self._key(step),
            request=each_text({"step": step, **request}, seal),
            response=each_text(response, seal),
        )


class Heard:
    """An answer put together from its deltas."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, tuple[str, str, str]] = {}

    def take(self, delta: ChatDelta) -> None:
        self._text.append(delta.text)
        self._reasoning.append(delta.reasoning)
        for piece in delta.tool_calls:
            call_id, name, arguments = self._calls.get(piece.index, ("", "", ""))
            self._calls[piece.index] = (call_id or piece.id, name + piece.name, arguments + piece.arguments)

    def kept(self, reply: Reply) -> KeptAnswer:
        return KeptAnswer(
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            calls=tuple((index, *call) for index, call in sorted(self._calls.items())),
            usage=reply.usage,
            budget=reply.budget,
            finish_reason=reply.finish_reason,
        )


def _digest(task: AgentTask) -> str:
    told = [task.method, task.instruction, task.query.text, *(tool.name for tool in task.tools)]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def _written(seen: Observation) -> dict[str, Any]:
    return {
        "text": seen.text,
        "files": [file.to_wire() for file in seen.files],
        "json": list(seen.json),
        "resources": list(seen.resources),
        "error": seen.error,
        "arguments": plain(seen.arguments),
        "usage": None if seen.usage is None else msgspec.to_builtins(seen.usage),
    }


def _observation(recorded: Mapping[str, Any]) -> Observation:
    return Observation(
        text=recorded["text"],
        files=tuple(map(File.from_wire, recorded["files"])),
        json=tuple(recorded["json"]),
        resources=tuple(recorded["resources"]),
        error=recorded["error"],
        arguments=recorded["arguments"],
        usage=msgspec.convert(recorded.get("usage"), Usage | None),
    )


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text in it changed."""
    match value:
        case str():
            return change(value)
        case list() | tuple():
            return [each_text(item, change) for item in value]
        case dict():
            return {key: each_text(item, change) for key, item in value.items()}
        case _:
            return value
