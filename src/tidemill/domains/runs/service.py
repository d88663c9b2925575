"""Runs as they were recorded: lists, single runs, and their traces."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.runs import journals
from tidemill.domains.runs.errors import RunNotFound
from tidemill.domains.runs.models import Run
from tidemill.domains.runs.schemas import BudgetRead, NodeRunRead, RetryRead, RoundRead, UsageRead
from tidemill.domains.workspaces.permissions import Scoped
from tidemill.engine.events import (
    Event,
    ModelCalled,
    NodeFinished,
    NodeRetried,
    NodeStarted,
    RunFinished,
    RunPaused,
    RunStarted,
    Scope,
    Usage,
)


async def get(db: AsyncSession, scope: Scoped, app_id: UUID | None, run_id: UUID) -> Run:
    """A run of the workspace, and of one app where it is named. Raises `RunNotFound`."""
    query = select(Run).where(Run.workspace_id == scope.workspace_id, Run.id == run_id)
    if app_id is not None:
        query = query.where(Run.app_id == app_id)
    run = (await db.scalars(query)).first()
    if run is None:
        raise RunNotFound("There is no such run.")
    return run


async def search(
    db: AsyncSession, scope: Scoped, app_id: UUID, *, cursor: UUID | None, limit: int
) -> tuple[Sequence[Run], str | None]:
    """A page of an app's runs, newest first, and the cursor of the next one."""
    query = select(Run).where(Run.workspace_id == scope.workspace_id, Run.app_id == app_id)
    if cursor is not None:
        query = query.where(Run.id < cursor)
    # Ids are UUIDv7: their order is the order of creation.
    found = (await db.scalars(query.order_by(Run.id.desc()).limit(limit + 1))).all()
    page = found[:limit]
    return page, str(page[-1].id) if len(found) > limit else None


async def events(db: AsyncSession, scope: Scoped, run_id: UUID) -> list[Event]:
    """Everything a run said, in order. Raises `RunNotFound`."""
    run = await get(db, scope, None, run_id)
    return await journals.read(db, run.id)


def trace(journal: Sequence[Event]) -> list[NodeRunRead]:
    """The nodes of a run in the order they began, each as it ended."""
    nodes: dict[str, NodeRunRead] = {}
    budgets: dict[str, BudgetRead] = {}
    for event in journal:
        match event:
            case NodeStarted():
                nodes[event.execution_id] = _begun(event)
            case NodeRetried():
                if (node := nodes.get(event.execution_id)) is not None:
                    retry = RetryRead(index=event.retry_index, error=event.error, elapsed_s=event.elapsed_s)
                    node.retries.append(retry)
            case ModelCalled():
                budgets[event.node_id] = _budget(event)
            case NodeFinished():
                started = nodes.get(event.execution_id)
                nodes[event.execution_id] = _ended(event, started, budgets.pop(event.node_id, None))
            case RunFinished():
                _turn(nodes, "paused", "running")
                _close_open(nodes, event)
            case RunPaused():
                _turn(nodes, "running", "paused")
            case RunStarted():
                _turn(nodes, "paused", "running")
            case _:
                pass
    return list(nodes.values())


def _turn(nodes: dict[str, NodeRunRead], before: str, after: str) -> None:
    """Nodes wait with their run, and go on with it."""
    for key, node in nodes.items():
        if node.status == before:
            nodes[key] = node.model_copy(update={"status": after})


def _begun(event: NodeStarted) -> NodeRunRead:
    return NodeRunRead(
        execution_id=event.execution_id,
        node_id=event.node_id,
        node_type=event.node_type,
        title=event.title,
        index=event.index,
        status="running",
        started_at=event.at,
        elapsed_s=0.0,
        inputs=None,
        process_data=None,
        outputs=None,
        error=None,
        retries=[],
        usage=None,
        budget=None,
        scope=_rounds(event.scope),
    )


def _ended(event: NodeFinished, started: NodeRunRead | None, budget: BudgetRead | None) -> NodeRunRead:
    return NodeRunRead(
        execution_id=event.execution_id,
        node_id=event.node_id,
        node_type=event.node_type,
        title=event.title,
        index=event.index,
        status=event.status,
        started_at=event.started_at,
        elapsed_s=event.elapsed_s,
        inputs=event.inputs,
        process_data=event.process_data,
        outputs=event.outputs,
        error=event.error,
        retries=started.retries if started else [],
        usage=_usage(event.usage),
        budget=budget,
        scope=_rounds(event.scope),
    )


def _close_open(nodes: dict[str, NodeRunRead], finished: RunFinished) -> None:
    """Nodes that were running when the run ended were stopped with it."""
    for key, node in nodes.items():
        if node.status == "running":
            elapsed_s = max(0.0, finished.at - node.started_at)
            nodes[key] = node.model_copy(update={"status": "stopped", "elapsed_s": elapsed_s})


def _usage(usage: Usage | None) -> UsageRead | None:
    if usage is None:
        return None
    return UsageRead(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        total_price=usage.total_price,
        currency=usage.currency,
    )


def _budget(event: ModelCalled) -> BudgetRead:
    return BudgetRead(
        provider=event.provider,
        model=event.model,
        window_tokens=event.window_tokens,
        prompt_tokens=event.prompt_tokens,
        max_tokens=event.max_tokens,
        requested_max_tokens=event.requested_max_tokens,
        trimmed_messages=event.trimmed_messages,
        trimmed_tokens=event.trimmed_tokens,
        is_exact=event.is_exact,
    )


def _rounds(scope: Scope | None) -> list[RoundRead]:
    rounds: list[RoundRead] = []
    while scope is not None:
        rounds.append(RoundRead(kind=scope.kind, node_id=scope.node_id, index=scope.index))
        scope = scope.outer
    return rounds
