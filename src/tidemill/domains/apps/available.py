"""Which models the asking workspace can use, for reports of what an app lacks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from tidemill.domains.model_providers import service as model_providers
from tidemill.domains.workspaces.permissions import Viewer
from tidemill.kit.db import Db


async def _available(request: Request, member: Viewer, db: Db) -> model_providers.UsableModels:
    return await model_providers.usable(db, member, request.app.state.models)


Available = Annotated[model_providers.UsableModels, Depends(_available, scope="function")]
