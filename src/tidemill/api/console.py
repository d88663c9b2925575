"""The console's API: every domain's console routes under `/console/api`."""

from __future__ import annotations

from fastapi import FastAPI

from tidemill import __version__
from tidemill.api.body_limit import BodyLimit
from tidemill.api.headers import SameSite
from tidemill.api.system import router as system
from tidemill.domains.api_keys.router import router as api_keys
from tidemill.domains.apps.router import router as apps
from tidemill.domains.conversations.console_router import router as conversations
from tidemill.domains.conversations.run_router import router as single_runs
from tidemill.domains.humans.router import router as humans
from tidemill.domains.model_providers.router import router as model_providers
from tidemill.domains.runs.router import router as runs
from tidemill.domains.toolbox.router import router as toolbox
from tidemill.domains.workspaces.router import router as workspaces
from tidemill.kit.errors import add_handlers

PATH = "/console/api"
ROUTERS = (workspaces, apps, api_keys, conversations, runs, single_runs, humans, model_providers, toolbox, system)
MAX_BODY_BYTES = 16 * 1024 * 1024


def create_console_api() -> FastAPI:
    """The console's API as an application of its own, with its own OpenAPI."""
    app = FastAPI(
        title="Tidemill console API",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in ROUTERS:
        app.include_router(router)
    add_handlers(app)
    app.add_middleware(SameSite)
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES, exempt_suffix="/files")
    return app
