"""The one family of run events, from the engine to the wire.

Every event carries `seq`, 1, 2, 3... within its run, and `at`, Unix seconds. Encoders at the edges
(`api/wire.py`, the CLI) turn them into what a client expects; nobody translates them before.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec

from tidemill.engine.values import Selector

RunStatus: TypeAlias = Literal["running", "succeeded", "failed", "stopped", "partial-succeeded", "paused"]
NodeStatus: TypeAlias = Literal["running", "succeeded", "failed", "exception", "stopped", "paused", "retry"]
ContainerKind: TypeAlias = Literal["iteration", "loop"]


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens, price and time of model calls. Prices are decimal strings in `currency`; times in seconds."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_unit_price: str = "0"
    prompt_price_unit: str = "0.000001"
    prompt_price: str = "0"
    completion_unit_price: str = "0"
    completion_price_unit: str = "0.000001"
    completion_price: str = "0"
    total_price: str = "0"
    currency: str = "USD"
    latency_s: float = 0.0
    time_to_first_token_s: float | None = None
    time_to_generate_s: float | None = None


class Scope(msgspec.Struct, frozen=True, gc=False):
    """The round of a container that a node ran in. `outer` is the round around that one."""

    kind: ContainerKind
    node_id: str
    index: int
    outer: Scope | None = None


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="event", tag=_snake):
    """Base of all events."""

    seq: int
    at: float


class RunStarted(Event, frozen=True, kw_only=True, gc=False):
    run_id: str
    workflow_id: str
    inputs: dict[str, Any]
    reason: Literal["initial", "resumption"] = "initial"


class NodeStarted(Event, frozen=True, kw_only=True, gc=False):
    """A node begins. `index` counts node starts from 1; `execution_id` names this execution."""

    execution_id: str
    node_id: str
    node_type: str
    title: str
    index: int
    predecessor_id: str | None = None
    scope: Scope | None = None


class NodeFinished(Event, frozen=True, kw_only=True, gc=False):
    """A node ended. Values are JSON data, secrets masked; `elapsed_s` in seconds."""

    execution_id: str
    node_id: str
    node_type: str
    title: str
    index: int
    status: NodeStatus
    started_at: float
    elapsed_s: float
    predecessor_id: str | None = None
    scope: Scope | None = None
    inputs: dict[str, Any] | None = None
    process_data: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    error: str | None = None
    error_type: str | None = None
    handle: str | None = None
    usage: Usage | None = None
    metadata: dict[str, Any] = {}
    # The outputs with places held for secrets, where masking changed them: what a recovery fills in again.
    sealed: dict[str, Any] | None = None


class NodeRetried(Event, frozen=True, kw_only=True, gc=False):
    """An attempt failed and will be repeated; `retry_index` counts from 1."""

    execution_id: str
    node_id: str
    node_type: str
    title: str
    index: int
    retry_index: int
    started_at: float
    elapsed_s: float
    error: str
    error_type: str
    predecessor_id: str | None = None
    scope: Scope | None = None
    inputs: dict[str, Any] | None = None
    process_data: dict[str, Any] | None = None


class TextDelta(Event, frozen=True, kw_only=True, gc=False):
    """A piece of the run's answer, in reading order. `node_id` produced it; literal text has no selector."""

    node_id: str
    text: str
    selector: Selector | None = None


class TextReplaced(Event, frozen=True, kw_only=True, gc=False):
    """The whole text so far is replaced (moderation, or a model call that was taken over)."""

    text: str
    reason: str = ""


class ReasoningDelta(Event, frozen=True, kw_only=True, gc=False):
    node_id: str
    text: str
    is_final: bool = False
    execution_id: str = ""


class ModelCalled(Event, frozen=True, kw_only=True, gc=False):
    """One model call and its token budget: prompt_tokens + max_tokens <= window_tokens always holds.

    `requested_max_tokens` is what the app asked for (None: nothing); `max_tokens` what was sent.
    `trimmed_messages` history messages (`trimmed_tokens` tokens) were left out. `is_exact` says whether
    `prompt_tokens` was counted with the model's own tokenizer; `usage` is what the provider reported.
    """

    node_id: str
    provider: str
    model: str
    window_tokens: int
    prompt_tokens: int
    max_tokens: int
    usage: Usage
    requested_max_tokens: int | None = None
    trimmed_messages: int = 0
    trimmed_tokens: int = 0
    is_exact: bool = False
    is_usage_estimated: bool = False
    execution_id: str = ""


class ContainerStarted(Event, frozen=True, kw_only=True, gc=False):
    kind: ContainerKind
    execution_id: str
    node_id: str
    node_type: str
    title: str
    inputs: dict[str, Any]
    length: int


class ContainerAdvanced(Event, frozen=True, kw_only=True, gc=False):
    """A round begins; `index` counts from 0."""

    kind: ContainerKind
    execution_id: str
    node_id: str
    node_type: str
    title: str
    index: int
    previous_output: Any = None


class ContainerFinished(Event, frozen=True, kw_only=True, gc=False):
    kind: ContainerKind
    execution_id: str
    node_id: str
    node_type: str
    title: str
    status: NodeStatus
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    started_at: float
    elapsed_s: float
    steps: int
    error: str | None = None
    total_tokens: int = 0
    metadata: dict[str, Any] = {}


class VariableAssigned(Event, frozen=True, kw_only=True, gc=False):
    """A conversation variable has a new value; whoever keeps the conversation stores it."""

    node_id: str
    selector: Selector
    value: Any
    execution_id: str = ""


