"""From an agent node's settings to the task its loop works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidemill.agent.task import AgentTask, AgentTool, Answer, Call, Method, PastTurn, Round
from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context
from tidemill.llm.prompt import ParameterInvalid, message_of, read_parameters
from tidemill.llm.types import ChatModel
from tidemill.nodes._agent_tools import ToolEntry, find_tools, knowledge_tools
from tidemill.nodes._chat import choose_model
from tidemill.nodes._recall import MAX_TURNS, Recall
from tidemill.nodes._shapes import Memory, ModelChoice, Vision
from tidemill.ports import History, Knowledge, PastThought, Turn


class AgentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is to do, its texts rendered already. An agent app (`is_app`) goes without missing tools."""

    model: ModelChoice
    query: str
    instruction: str = ""
    strategy: str = ""
    entries: tuple[ToolEntry, ...] = ()
    mcp: tuple[str, ...] = ()
    dataset_ids: tuple[str, ...] = ()
    retrieval: Mapping[str, Any] = {}
    max_iterations: int = 5
    memory: Memory | None = None
    vision: Vision = Vision()
    template: str = ""
    is_app: bool = False


async def prepare(ctx: Context, plan: AgentPlan) -> tuple[AgentTask, ChatModel]:
    """Find model, tools and history. Raises `NodeFailed` naming what is missing."""
    if not plan.query.strip() and not plan.instruction.strip():
        raise NodeFailed(
            "The agent has nothing to do: its instruction and its query are empty. Write a query.",
            error_type="AgentNodeError",
            is_retryable=False,
        )
    model = await choose_model(ctx, plan.model)
    recall = Recall(ctx, model, plan.vision)
    tools, missing = await find_tools(ctx, plan.entries, mcp=plan.mcp, is_lenient=plan.is_app)
    tools += _knowledge(ctx, plan, tools)
    _record(ctx, plan, tools, missing)
    try:
        parameters = read_parameters(plan.model.completion_params, ctx.render)
    except ParameterInvalid as error:
        raise NodeFailed(str(error), error_type="AgentNodeError", is_retryable=False) from error
    media = await recall.media_of(recall.vision_files())
    task = AgentTask(
        method=method_of(plan.strategy, model, is_app=plan.is_app),
        query=message_of("user", plan.query or plan.instruction, media),
        instruction=plan.instruction,
        tools=tuple(tools),
        max_iterations=plan.max_iterations,
        history=await _history(ctx, plan.memory),
        parameters=parameters,
        template=plan.template,
        is_text_model=plan.model.mode == "completion",
    )
    return task, model


def method_of(strategy: str, model: ChatModel, *, is_app: bool) -> Method:
    """How the model is asked. In apps a model that can call tools always does; strategies of plugins map by name."""
    can_call = not model.facts.features.isdisjoint(("tool-call", "multi-tool-call"))
    if is_app and can_call:
        return "function_calling"
    name = strategy.casefold()
    if "react" in name or name == "cot":
        return "react"
    if "function" in name or can_call:
        return "function_calling"
    return "react"


def _record(ctx: Context, plan: AgentPlan, tools: Sequence[AgentTool], missing: Sequence[str]) -> None:
    choice = plan.model
    ctx.record(
        inputs={"query": plan.query, "instruction": plan.instruction, "tools": [tool.name for tool in tools]},
        process={"model_mode": choice.mode, "model_provider": choice.provider, "model_name": choice.name},
    )
    if missing:
        ctx.record(process={"missing_tools": list(missing)})


def _knowledge(ctx: Context, plan: AgentPlan, tools: Sequence[AgentTool]) -> list[AgentTool]:
    if not plan.dataset_ids:
        return []
    try:
        ctx.port(Knowledge)
    except NodeFailed:
        ctx.record(process={"missing_knowledge": list(plan.dataset_ids)})
        return []

    return knowledge_tools(plan.dataset_ids, plan.retrieval, taken={tool.name for tool in tools})


async def _history(ctx: Context, memory: Memory | None) -> tuple[PastTurn, ...]:
    if memory is None:
        return ()
    try:
        history = ctx.port(History)
    except NodeFailed:
        # A workflow has no conversation to remember.
        return ()
    window = memory.window
    limit = min(window.size, MAX_TURNS) if window.enabled and window.size else MAX_TURNS
    return tuple(past_turn(turn) for turn in await history.turns(limit))


def past_turn(turn: Turn) -> PastTurn:
    """An earlier turn with its tool calls; what was said beside them is not told twice."""
    rounds = tuple(_round(number, thought) for number, thought in enumerate(turn.thoughts, 1) if thought.calls)
    last = turn.thoughts[-1] if turn.thoughts else None
    answer = last.thought if rounds and last is not None and not last.calls and last.thought else turn.answer
    return PastTurn(query=message_of("user", turn.query, is_history=True), answer=answer, rounds=rounds)


def _round(number: int, thought: PastThought) -> Round:
    calls = tuple(
        Call(id=f"past_{number}_{place}", name=call.name, arguments=call.arguments)
        for place, call in enumerate(thought.calls, 1)
    )
    return Round(
        answer=Answer(thought=thought.thought, calls=calls),
        observations=tuple(call.observation for call in thought.calls),
    )
