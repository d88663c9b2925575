"""The web process: everything is wired here, and nowhere else."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tidemill import __version__
from tidemill.adapters.storage import LocalStorage, StorageError
from tidemill.api.headers import SecurityHeaders
from tidemill.api.pages import STATIC, ConsolePages
from tidemill.api.prefix import PathPrefix, ProgramApis, SingleSlashes
from tidemill.domains.workspaces.service import SetupGate, setup_gate
from tidemill.kit.crypto import Vault
from tidemill.kit.db import Database, url_of
from tidemill.kit.errors import add_handlers
from tidemill.kit.limiter import Limiter
from tidemill.kit.settings import Settings, with_secret_key
from tidemill.kit.startup import check_data_folder, check_database, check_storage
from tidemill.migrations.schema import bring_up_to_date, is_current

SIGN_IN_RATE = "10/minute"


def open_database(settings: Settings) -> Database:
    """The database of these settings."""
    return Database(
        url_of(settings),
        pool_size=settings.sqlalchemy_pool_size,
        max_overflow=settings.sqlalchemy_max_overflow,
    )


def open_vault(settings: Settings) -> Vault:
    """Encryption and signatures with the keys of these settings."""
    previous = settings.previous_secret_keys.get_secret_value().split(",")
    return Vault(settings.secret_key.get_secret_value(), [key.strip() for key in previous if key.strip()])


def create_app(settings: Settings, *, gate: SetupGate | None = None) -> FastAPI:
    """The application. `settings` may lack a secret key: the data folder's is then used.

    Args:
        gate: What the first-run page asks for; several processes of one start share it.
    """
    settings = with_secret_key(settings)
    app = FastAPI(
        title="Tidemill", version=__version__, lifespan=_lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.settings = settings
    app.state.vault = open_vault(settings)
    app.state.sign_in_limiter = Limiter(SIGN_IN_RATE)
    app.state.setup_gate = gate or setup_gate(settings)
    add_handlers(app)
    _add_probes(app)
    app.state.program_apis = ()
    app.add_middleware(SecurityHeaders)
    app.add_middleware(ProgramApis)
    app.add_middleware(SingleSlashes)
    app.add_middleware(PathPrefix, prefix=settings.path_prefix)
    return app


def _settle_memory() -> None:
    # What start-up made lives as long as the process: the collector need not look at it again with every run.
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    settings: Settings = app.state.settings
    check_data_folder(settings)
    check_storage(settings)
    await check_database(settings)
    # Nodes, models and routes are most of what there is to import: a fault of the settings is told before them.
    from tidemill.api.surfaces import mount_surfaces, opened_services

    mount_surfaces(app, settings)
    app.mount("/", ConsolePages(STATIC, prefix=settings.path_prefix))
    async with AsyncExitStack() as stack:
        database = open_database(settings)
        stack.push_async_callback(database.close)
        await bring_up_to_date(database, settings)
        app.state.database = database
        await stack.enter_async_context(opened_services(app, settings, database))
        _settle_memory()
        yield


async def _can_store(storage: LocalStorage) -> bool:
    try:
        await storage.check()
    except StorageError:
        return False
    return True


def _add_probes(app: FastAPI) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz(request: Request) -> JSONResponse:
        """Everything a request needs is there."""
        state = request.app.state
        checks = {"database": await is_current(state.database), "storage": await _can_store(state.storage)}
        is_ready = all(checks.values())
        body = {"status": "ok" if is_ready else "unavailable", "checks": checks}
        return JSONResponse(body, 200 if is_ready else 503)
