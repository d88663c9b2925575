"""Which models and tools the asking workspace can use, for reports of what an app lacks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from tidemill.domains.model_providers import service as model_providers
from tidemill.domains.toolbox import service as toolbox
from tidemill.domains.workspaces.permissions import Viewer
from tidemill.kit.db import Db


async def _available(request: Request, member: Viewer, db: Db) -> model_providers.UsableModels:
    return await model_providers.usable(db, member, request.app.state.models)


async def _tools(request: Request, member: Viewer, db: Db) -> toolbox.UsableTools:
    return await toolbox.usable(db, member, request.app.state.tools)


AvailableTools = Annotated[toolbox.UsableTools, Depends(_tools, scope="function")]
Available = Annotated[model_providers.UsableModels, Depends(_available, scope="function")]