class ResourcesRetrieved(Event, frozen=True, kw_only=True, gc=False):
    """Passages that an answer may cite."""

    node_id: str
    resources: list[dict[str, Any]]
    execution_id: str = ""


class CallRecorded(Event, frozen=True, kw_only=True, gc=False):
    """A call to the outside world and its answer, for replays and cassettes. No client is shown it.

    `port` is the protocol's name ("Models", "Http", ...); `digest` tells whether a later call asks the same;
    `request` and `response` are JSON data without secrets.
    """

    node_id: str
    execution_id: str
    port: str
    digest: str
    request: Any
    response: Any


class AgentLogged(Event, frozen=True, kw_only=True, gc=False):
    """A step of an agent; repeated under the same `log_id` as it fills in."""

    node_id: str
    execution_id: str
    log_id: str
    label: str
    status: Literal["start", "success", "error"]
    data: dict[str, Any]
    parent_id: str | None = None
    error: str | None = None
    metadata: dict[str, Any] = {}


class AgentThought(Event, frozen=True, kw_only=True, gc=False):
    """A thought of an agent app; repeated under the same `thought_id` as it fills in."""

    thought_id: str
    position: int
    thought: str = ""
    observation: str = ""
    tool: str = ""
    tool_labels: dict[str, Any] = {}
    tool_input: str = ""
    file_ids: list[str] = []
    node_id: str = ""
    execution_id: str = ""


class FileProduced(Event, frozen=True, kw_only=True, gc=False):
    """A tool of an agent app made a file for the user. `file` is its wire form, with an id."""

    file: dict[str, Any]
    node_id: str = ""
    execution_id: str = ""


class HumanInputRequired(Event, frozen=True, kw_only=True, gc=False):
    node_id: str
    node_title: str
    form_id: str
    form: dict[str, Any]
    expires_at: float
    execution_id: str = ""


class HumanInputAnswered(Event, frozen=True, kw_only=True, gc=False):
    node_id: str
    node_title: str
    form_id: str
    action_id: str
    action_text: str
    rendered_content: str
    values: dict[str, Any]
    is_timeout: bool = False
    execution_id: str = ""


class RunPaused(Event, frozen=True, kw_only=True, gc=False):
    paused_node_ids: list[str]
    reasons: list[dict[str, Any]]
    outputs: dict[str, Any]
    elapsed_s: float
    total_tokens: int
    total_steps: int


class RunFinished(Event, frozen=True, kw_only=True, gc=False):
    """The last event of a run. `answer` is the chat reply: all answer texts, concatenated."""

    run_id: str
    status: RunStatus
    outputs: dict[str, Any]
    started_at: float
    elapsed_s: float
    total_tokens: int
    total_steps: int
    answer: str = ""
    error: str | None = None
    error_type: str | None = None
    failed_node_id: str | None = None
    exceptions_count: int = 0
    usage: Usage = Usage()
    files: list[dict[str, Any]] = []


AnyEvent: TypeAlias = (
    RunStarted
    | NodeStarted
    | NodeFinished
    | NodeRetried
    | TextDelta
    | TextReplaced
    | ReasoningDelta
    | ModelCalled
    | ContainerStarted
    | ContainerAdvanced
    | ContainerFinished
    | VariableAssigned
    | ResourcesRetrieved
    | CallRecorded
    | AgentLogged
    | AgentThought
    | FileProduced
    | HumanInputRequired
    | HumanInputAnswered
    | RunPaused
    | RunFinished
)

encoder = msgspec.json.Encoder()
decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def add_usage(left: Usage, right: Usage) -> Usage:
    """The sum of two usages: tokens and prices add up, unit prices are the later call's."""
    return Usage(
        prompt_tokens=left.prompt_tokens + right.prompt_tokens,
        completion_tokens=left.completion_tokens + right.completion_tokens,
        total_tokens=left.total_tokens + right.total_tokens,
        prompt_unit_price=right.prompt_unit_price,
        prompt_price_unit=right.prompt_price_unit,
        prompt_price=_add_decimal(left.prompt_price, right.prompt_price),
        completion_unit_price=right.completion_unit_price,
        completion_price_unit=right.completion_price_unit,
        completion_price=_add_decimal(left.completion_price, right.completion_price),
        total_price=_add_decimal(left.total_price, right.total_price),
        currency=right.currency,
        latency_s=left.latency_s + right.latency_s,
        time_to_first_token_s=left.time_to_first_token_s
        if left.time_to_first_token_s is not None
        else right.time_to_first_token_s,
        time_to_generate_s=right.time_to_generate_s
        if left.time_to_generate_s is None
        else left.time_to_generate_s + (right.time_to_generate_s or 0.0),
    )


def _add_decimal(left: str, right: str) -> str:
    return format(Decimal(left) + Decimal(right), "f")


def usage_json(usage: Usage) -> dict[str, Any]:
    """Usage as node outputs and clients carry it: prices are decimal strings, times are seconds."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "prompt_unit_price": usage.prompt_unit_price,
        "prompt_price_unit": usage.prompt_price_unit,
        "prompt_price": usage.prompt_price,
        "completion_tokens": usage.completion_tokens,
        "completion_unit_price": usage.completion_unit_price,
        "completion_price_unit": usage.completion_price_unit,
        "completion_price": usage.completion_price,
        "total_tokens": usage.total_tokens,
        "total_price": usage.total_price,
        "currency": usage.currency,
        "latency": usage.latency_s,
        "time_to_first_token": usage.time_to_first_token_s,
        "time_to_generate": usage.time_to_generate_s,
    }
