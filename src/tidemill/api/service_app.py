"""Service API: what an app is, and files (reference sections 10.5 and 10.10)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tidemill.api.service_requests import ByKey, JsonAnswer, asker_of
from tidemill.domains.apps import service as apps
from tidemill.domains.apps.parameters import parameters
from tidemill.domains.conversations.desk import AtDesk
from tidemill.domains.files import service as files
from tidemill.domains.files.serving import serve
from tidemill.domains.files.shapes import upload_json
from tidemill.domains.files.upload import read_upload
from tidemill.domains.runs.errors import AppUnavailable
from tidemill.kit.db import Db
from tidemill.kit.state import CurrentSettings

router = APIRouter()


@router.get("/info")
async def read_info(caller: ByKey, db: Db) -> Response:
    """Name, description and mode of the app."""
    app = await apps.get(db, caller, caller.app_id)
    answer = {"name": app.name, "description": app.description, "tags": [], "mode": app.mode, "author_name": ""}
    return JsonAnswer(answer)


@router.get("/parameters")
async def read_parameters(caller: ByKey, desk: AtDesk, settings: CurrentSettings, db: Db) -> Response:
    """Everything a client needs to draw the input form."""
    if caller.published_version_id is None:
        raise AppUnavailable("The app has not been published. Publish it, then call it again.")
    program = await desk.programs.published(caller, caller.app_id, caller.published_version_id)
    return JsonAnswer(parameters(program.compiled, settings))


@router.get("/meta")
async def read_meta(caller: ByKey) -> Response:
    """Icons of the app's tools."""
    del caller
    return JsonAnswer({"tool_icons": {}})


@router.get("/site")
async def read_site(caller: ByKey, db: Db) -> Response:
    """Look and texts of the app's page."""
    app = await apps.get(db, caller, caller.app_id)
    answer = {
        "title": app.name,
        "chat_color_theme": "",
        "chat_color_theme_inverted": False,
        "icon_type": "emoji",
        "icon": app.icon,
        "icon_background": app.icon_background,
        "icon_url": None,
        "description": app.description,
        "copyright": "",
        "privacy_policy": "",
        "input_placeholder": None,
        "custom_disclaimer": "",
        "default_language": "en-US",
        "show_workflow_steps": True,
        "use_icon_as_answer_icon": False,
    }
    return JsonAnswer(answer)


@router.post("/files/upload", status_code=201)
async def upload_file(request: Request, caller: ByKey, desk: AtDesk) -> Response:
    """Keep one file for a later message or run of the same user."""
    most = max(desk.upload_limits.of(kind) for kind in ("image", "audio", "video", "document"))
    upload = await read_upload(request, max_bytes=most * files.MEGABYTE)
    async with desk.database.session() as db:
        asker = asker_of(desk, caller, upload.user, "service-api")
        stored = await files.store(
            db,
            desk.storage,
            asker.file_owner,
            name=upload.name,
            declared_type=upload.declared_type,
            data=upload.data,
            limits=desk.upload_limits,
        )
    return JsonAnswer(upload_json(stored, desk.links), status_code=201)


@router.get("/files/{file_id:uuid}/preview")
async def read_file(
    file_id: UUID,
    request: Request,
    caller: ByKey,
    desk: AtDesk,
    db: Db,
    as_attachment: Annotated[bool, Query()] = False,
) -> Response:
    """The bytes of a file that a run of this app has used."""
    stored = await files.get_attached(db, caller.workspace_id, caller.app_id, file_id)
    return await serve(request, desk.storage, stored, as_attachment=as_attachment)
