"""Attaching to a run again: its story so far, and then whatever follows, in whichever process that happens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from tidemill.domains.conversations.desk import Desk
from tidemill.domains.conversations.errors import FieldInvalid
from tidemill.domains.runs.follow import UNENDED, FollowedRun
from tidemill.domains.runs.models import Run, RunEventBatch
from tidemill.domains.runs.rows import ticket_of
from tidemill.domains.runs.stream import EventStream, LastWord
from tidemill.domains.runs.successor import begin_or_nobody

LAST_EVENT_ID = "last-event-id"
_leaving: set[asyncio.Task[None]] = set()


@dataclass(frozen=True)
class Wish:
    """What a client wants of a run's story.

    Everything from the first event on (`is_whole`), everything after `after_seq`, which is the `Last-Event-ID` it sent,
    or only what happens from now on. `goes_past_pauses`: the stream stays open when the run pauses.
    """

    is_whole: bool = False
    after_seq: int | None = None
    goes_past_pauses: bool = False


def last_event_id(request: Request) -> int | None:
    """The number of the last event that the client has seen; None when it does not number them."""
    text = request.headers.get(LAST_EVENT_ID)
    if text is None:
        return None
    if text and not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise FieldInvalid("`Last-Event-ID` must be the `id` of an event of this run.", params="Last-Event-ID")
    return int(text or 0)


async def attach(db: AsyncSession, desk: Desk, run_id: UUID, wish: Wish) -> EventStream:
    """The stream of a run that the caller may see."""
    query = select(func.max(RunEventBatch.last_seq)).where(RunEventBatch.run_id == run_id)
    last_seq = await db.scalar(query) or 0
    # Its status as it is after that: of a run that ends in between, there must be something left to tell.
    as_now = select(Run).where(Run.id == run_id).options(undefer(Run.began_with))
    run = (await db.scalars(as_now.execution_options(populate_existing=True))).one()
    ticket = ticket_of(run, begin_or_nobody(run))
    encoder = desk.encoder_for(ticket)
    has_ended = run.status not in UNENDED
    if has_ended and not wish.is_whole and wish.after_seq is None:
        encoder, last_seq = LastWord(encoder), 0
    live = None if wish.goes_past_pauses else desk.runner.find(run_id)
    story = live or desk.following.follow(ticket)

    def leave() -> None:
        if isinstance(story, FollowedRun):
            task = asyncio.create_task(desk.following.leave(story), name="leave followed run")
            _leaving.add(task)
            task.add_done_callback(_leaving.discard)

    after_seq = wish.after_seq if wish.after_seq is not None else 0 if wish.is_whole else last_seq
    # Of a story told whole, a pause that the run has left behind ends nothing; one that it is in does.
    pauses_after_seq = after_seq
    if wish.is_whole:
        pauses_after_seq = last_seq - 1 if run.status == "paused" else last_seq
    return EventStream(
        story,
        encoder,
        on_close=leave,
        after_seq=after_seq,
        has_ids=wish.after_seq is not None,
        pauses_after_seq=None if wish.goes_past_pauses or has_ended else pauses_after_seq,
    )
