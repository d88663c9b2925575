"""Agent: a model that calls tools until the task is done. Two configurations: by strategy (1) and by binding (2)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tidemill.engine.node import Node
from tidemill.engine.templates import selectors
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import (
    Arguments,
    LooseList,
    LooseMapping,
    LooseText,
    Memory,
    SelectorField,
    Settings,
    Shape,
    first_repeated,
    present,
    selectors_of,
)
from tidemill.nodes._unavailable import Unavailable


class Config(Settings):
    agent_strategy_provider_name: str = ""
    agent_strategy_name: str = Field(default="function_calling", title="Strategy")
    agent_strategy_label: str = ""
    agent_parameters: Arguments = Field(default_factory=dict, title="Parameters")
    output_schema: LooseMapping = Field(default_factory=dict)
    memory: Memory | None = None


class Agent(Unavailable, Node[Config, dict[str, Any]]):
    type = "agent"
    title = "Agent"
    is_effectful = True
    streams = frozenset({"text"})

    def reads(self) -> tuple[Selector, ...]:
        return present(*selectors_of(self.config.agent_parameters))


class Binding(Shape):
    """The agent that does the job: part of this file, or one of the workspace."""

    binding_type: Literal["inline_agent", "roster_agent"] = "inline_agent"
    package_ref: str = ""
    agent_id: str = ""


class OutputReference(Shape):
    selector: SelectorField = ()


class OutputRetry(Shape):
    enabled: bool = False
    max_retries: int = Field(default=0, ge=0, le=10)
    retry_interval_ms: int = Field(default=0, ge=0, le=60_000)


class OutputFailure(Shape):
    retry: OutputRetry = OutputRetry()
    on_failure: Literal["stop", "default_value", "fail_branch"] = "stop"
    default_value: Any = None


class DeclaredOutput(Shape):
    id: str = ""
    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    type: Literal["string", "number", "object", "array", "boolean", "file"] = "string"
    description: LooseText = ""
    required: bool = True
    file: LooseMapping = Field(default_factory=dict)
    array_item: LooseMapping = Field(default_factory=dict)
    check: LooseMapping = Field(default_factory=dict)
    failure_strategy: OutputFailure = OutputFailure()


class Job(Shape):
    schema_version: int = 1
    mode: Literal["tell_agent_what_to_do", "let_agent_figure_it_out"] = "tell_agent_what_to_do"
    workflow_prompt: LooseText = ""
    previous_node_output_refs: tuple[OutputReference, ...] = ()
    declared_outputs: tuple[DeclaredOutput, ...] = ()
    human_contacts: LooseList = Field(default_factory=list)

    @field_validator("declared_outputs")
    @classmethod
    def _names_differ(cls, outputs: tuple[DeclaredOutput, ...]) -> tuple[DeclaredOutput, ...]:
        repeated = first_repeated(output.name for output in outputs)
        if repeated is not None:
            raise ValueError(f'two outputs are named "{repeated}"; give each a name of its own')
        return outputs


class BoundConfig(Settings):
    agent_node_kind: Literal["dify_agent"] = "dify_agent"
    agent_binding: Binding = Binding()
    agent_job: Job = Job()


class BoundAgent(Unavailable, Node[BoundConfig, dict[str, Any]]):
    type = "agent"
    version = "2"
    title = "Agent"
    is_effectful = True
    is_branch = True
    streams = frozenset({"text"})

    def handles(self) -> tuple[str, ...]:
        return ("source", "fail-branch")

    def reads(self) -> tuple[Selector, ...]:
        job = self.config.agent_job
        return present(
            *selectors(job.workflow_prompt), *(reference.selector for reference in job.previous_node_output_refs)
        )
