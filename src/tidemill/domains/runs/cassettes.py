"""A recorded run as a cassette: what `tidemill test` plays instead of calling outside."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.adapters.cassette import PORTS, Cassette, cassette_of, write
from tidemill.domains.apps import service as apps
from tidemill.domains.runs import service
from tidemill.domains.runs.errors import NotFinished, RunNotRecorded
from tidemill.domains.workspaces.permissions import Scoped
from tidemill.engine.events import CallRecorded, Event, NodeFinished, RunFinished

__all__ = ["cassette", "write"]

# Nodes that never come to a result without a call.
_CALLERS = frozenset(("llm", "http-request", "tool", "question-classifier", "parameter-extractor"))


async def cassette(db: AsyncSession, scope: Scoped, run_id: UUID) -> Cassette:
    """The cassette of a run.

    Raises:
        RunNotFound: The workspace has no such run.
        NotFinished: It goes on, or waits for somebody.
        RunNotRecorded: Some of its outside calls are not in its journal.
    """
    run = await service.get(db, scope, None, run_id)
    journal = await service.events(db, scope, run.id)
    if not any(isinstance(event, RunFinished) for event in journal):
        raise NotFinished("The run has not ended yet. Save its cassette when it has.")
    if (node := _unrecorded(journal)) is not None:
        told = (
            "took its result from an earlier run. Save that run's cassette"
            if node.metadata.get("is_taken")
            else "has no recorded calls. Set TIDEMILL_RECORD_CALLS=true and run the app once more"
        )
        raise RunNotRecorded(f'Node "{node.title}" ({node.node_id}) {told}.')
    app = await apps.get(db, scope, run.app_id)
    return cassette_of(
        journal, app={"name": app.name, "mode": run.mode}, recorded_at=run.created_at.isoformat(timespec="seconds")
    )


def _unrecorded(journal: Sequence[Event]) -> NodeFinished | None:
    # An agent keeps its steps in the journal too, for a recovery: they are no calls of a cassette.
    calls = (event for event in journal if isinstance(event, CallRecorded) and event.port in PORTS)
    recorded = {event.execution_id for event in calls}
    results = (event for event in journal if isinstance(event, NodeFinished) and event.status == "succeeded")
    return next((item for item in results if item.node_type in _CALLERS and item.execution_id not in recorded), None)
