"""The models and tools that commands without a server use: those of the environment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AsyncExitStack

from aiohttp import ClientSession

from tidemill.adapters.databases import ConnectionsInvalid, NamedDatabases
from tidemill.adapters.http import Sessions
from tidemill.adapters.mailer import GuardedMailer
from tidemill.adapters.mcp import McpClient
from tidemill.adapters.models import EnvironmentModels, ModelArgumentInvalid
from tidemill.adapters.tools import EnvironmentTools
from tidemill.adapters.workshop import SafeWorkshop
from tidemill.cli.failure import CommandFailed
from tidemill.kit.settings import Settings
from tidemill.ports import Databases, Mailer, McpServers, Tools, Workshop


def open_models(
    http: ClientSession, *, model: str = "", maps: Sequence[str] = (), window: int | None = None
) -> EnvironmentModels:
    """The models of this environment; a `--model` or `--map` that names none ends the command."""
    try:
        return EnvironmentModels(http, os.environ, model=model or None, maps=maps, window=window)
    except ModelArgumentInvalid as error:
        raise CommandFailed(str(error)) from error


async def open_tools(stack: AsyncExitStack, sessions: Sessions, settings: Settings) -> dict[type, object]:
    """The tools of this environment and what they need, closed with the stack."""
    workshop = SafeWorkshop()
    stack.push_async_callback(workshop.close)
    mcp = McpClient(sessions.http, stdio_allowed=settings.mcp_stdio_allowed)
    stack.push_async_callback(mcp.close)
    try:
        databases = NamedDatabases(settings.sql_connections.get_secret_value())
    except ConnectionsInvalid as error:
        raise CommandFailed(str(error)) from error
    return {
        Tools: EnvironmentTools(os.environ),
        Workshop: workshop,
        Mailer: GuardedMailer(allow=settings.egress_allow),
        Databases: databases,
        McpServers: mcp,
    }
