"""What an agent is asked to do, what came of each of its rounds, and what it may use."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from tidemill.engine.events import Usage
from tidemill.engine.values import File, Value
from tidemill.llm.prompt import CallParameters
from tidemill.llm.types import Message, ToolSpec
from tidemill.ports import Tool
from tidemill.tools.call import json_schema

Method: TypeAlias = Literal["function_calling", "react"]

MAX_ITERATIONS: Final = 99
_NAME_CHARS: Final = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


class AgentFailed(Exception):
    """The agent could not come to an answer. One sentence; `error_type` is what traces show."""

    def __init__(self, message: str, *, error_type: str = "AgentNodeError") -> None:
        super().__init__(message)
        self.error_type = error_type


class AgentMaxIterationError(AgentFailed):
    """The model still asks for tools when no round is left."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The agent exceeded its limit of {limit} iterations: it still asks for tools. "
            "Raise the limit of iterations, or ask for less at once.",
            error_type="AgentMaxIterationError",
        )


class AgentTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool under the name by which the model calls it.

    `fixed` holds the arguments that the author set: the model neither sees nor changes them.
    """

    name: str
    tool: Tool
    description: str = ""
    label: str = ""
    fixed: Mapping[str, Value] = {}

    @property
    def model_spec(self) -> ToolSpec:
        """The tool as the model is told of it."""
        spec = self.tool.spec
        return ToolSpec(
            name=self.name,
            description=self.description or spec.description or spec.label,
            parameters=json_schema(spec, fixed=frozenset(self.fixed)),
        )

    def open_names(self) -> list[str]:
        """The parameters that the model fills in."""
        return list(self.model_spec.parameters["properties"])


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call that the model asks for. `arguments` is text as the model wrote it, hopefully JSON."""

    id: str
    name: str
    arguments: str


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call: the text the model is told, and what else the tool made. `error` when it failed.

    `resources` are passages that the answer may cite; `usage` is what the tool itself spent on models.
    """

    text: str
    files: tuple[File, ...] = ()
    json: tuple[Any, ...] = ()
    resources: tuple[dict[str, Any], ...] = ()
    error: str | None = None
    arguments: Any = None
    usage: Usage | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the model, read. Without `calls` it is the last one and `thought` is the agent's answer."""

    thought: str
    calls: tuple[Call, ...] = ()
    reasoning: str = ""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """A model's answer and the observations of its calls, in their order."""

    answer: Answer
    observations: tuple[str, ...]


class PastTurn(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier exchange of the conversation, with the rounds that led to its answer."""

    query: Message
    answer: str
    rounds: tuple[Round, ...] = ()


class AgentTask(msgspec.Struct, frozen=True, kw_only=True):
    """All that a strategy builds its prompts from.

    `max_iterations` rounds may call tools; one more model call may follow them. `template` replaces the
    ReAct instructions; `is_text_model` asks for a single text instead of messages.
    """

    method: Method
    query: Message
    instruction: str = ""
    tools: tuple[AgentTool, ...] = ()
    max_iterations: int = 5
    history: tuple[PastTurn, ...] = ()
    parameters: CallParameters = CallParameters()
    template: str = ""
    is_text_model: bool = False

    @property
    def rounds(self) -> int:
        """How often the model may be asked."""
        return max(0, min(self.max_iterations, MAX_ITERATIONS)) + 1


def model_name(name: str, taken: Collection[str]) -> str:
    """A name for a tool that every provider takes and no other tool of the agent has."""
    base = _NOT_IN_NAMES.sub("_", name).strip("_")[:_NAME_CHARS] or "tool"
    found, number = base, 1
    while found in taken:
        number += 1
        suffix = f"_{number}"
        found = base[: _NAME_CHARS - len(suffix)] + suffix
    return found
