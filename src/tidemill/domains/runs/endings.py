"""How runs end that do not end by themselves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tidemill.domains.runs.recorder import JournalFailed
from tidemill.domains.runs.rows import Start
from tidemill.engine.events import (
    Event,
    NodeFinished,
    NodeStarted,
    RunFinished,
    RunPaused,
    RunStatus,
    Usage,
    add_usage,
)
from tidemill.engine.past import Past
from tidemill.kit.db import now


def ended(finished: RunFinished, failure: JournalFailed) -> RunFinished:
    """The end of a run that could not be saved."""
    return msgspec.structs.replace(finished, status="failed", error=str(failure), error_type="JournalFailed")


def broken(start: Start, status: RunStatus, sentence: str) -> RunFinished:
    """The end of a run that the engine did not bring to one."""
    moment = now().timestamp()
    return RunFinished(
        seq=1_000_000_000,  # after everything the run may have said
        at=moment,
        run_id=start.ticket.run_id,
        status=status,
        outputs={},
        started_at=moment,
        elapsed_s=0.0,
        total_tokens=0,
        total_steps=0,
        error=sentence,
        error_type="ServerFault",
    )


def without_going_on(
    run_id: str, events: Sequence[Event], status: RunStatus, sentence: str | None, error_type: str | None
) -> RunFinished:
    """The end of a stored run that is not executed any further: with what its journal holds."""
    past = Past.going_on(events)
    usage = Usage()
    outputs: dict[str, object] = {}
    steps = 0
    for event in events:
        if isinstance(event, NodeFinished) and event.usage is not None:
            usage = add_usage(usage, event.usage)
        elif isinstance(event, NodeStarted):
            steps += 1
        elif isinstance(event, RunPaused):
            outputs = event.outputs
    moment = now().timestamp()
    return RunFinished(
        seq=past.last_seq + 1,
        at=moment,
        run_id=run_id,
        status=status,
        outputs=outputs,
        started_at=past.started_at or moment,
        elapsed_s=past.elapsed_s,
        total_tokens=usage.total_tokens,
        total_steps=steps,
        answer=past.text,
        error=sentence,
        error_type=error_type,
        usage=usage,
    )
