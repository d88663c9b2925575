"""All HTTP surfaces and what serves them. `main` imports this when a start begins: it is most of a start's time."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from pydantic.warnings import UnsupportedFieldAttributeWarning

from tidemill.adapters.documents import SafeDocuments
from tidemill.adapters.egress import AllowListInvalid
from tidemill.adapters.http import Sessions, open_sessions
from tidemill.adapters.sandbox import open_sandbox
from tidemill.adapters.templates import SafeTemplates
from tidemill.api.console import PATH as CONSOLE_PATH
from tidemill.api.console import create_console_api
from tidemill.api.docs import docs_router
from tidemill.api.run_services import form_desk, mount_program_apis, run_services
from tidemill.api.tool_services import tool_services
from tidemill.api.warm_up import warming_up
from tidemill.domains.model_providers.port import ModelRegistry
from tidemill.kit.bus import Bus, BusUnavailable, MemoryBus
from tidemill.kit.db import Database
from tidemill.kit.settings import Settings
from tidemill.ports import Documents, Models, Sandbox, Templates, Tools


def mount_surfaces(app: FastAPI, settings: Settings) -> None:
    """Add the console's API, the APIs for programs and the reference pages. They share the state of `app`."""
    # FastAPI hides this warning while it reads a route, which is when the route is first asked for. What Python hides
    # "for a while" it hides in the whole process: a thread that ends such a while just then lets the warning out.
    warnings.filterwarnings("ignore", "The 'alias' attribute", UnsupportedFieldAttributeWarning)
    console = create_console_api()
    console.state = app.state
    app.mount(CONSOLE_PATH, console)
    app.include_router(docs_router({"console": (CONSOLE_PATH, console.openapi)}))
    mount_program_apis(app, settings.deploy_env)


@asynccontextmanager
async def opened_services(app: FastAPI, settings: Settings, database: Database) -> AsyncGenerator[None]:
    """Open what requests and runs need, put it into the state of `app`, and close it at the end.

    Raises:
        StartFault: A setting keeps one of them from opening.
    """
    async with AsyncExitStack() as stack:
        sessions = await stack.enter_async_context(await open_http(settings))
        templates = SafeTemplates()
        stack.push_async_callback(templates.close)
        sandbox = open_sandbox(settings)
        stack.push_async_callback(sandbox.close)
        documents = SafeDocuments()
        stack.push_async_callback(documents.close)
        models = ModelRegistry(database, app.state.vault, sessions.trusted, ollama_url=settings.ollama_host)
        app.state.models = models
        opened = tool_services(settings, database, app.state.vault, sessions.http)
        tools, tool_ports = await stack.enter_async_context(opened)
        app.state.tools = tools
        services = run_services(
            settings,
            database,
            app.state.vault,
            bus=_open_bus(settings),
            http=sessions.http,
            tools=tools,
            ports=lambda workspace_id: {
                **tool_ports,
                Documents: documents,
                Models: models.of(workspace_id),
                Sandbox: sandbox,
                Templates: templates,
                Tools: tools.of(workspace_id),
            },
        )
        try:
            desk = await stack.enter_async_context(services)
        except BusUnavailable as error:
            problem = f"Redis does not answer at {settings.redis_host}:{settings.redis_port}"
            mend = "Start Redis there, correct REDIS_HOST, REDIS_PORT and REDIS_PASSWORD, or remove REDIS_HOST."
            raise settings.fault("redis_host", problem, mend) from error
        app.state.desk = desk
        app.state.form_desk = form_desk(desk)
        app.state.file_links = desk.links
        app.state.storage = desk.storage
        await stack.enter_async_context(warming_up())
        yield


def _open_bus(settings: Settings) -> Bus:
    """Messages between processes: through Redis where one is set, else within this process."""
    if not settings.redis_host:
        return MemoryBus()
    # Only whoever uses Redis needs its client, which is an extra.
    from tidemill.kit.bus_redis import RedisBus

    return RedisBus(settings.redis_url)


async def open_http(settings: Settings) -> Sessions:
    """The HTTP clients of these settings. Raises `StartFault`."""
    try:
        return await open_sessions(allow=settings.egress_allow)
    except AllowListInvalid as error:
        raise settings.fault("egress_allow", str(error).rstrip("."), "Correct or remove the setting.") from error
