"""A model's answer as one piece, for nodes that read it instead of showing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import usage_json
from tidemill.engine.node import Context
from tidemill.llm.prompt import ParameterInvalid, describe, is_empty, read_parameters
from tidemill.llm.reasoning import split_reasoning
from tidemill.llm.types import ChatDelta, ChatModel, ChatRequest, Message, ToolSpec
from tidemill.nodes._chat import ask, fit
from tidemill.nodes._shapes import ModelChoice


class WholeAnswer(msgspec.Struct, kw_only=True):
    """`text` without its reasoning; `arguments` of the first tool call as the model wrote them, None without one."""

    text: str
    arguments: str | None
    usage: dict[str, Any]


async def whole_answer(
    ctx: Context,
    model: ChatModel,
    choice: ModelChoice,
    messages: Sequence[Message],
    *,
    tools: tuple[ToolSpec, ...] = (),
) -> WholeAnswer:
    """Send the messages, fitted to the window, and keep prompt, usage and budget in the trace.

    Raises:
        NodeFailed: A parameter is wrong, the prompt does not fit, or the model cannot be asked.
    """
    try:
        parameters = read_parameters(choice.completion_params, ctx.render)
    except ParameterInvalid as error:
        raise NodeFailed(str(error), error_type="LLMNodeError", is_retryable=False) from error
    request = ChatRequest(
        messages=tuple(message for message in messages if not is_empty(message)),
        max_tokens=parameters.max_tokens,
        tools=tools,
        json_schema=parameters.json_schema,
        json_object=parameters.json_object and parameters.json_schema is None,
        stop=parameters.stop,
        params=parameters.params,
    )
    ctx.record(process={"model_mode": choice.mode, "model_provider": choice.provider, "model_name": choice.name})
    fitted = fit(model, request)
    ctx.record(process={"prompts": describe(fitted.request.messages)})
    gathered = _Gathered()
    reply = await ask(ctx, model, fitted, gathered.take)
    usage = usage_json(reply.usage)
    ctx.record(
        process={"usage": usage, "finish_reason": reply.finish_reason, "budget": msgspec.to_builtins(reply.budget)}
    )
    return WholeAnswer(text=gathered.text(), arguments=gathered.arguments(), usage=usage)


class _Gathered:
    """The pieces of an answer that matter here."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: dict[int, list[str]] = {}

    async def take(self, delta: ChatDelta) -> None:
        if delta.text:
            self._text.append(delta.text)
        for call in delta.tool_calls:
            self._calls.setdefault(call.index, []).append(call.arguments)

    def text(self) -> str:
        return split_reasoning("".join(self._text))[0].strip()

    def arguments(self) -> str | None:
        return "".join(self._calls[min(self._calls)]) if self._calls else None
