"""Runs and their journals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tidemill.kit.db import Base, JsonText, new_id, now


class Run(Base):
    """One execution of an app. The row is written when the run begins and again when it ends.

    `version_id` is the published version, None for the draft, which `snapshot_id` keeps as it was. `executor_id` names
    the process that runs it: none while a run is paused or waits to be taken over. `generation` counts those that held
    it; `losses` those in a row that died without getting any further than `lost_at_seq`. `stop_reason` is a stop that
    was asked for while nobody held the run. `began_with` is a packed `rows.Begin`. `forked_from` is the run whose
    results this one began with. `conversation_id` and `end_user_id` belong to domains above this one, so they are no
    foreign keys.
    """

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_app_id_created_at", "app_id", "created_at"),
        Index("ix_run_status_executor_id", "status", "executor_id"),
        Index("ix_run_task_id", "task_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    version_id: Mapped[UUID | None]
    workflow_id: Mapped[UUID]
    task_id: Mapped[UUID]
    snapshot_id: Mapped[UUID | None]
    executor_id: Mapped[UUID | None]
    generation: Mapped[int] = mapped_column(default=1)
    losses: Mapped[int] = mapped_column(default=0)
    lost_at_seq: Mapped[int] = mapped_column(default=0)
    stop_reason: Mapped[str | None] = mapped_column(Text)
    forked_from: Mapped[UUID | None]
    began_with: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    mode: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(20))
    end_user_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    conversation_id: Mapped[UUID | None] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(String(20))
    query: Mapped[str] = mapped_column(Text, default="")
    inputs: Mapped[dict[str, Any]] = mapped_column(JsonText)
    outputs: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    error: Mapped[str | None] = mapped_column(Text)
    error_type: Mapped[str | None] = mapped_column(String(100))
    elapsed_s: Mapped[float | None]
    total_tokens: Mapped[int] = mapped_column(default=0)
    total_steps: Mapped[int] = mapped_column(default=0)
    exceptions_count: Mapped[int] = mapped_column(default=0)
    total_price: Mapped[str] = mapped_column(String(40), default="0")
    currency: Mapped[str] = mapped_column(String(10), default="USD")
    trace_id: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]


class RunEventBatch(Base):
    """Consecutive events of one run, packed by `journal_codec`."""

    __tablename__ = "run_event_batch"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    first_seq: Mapped[int] = mapped_column(primary_key=True)
    last_seq: Mapped[int]
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class RunSnapshot(Base):
    """A draft as a run began with it. The id is made from the content, so equal drafts share one row.

    Values of secret environment variables are blank in the document and encrypted in `secrets`.
    """

    __tablename__ = "run_snapshot"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), index=True)
    document: Mapped[dict[str, Any]] = mapped_column(JsonText)
    secrets: Mapped[dict[str, str]] = mapped_column(JsonText)
    created_at: Mapped[datetime] = mapped_column(default=now)


class RunExecutor(Base):
    """A process that executes runs. Without this row it may write nothing more, and others take its runs over.

    `pid` and `process_started_at` (Unix seconds) tell on its own `host` whether it lives; elsewhere `seen_at` does.
    """

    __tablename__ = "run_executor"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    process_started_at: Mapped[float]
    seen_at: Mapped[datetime]


class RunStop(Base):
    """A request to stop a task that another process runs. Read at once, deleted after a minute."""

    __tablename__ = "run_stop"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    task_id: Mapped[UUID]
    app_id: Mapped[UUID]
    user: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
