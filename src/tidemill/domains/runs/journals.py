"""Reading journals back: whole, from some event on, and as far as they can be trusted."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.runs.journal_codec import unpack
from tidemill.domains.runs.models import RunEventBatch
from tidemill.engine.events import Event

_log = logging.getLogger(__name__)


async def read(db: AsyncSession, run_id: UUID, *, after_seq: int = 0) -> list[Event]:
    """The events of a run after one of them, up to the first that is missing or cannot be read."""
    events, _ = await _read(db, run_id, after_seq)
    return events


async def read_and_cut(db: AsyncSession, run_id: UUID) -> list[Event]:
    """The events that a run goes on from.

    Batches are committed whole and in order, so nothing is ever missing in between. Should a backup or a damaged disk
    leave a gap or an unreadable batch all the same, what follows it is removed: the run goes on from what is sure, and
    calls made after that are made again, under the same idempotency keys.
    """
    events, rest = await _read(db, run_id, 0)
    if rest:
        _log.warning("The journal of run %s is damaged after event %d; it goes on from there.", run_id, len(events))
        await db.execute(
            delete(RunEventBatch).where(RunEventBatch.run_id == run_id, RunEventBatch.first_seq >= min(rest))
        )
    return events


async def _read(db: AsyncSession, run_id: UUID, after_seq: int) -> tuple[list[Event], list[int]]:
    query = (
        select(RunEventBatch.first_seq, RunEventBatch.payload)
        .where(RunEventBatch.run_id == run_id, RunEventBatch.last_seq > after_seq)
        .order_by(RunEventBatch.first_seq)
    )
    rows = (await db.execute(query)).all()
    return joined([(row.first_seq, row.payload) for row in rows], after_seq)


def joined(batches: Sequence[tuple[int, bytes]], after_seq: int) -> tuple[list[Event], list[int]]:
    """The events of consecutive batches, and the first numbers of the batches that cannot be used."""
    events: list[Event] = []
    awaited = after_seq + 1
    for number, (_, payload) in enumerate(batches):
        try:
            found = [event for event in unpack(payload) if event.seq > after_seq]
        except (zlib.error, msgspec.DecodeError, ValueError):
            found = []
        if not found or found[0].seq != awaited or found[-1].seq != awaited + len(found) - 1:
            return events, [seq for seq, _ in batches[number:]]
        events += found
        awaited += len(found)
    return events, []
