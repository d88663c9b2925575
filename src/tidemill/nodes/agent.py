"""Agent: a model that calls tools until the task is done. Two configurations: by strategy (1) and by binding (2).

Rules: reference `workflow-dsl.md`, sections 5.12 and 7.6. The loop is `tidemill.agent`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError

from tidemill.agent.loop import Outcome
from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context, Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector, Value, to_text
from tidemill.llm.prompt import ContextInvalid, context_text
from tidemill.nodes._agent_check import passes
from tidemill.nodes._agent_host import AgentHost, outputs_of
from tidemill.nodes._agent_job import Binding, Job, dataset_ids, job_text, part, retry_interval
from tidemill.nodes._agent_outputs import Fault, described, read_outputs
from tidemill.nodes._agent_task import AgentPlan, prepare
from tidemill.nodes._agent_tools import ToolEntry, resolved
from tidemill.nodes._shapes import (
    Arguments,
    LooseMapping,
    LooseText,
    Memory,
    ModelChoice,
    Settings,
    Vision,
    present,
    selectors_of,
)

DEFAULT_ITERATIONS = 5
APP_ITERATIONS = 10


class Config(Settings):
    agent_strategy_provider_name: str = ""
    agent_strategy_name: str = Field(default="function_calling", title="Strategy")
    agent_strategy_label: str = ""
    agent_parameters: Arguments = Field(default_factory=dict, title="Parameters")
    output_schema: LooseMapping = Field(default_factory=dict)
    memory: Memory | None = None
    # Set where an agent app is compiled; files have no such keys.
    is_app: bool = False
    vision: Vision = Vision()
    dataset_ids: tuple[str, ...] = ()
    retrieval: LooseMapping = Field(default_factory=dict)
    react_template: LooseText = ""


class Agent(Node[Config, dict[str, Any]]):
    type = "agent"
    title = "Agent"
    is_effectful = True
    streams = frozenset({"text"})

    async def run(self, ctx: Context) -> dict[str, Any]:
        plan = self._plan(ctx)
        task, model = await prepare(ctx, plan)
        host = AgentHost(ctx, model, task, is_app=plan.is_app)
        return _outputs(ctx, host, await host.run())

    def _plan(self, ctx: Context) -> AgentPlan:
        config = self.config
        values = {
            name: argument.value if name in ("model", "tools") else resolved(ctx, argument.model_dump())
            for name, argument in config.agent_parameters.items()
        }
        strategy = to_text(values.get("strategy")) or config.agent_strategy_name
        memory, instruction = config.memory, to_text(values.get("instruction"))
        if strategy.casefold() == "tod":
            instruction, memory = _dialogue(values, instruction), memory or Memory()
        return AgentPlan(
            model=_model(values.get("model")),
            query=to_text(values.get("query")),
            instruction=_with_context(instruction, values.get("context")),
            strategy=strategy,
            entries=_entries(values.get("tools"), self.label),
            mcp=_servers(values),
            dataset_ids=config.dataset_ids,
            retrieval=config.retrieval,
            max_iterations=_iterations(values.get("maximum_iterations")),
            memory=memory,
            vision=config.vision,
            template=config.react_template,
            is_app=config.is_app,
        )

    def reads(self) -> tuple[Selector, ...]:
        return present(*selectors_of(self.config.agent_parameters))


def _outputs(ctx: Context, host: AgentHost, outcome: Outcome) -> dict[str, Any]:
    outputs = outputs_of(host, outcome)
    ctx.record(process={"usage": outputs["usage"], "rounds": outcome.rounds}, agent_log=host.logs)
    return outputs


def _model(written: Any) -> ModelChoice:
    given: dict[str, Any] = written if isinstance(written, dict) else {}
    return ModelChoice.model_validate({**given, "name": given.get("model") or given.get("name")})


def _entries(written: Any, label: str) -> tuple[ToolEntry, ...]:
    try:
        return tuple(ToolEntry.model_validate(item) for item in written or () if isinstance(item, dict))
    except ValidationError as error:
        raise NodeFailed(
            f'A tool of the agent "{label}" cannot be read. Choose it anew in the node\'s settings.',
            error_type="AgentNodeError",
            is_retryable=False,
        ) from error


def _servers(values: dict[str, Any]) -> tuple[str, ...]:
    """MCP servers by address or as JSON, under the names that plugins have for them."""
    found: list[str] = []
    for name in ("mcp_server", "mcp_servers_config"):
        value = values.get(name)
        text = json.dumps(value) if isinstance(value, dict) else to_text(value)
        if text.strip() and text.strip() != "{}":
            found.append(text)
    return tuple(found)


def _iterations(value: Any) -> int:
    try:
        return int(float(to_text(value))) if value not in (None, "") else DEFAULT_ITERATIONS
    except (ValueError, OverflowError):
        return DEFAULT_ITERATIONS


def _with_context(instruction: str, context: Value) -> str:
    try:
        text = context_text(context)
    except ContextInvalid as error:
        raise NodeFailed(str(error), error_type="InvalidContextStructureError", is_retryable=False) from error
    if not text.strip():
        return instruction
    return f"{instruction}\n\nUse what is inside <context></context> as what you know.\n<context>\n{text}\n</context>"


def _dialogue(values: dict[str, Any], instruction: str) -> str:
    """The task of strategies that ask a person for a list of facts, in place of an instruction."""
    schema = to_text(values.get("task_schema"))
    return (
        f"{instruction}\n\nYou collect facts from the user in a conversation. The facts, and how to ask for each, are "
        "in the JSON below. Ask for one missing fact at a time, required ones first, in the user's language; take what "
        "the user has said already. When you have all required facts, sum them up and finish the task they serve.\n"
        f"{schema}"
    ).strip()


# ---------------------------------------------------------------- version 2


class BoundConfig(Settings):
    agent_node_kind: Literal["dify_agent"] = "dify_agent"
    agent_binding: Binding = Binding()
    agent_job: Job = Job()
    # The package that the binding names, put here where the app is compiled.
    package: LooseMapping = Field(default_factory=dict)
    is_app: bool = False


class BoundAgent(Node[BoundConfig, dict[str, Any]]):
    type = "agent"
    version = "2"
    title = "Agent"
    is_effectful = True
    is_branch = True
    streams = frozenset({"text"})

    async def run(self, ctx: Context) -> dict[str, Any]:
        plan, declared = self._plan(ctx), self.config.agent_job.declared_outputs
        task, model = await prepare(ctx, plan)
        if not declared:
            host = AgentHost(ctx, model, task, is_app=plan.is_app)
            outputs = _outputs(ctx, host, await host.run())
            if self.is_branch:
                ctx.take("source")
            return outputs
        attempt, faults = 0, list[Fault]()
        while True:
            host = AgentHost(ctx, model, task, is_app=plan.is_app, attempt=attempt)
            host.is_silent = True
            outcome = await host.run()
            values, faults = read_outputs(declared, outcome.text, outcome.files)
            faults += await passes(ctx, model, declared, values)
            interval_s = retry_interval(faults, attempt)
            if interval_s is None:
                break
            await asyncio.sleep(interval_s)
            attempt += 1
        _outputs(ctx, host, outcome)
        return self._settled(ctx, values, faults)

    def _settled(self, ctx: Context, values: dict[str, Value], faults: Sequence[Fault]) -> dict[str, Value]:
        """The outputs after every failure strategy has had its say. Raises `NodeFailed`."""
        error = ""
        for fault in faults:
            strategy = fault.output.failure_strategy
            sentence = f'The agent did not give the output "{fault.output.name}" as declared: {fault.clause}.'
            if strategy.on_failure == "stop":
                raise NodeFailed(sentence, error_type="AgentOutputError", is_retryable=False)
            if strategy.on_failure == "fail_branch":
                error = error or sentence
            values[fault.output.name] = strategy.default_value if strategy.on_failure == "default_value" else None
        if faults:
            ctx.record(process={"output_faults": [f"{fault.output.name}: {fault.clause}" for fault in faults]})
        ctx.take("fail-branch" if error else "source")
        return {**values, "error_message": error, "error_type": "AgentOutputError"} if error else values

    def _plan(self, ctx: Context) -> AgentPlan:
        soul = self._soul()
        job, prompt, model = self.config.agent_job, part(soul, "prompt"), part(soul, "model")
        knowledge, tools = part(soul, "knowledge"), part(soul, "tools")
        instruction = ctx.render(str(prompt.get("system_prompt") or ""))
        return AgentPlan(
            model=ModelChoice.model_validate(
                {
                    "provider": model.get("model_provider"),
                    "name": model.get("model"),
                    "completion_params": model.get("model_settings"),
                }
            ),
            strategy="function_calling",
            query=job_text(ctx, job),
            instruction="\n\n".join(filter(str.strip, (instruction, described(job.declared_outputs)))),
            entries=_entries(tools.get("dify_tools"), self.label),
            dataset_ids=dataset_ids(knowledge.get("datasets")),
            retrieval=part(knowledge, "query_config"),
            max_iterations=APP_ITERATIONS,
            memory=Memory() if self.config.is_app else None,
            vision=Vision(enabled=self.config.is_app),
            is_app=self.config.is_app,
        )

    def _soul(self) -> dict[str, Any]:
        binding = self.config.agent_binding
        if binding.binding_type == "roster_agent":
            raise NodeFailed(
                f'The node "{self.label}" uses the agent {binding.agent_id or "(none)"} of a roster, which this '
                "version does not have. Choose an agent that is part of the app's file.",
                error_type="AgentNodeError",
                is_retryable=False,
            )
        soul = part(self.config.package, "soul")
        if not soul:
            raise NodeFailed(
                f'The node "{self.label}" names the agent package "{binding.package_ref}", which the app\'s file does '
                "not hold. Import the whole file again.",
                error_type="AgentNodeError",
                is_retryable=False,
            )
        return soul

    def handles(self) -> tuple[str, ...]:
        return ("source", "fail-branch")

    def reads(self) -> tuple[Selector, ...]:
        job = self.config.agent_job
        return present(
            *selectors(job.workflow_prompt), *(reference.selector for reference in job.previous_node_output_refs)
        )


class SpeakingAgent(BoundAgent):
    """One that owes no outputs, so no other handle can follow: what it says is shown while it is said."""

    type = "agent"
    version = "2-speaking"
    title = "Agent"
    is_effectful = True
    streams = frozenset({"text"})
    is_branch = False

    def handles(self) -> tuple[str, ...]:
        return ("source",)
