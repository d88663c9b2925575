"""The console's routes of recorded runs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from tidemill.domains.apps import service as apps
from tidemill.domains.runs import cassettes, service
from tidemill.domains.runs.schemas import RunPage, RunRead, RunSummary, RunTrace
from tidemill.domains.workspaces.permissions import Editor, Viewer
from tidemill.kit.db import Db

router = APIRouter(tags=["runs"])


@router.get("/apps/{app_id}/runs")
async def list_runs(
    app_id: UUID,
    member: Viewer,
    db: Db,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> RunPage:
    """The app's runs, newest first."""
    app = await apps.get(db, member, app_id)
    page, next_cursor = await service.search(db, member, app.id, cursor=cursor, limit=limit)
    return RunPage(items=[RunSummary.model_validate(run) for run in page], next_cursor=next_cursor)


@router.get("/runs/{run_id}")
async def read_run(run_id: UUID, member: Viewer, db: Db) -> RunTrace:
    """A run with everything its nodes did."""
    run = await service.get(db, member, None, run_id)
    journal = await service.events(db, member, run.id)
    return RunTrace(run=RunRead.model_validate(run), nodes=service.trace(journal))


@router.get("/runs/{run_id}/cassette")
async def read_cassette(run_id: UUID, member: Editor, db: Db) -> Response:
    """The run's outside calls with their answers, without secrets, as a file for `tidemill test`."""
    content = cassettes.write(await cassettes.cassette(db, member, run_id))
    disposition = {"Content-Disposition": f'attachment; filename="{run_id}.cassette.json"'}
    return Response(content, media_type="application/json", headers=disposition)
