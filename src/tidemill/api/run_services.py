"""What a process needs to run apps, started and stopped in the right order."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from tidemill.adapters.mailer import GuardedMailer
from tidemill.adapters.storage import LocalStorage
from tidemill.api.openai import PATH as OPENAI_PATH
from tidemill.api.openai import create_openai_api
from tidemill.api.public import PATH as PUBLIC_PATH
from tidemill.api.public import create_public_api
from tidemill.api.service import PATH as SERVICE_PATH
from tidemill.api.service import create_service_api
from tidemill.api.wire_chat import encoder_for
from tidemill.domains.conversations import background
from tidemill.domains.conversations.desk import Desk
from tidemill.domains.conversations.origin import ConversationRuns
from tidemill.domains.conversations.people import EndUsers
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.router import router as file_router
from tidemill.domains.files.service import UploadLimits
from tidemill.domains.humans.desk import FormDesk
from tidemill.domains.humans.mail import Account, FormPost
from tidemill.domains.humans.port import WorkspaceHumans
from tidemill.domains.humans.sweeper import Sweeper
from tidemill.domains.humans.tokens import FormTokens
from tidemill.domains.runs.callers import Callers
from tidemill.domains.runs.caretaker import Caretaker
from tidemill.domains.runs.executors import Executors
from tidemill.domains.runs.follow import Following
from tidemill.domains.runs.programs import Programs
from tidemill.domains.runs.recorder import Recorder
from tidemill.domains.runs.runner import PortFactory, Runner
from tidemill.domains.runs.stops import StopBoard, StopWatch
from tidemill.domains.runs.successor import Successor
from tidemill.domains.runs.sweeps import RunSweeps
from tidemill.domains.toolbox.port import ToolRegistry
from tidemill.engine.scheduler import Limits
from tidemill.kit.bus import Bus, MemoryBus
from tidemill.kit.crypto import Vault
from tidemill.kit.db import Database
from tidemill.kit.limiter import Limiter
from tidemill.kit.links import links
from tidemill.kit.settings import Settings
from tidemill.ports import Http, Humans

# Of those who hold links, by address.
FORM_RATE = "60/minute"


def mount_program_apis(app: FastAPI, environment: str) -> None:
    """Add the Service API, the OpenAI endpoint, what links open, and signed files. They share the state of `app`."""
    app.include_router(file_router)
    apis = (
        (SERVICE_PATH, create_service_api(environment)),
        (OPENAI_PATH, create_openai_api()),
        (PUBLIC_PATH, create_public_api()),
    )
    for _, api in apis:
        api.state = app.state
    app.state.program_apis = apis


@asynccontextmanager
async def run_services(
    settings: Settings,
    database: Database,
    vault: Vault,
    *,
    bus: Bus,
    http: Http,
    tools: ToolRegistry,
    ports: PortFactory,
) -> AsyncGenerator[Desk]:
    """Start recording and running; at the end, runs are left to other processes and everything queued is committed.

    Args:
        http: Guarded: goes where apps and users send it.
        ports: What the runs of a workspace may use, beside files, history and `http`.
    """
    async with AsyncExitStack() as stack:
        executors = Executors(database, lease_s=settings.run_lease)
        await executors.register()
        stack.push_async_callback(executors.sign_off)
        recorder = Recorder(database)
        recorder.holder = executors.id
        recorder.start()
        stack.push_async_callback(recorder.close)
        callers = Callers(database, recorder)
        callers.watch()
        stack.callback(callers.unwatch)
        await bus.start()
        stack.push_async_callback(bus.close)
        tokens = FormTokens(vault)
        post = form_post(settings, tokens)
        limits = Limits(
            max_steps=settings.workflow_max_execution_steps, max_seconds=settings.workflow_max_execution_time
        )
        runner = Runner(
            recorder,
            executors,
            ports=lambda workspace_id: {
                **ports(workspace_id),
                Humans: WorkspaceHumans(database, recorder, tokens, post, workspace_id),
            },
            limits=limits,
            max_active=settings.app_max_active_requests,
            records_calls=settings.record_calls,
            # A bus that ends at this process does not reach another one on the same database.
            watch=StopWatch(bus, StopBoard(database, executors) if isinstance(bus, MemoryBus) else None),
        )
        runner.open()
        stack.push_async_callback(background.close)
        stack.push_async_callback(runner.close)
        following = Following(database)
        stack.push_async_callback(following.close)
        desk = Desk(
            database=database,
            runner=runner,
            storage=LocalStorage(Path(settings.storage_root)),
            links=FileLinks(vault, base_url=links(settings).files, lifetime_s=settings.files_access_timeout),
            http=http,
            encoder_for=partial(encoder_for, form_token=tokens.of),
            form_tokens=tokens,
            programs=Programs(database, vault),
            callers=callers,
            end_users=EndUsers(recorder),
            upload_limits=_upload_limits(settings),
            max_files=settings.workflow_file_upload_limit,
            max_call_depth=settings.workflow_call_max_depth,
            tools=tools,
            following=following,
        )
        sweeper = Sweeper(database, runner.resume)
        caretaker = take_care(settings, desk)
        caretaker.sweeps.append(sweeper.close_ended)
        caretaker.start()
        stack.push_async_callback(caretaker.close)
        runner.on_paused = sweeper.wake
        sweeper.start()
        stack.push_async_callback(sweeper.close)
        yield desk


def take_care(settings: Settings, desk: Desk) -> Caretaker:
    """Whatever looks after this process's lease, others' runs and what has lapsed."""
    runner = desk.runner
    origin = ConversationRuns(desk)
    successor = Successor(desk.database, runner, desk.programs, origin, max_losses=settings.run_max_losses)
    runner.resuming = successor
    runner.watch.unheld = successor.stop_unheld
    keeps_days = settings.workflow_log_retention_days if settings.workflow_log_cleanup_enabled else None
    sweeps = RunSweeps(desk.database, keeps_days=keeps_days)
    return Caretaker(
        runner.executors,
        successor,
        lease_s=settings.run_lease,
        on_lost=runner.lose_lease,
        sweeps=[sweeps.stops, sweeps.traces, sweeps.snapshots],
    )


def form_post(settings: Settings, tokens: FormTokens) -> FormPost | None:
    """What sends forms by e-mail; None where no server for it is set."""
    host = settings.smtp_server
    if not host:
        return None
    account = Account(
        host=host,
        port=settings.smtp_port,
        security="none" if not settings.smtp_use_tls else "starttls" if settings.smtp_opportunistic_tls else "tls",
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        sender=settings.mail_default_send_from or settings.smtp_username,
    )
    # The administrator's own server may be anywhere.
    return FormPost(GuardedMailer(allow=f"{host}:{settings.smtp_port}"), account, tokens, links(settings).app_web)


def form_desk(desk: Desk) -> FormDesk:
    """What it takes to answer the forms of runs."""
    return FormDesk(
        database=desk.database,
        tokens=desk.form_tokens,
        storage=desk.storage,
        links=desk.links,
        http=desk.http,
        upload_limits=desk.upload_limits,
        resume=desk.runner.resume,
        limiter=Limiter(FORM_RATE),
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
