from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tidemill.kit.schema import Schema


class RunSummary(Schema):
    id: UUID
    status: str
    created_at: datetime
    elapsed_s: float | None
    total_tokens: int
    total_price: str
    currency: str
    total_steps: int
    query: str
    error: str | None
    source: str


class RunPage(Schema):
    items: list[RunSummary]
    next_cursor: str | None


class RunRead(RunSummary):
    forked_from: UUID | None
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None


class RetryRead(Schema):
    index: int
    error: str
    elapsed_s: float


class RoundRead(Schema):
    kind: str
    node_id: str
    index: int


class UsageRead(Schema):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    total_price: str
    currency: str


class BudgetRead(Schema):
    provider: str
    model: str
    window_tokens: int
    prompt_tokens: int
    max_tokens: int
    requested_max_tokens: int | None
    trimmed_messages: int
    trimmed_tokens: int
    is_exact: bool


class NodeRunRead(Schema):
    execution_id: str
    node_id: str
    node_type: str
    title: str
    index: int
    status: str
    started_at: float
    elapsed_s: float
    inputs: dict[str, Any] | None
    process_data: dict[str, Any] | None
    outputs: dict[str, Any] | None
    error: str | None
    retries: list[RetryRead]
    usage: UsageRead | None
    budget: BudgetRead | None
    scope: list[RoundRead]


class RunTrace(Schema):
    run: RunRead
    nodes: list[NodeRunRead]
