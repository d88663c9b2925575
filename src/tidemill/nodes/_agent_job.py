"""The job of an agent that an app's file holds as a package (reference `workflow-dsl.md`, sections 1.8 and 5.12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from tidemill.engine.node import Context
from tidemill.engine.values import Missing, to_text
from tidemill.nodes._agent_outputs import DeclaredOutput, Fault
from tidemill.nodes._shapes import LooseList, LooseText, SelectorField, Shape, first_repeated


class Binding(Shape):
    """The agent that does the job: part of this file, or one of the workspace."""

    binding_type: Literal["inline_agent", "roster_agent"] = "inline_agent"
    package_ref: str = ""
    agent_id: str = ""


class OutputReference(Shape):
    selector: SelectorField = ()


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


def part(holder: Any, name: str) -> dict[str, Any]:
    """A section of a package; empty where there is none."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}


def job_text(ctx: Context, job: Job) -> str:
    """What the agent is asked, with the earlier outputs it is pointed to."""
    lines = [ctx.render(job.workflow_prompt)]
    for reference in job.previous_node_output_refs:
        value = ctx.find(reference.selector)
        if not isinstance(value, Missing):
            lines.append(f"{'.'.join(reference.selector)}:\n{to_text(value)}")
    return "\n\n".join(filter(str.strip, lines))


def dataset_ids(written: Any) -> tuple[str, ...]:
    """The knowledge bases of a package."""
    items = written if isinstance(written, list) else []
    found = [item.get("id") if isinstance(item, dict) else item for item in items]
    return tuple(str(item) for item in found if item)


def retry_interval(faults: Sequence[Fault], attempt: int) -> float | None:
    """Seconds until the agent tries again, None when nothing is wrong or no try is left."""
    retries = [fault.output.failure_strategy.retry for fault in faults]
    waiting = [retry for retry in retries if retry.enabled and attempt < retry.max_retries]
    return max(retry.retry_interval_ms for retry in waiting) / 1000 if waiting else None
