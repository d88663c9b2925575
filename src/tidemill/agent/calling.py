"""One tool call of an agent: arguments read and checked, the result put together, every failure told to the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import json_repair

from tidemill.agent.task import AgentTool, Call, Observation
from tidemill.engine.events import Usage
from tidemill.engine.values import Value
from tidemill.ports import ToolCall, ToolFailed
from tidemill.tools.call import Collected, cast_arguments

RESOURCES: Final = "resources"
"""The name of log messages whose data are passages that the answer may cite."""

MAX_OBSERVATION_CHARS: Final = 200_000
MAX_ARGUMENT_CHARS: Final = 1_000_000
MAX_REPAIR_CHARS: Final = 60_000


class ArgumentsUnreadable(Exception):
    """What the model wrote are no arguments. One sentence that tells it what to write."""


async def call_tool(tools: Sequence[AgentTool], call: Call, circumstances: ToolCall) -> Observation:
    """Call a tool. What goes wrong becomes what the model is told; nothing is raised for it."""
    tool = next((item for item in tools if item.name == call.name), None)
    if tool is None:
        names = ", ".join(item.name for item in tools) or "none"
        return _error(f"there is not a tool named {call.name}. The tools are: {names}.")
    try:
        given = read_arguments(tool, call.arguments)
    except ArgumentsUnreadable as error:
        return _error(f"tool invoke error: {error}")
    collected = Collected()
    try:
        arguments = cast_arguments(tool.tool.spec, {**given, **tool.fixed})
        async for message in tool.tool.call(arguments, circumstances):
            collected.add(message)
    except ToolFailed as error:
        return _error(f"tool invoke error: {error}", arguments=given, usage=collected.usage)
    text = collected.observation() or "The tool gave no result."
    cited = [item for entry in collected.logs if entry.name == RESOURCES for item in entry.data]
    return Observation(
        text=_bounded(text),
        files=tuple(collected.files),
        json=tuple(collected.json),
        resources=tuple(cited),
        arguments=given,
        usage=collected.usage,
    )


def read_arguments(tool: AgentTool, written: str) -> dict[str, Value]:
    """The arguments that the model may set, of those it wrote.

    Raises:
        ArgumentsUnreadable: They are no JSON object.
    """
    names = tool.open_names()
    value = _json(written)
    if isinstance(value, dict):
        return {name: value[name] for name in names if name in value}
    if value is None or value == "":
        return {}
    # Models that act in text often give the only parameter bare.
    if len(names) == 1:
        return {names[0]: value}
    raise ArgumentsUnreadable(
        f"the arguments of {tool.name} are no JSON object. Write one with the keys {', '.join(names) or '(none)'}."
    )


def _json(written: str) -> Any:
    text = written.strip()
    if not text:
        return None
    if len(text) > MAX_ARGUMENT_CHARS:
        raise ArgumentsUnreadable(f"the arguments have {len(text)} characters; at most {MAX_ARGUMENT_CHARS} are read.")
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    if text[0] not in "{[" or len(text) > MAX_REPAIR_CHARS:
        return text
    try:
        repaired = json_repair.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError):
        return text
    return repaired if isinstance(repaired, dict) else text


def _error(sentence: str, *, arguments: Mapping[str, Value] | None = None, usage: Usage | None = None) -> Observation:
    text = _bounded(sentence)
    return Observation(text=text, error=text, arguments=dict(arguments or {}), usage=usage)


def _bounded(text: str) -> str:
    if len(text) <= MAX_OBSERVATION_CHARS:
        return text
    left = len(text) - MAX_OBSERVATION_CHARS
    return f"{text[:MAX_OBSERVATION_CHARS]}\n[{left} characters were left out.]"
