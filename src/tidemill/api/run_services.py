"""What a process needs to run apps, started and stopped in the right order."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from tidemill.adapters.storage import LocalStorage
from tidemill.api.openai import PATH as OPENAI_PATH
from tidemill.api.openai import create_openai_api
from tidemill.api.service import PATH as SERVICE_PATH
from tidemill.api.service import create_service_api
from tidemill.api.wire_chat import encoder_for
from tidemill.domains.conversations import background
from tidemill.domains.conversations.desk import Desk
from tidemill.domains.conversations.people import EndUsers
from tidemill.domains.conversations.service import end_lost_messages
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.router import router as file_router
from tidemill.domains.files.service import UploadLimits
from tidemill.domains.runs.callers import Callers
from tidemill.domains.runs.programs import Programs
from tidemill.domains.runs.recorder import Recorder
from tidemill.domains.runs.recovery import Executor
from tidemill.domains.runs.runner import PortFactory, Runner
from tidemill.domains.runs.stops import StopBoard
from tidemill.engine.scheduler import Limits
from tidemill.kit.bus import Bus, MemoryBus
from tidemill.kit.crypto import Vault
from tidemill.kit.db import Database
from tidemill.kit.links import links
from tidemill.kit.settings import Settings
from tidemill.ports import Http


def mount_program_apis(app: FastAPI, environment: str) -> None:
    """Add the Service API, the OpenAI endpoint and signed file links. They share the state of `app`."""
    app.include_router(file_router)
    for path, api in ((SERVICE_PATH, create_service_api(environment)), (OPENAI_PATH, create_openai_api())):
        api.state = app.state
        app.mount(path, api)


@asynccontextmanager
async def run_services(
    settings: Settings, database: Database, vault: Vault, *, bus: Bus, http: Http, ports: PortFactory
) -> AsyncGenerator[Desk]:
    """Start recording and running; at the end, running runs are ended and everything queued is committed.

    Args:
        http: Guarded: goes where apps and users send it.
        ports: What the runs of a workspace may use, beside files, history and `http`.
    """
    async with AsyncExitStack() as stack:
        executor = Executor(database, on_lost=end_lost_messages)
        await executor.start()
        stack.push_async_callback(executor.close)
        recorder = Recorder(database)
        recorder.start()
        stack.push_async_callback(recorder.close)
        callers = Callers(database, recorder)
        callers.watch()
        stack.callback(callers.unwatch)
        await bus.start()
        stack.push_async_callback(bus.close)
        limits = Limits(
            max_steps=settings.workflow_max_execution_steps, max_seconds=settings.workflow_max_execution_time
        )
        runner = Runner(
            recorder,
            bus,
            executor_id=executor.id,
            ports=ports,
            limits=limits,
            max_active=settings.app_max_active_requests,
            # A bus that ends at this process does not reach another one on the same database.
            board=StopBoard(database, executor.id) if isinstance(bus, MemoryBus) else None,
        )
        runner.open()
        stack.push_async_callback(background.close)
        stack.push_async_callback(runner.close)
        yield Desk(
            database=database,
            runner=runner,
            storage=LocalStorage(Path(settings.storage_root)),
            links=FileLinks(vault, base_url=links(settings).files, lifetime_s=settings.files_access_timeout),
            http=http,
            encoder_for=encoder_for,
            programs=Programs(database, vault),
            callers=callers,
            end_users=EndUsers(recorder),
            upload_limits=_upload_limits(settings),
            max_files=settings.workflow_file_upload_limit,
        )


def _upload_limits(settings: Settings) -> UploadLimits:
    names = settings.upload_file_extension_blacklist.split(",")
    return UploadLimits(
        document=settings.upload_file_size_limit,
        image=settings.upload_image_file_size_limit,
        audio=settings.upload_audio_file_size_limit,
        video=settings.upload_video_file_size_limit,
        refused=frozenset(name.strip().lower().lstrip(".") for name in names if name.strip()),
    )
