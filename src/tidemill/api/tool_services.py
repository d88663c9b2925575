"""What tools need in a process, opened and closed in the right order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from tidemill.adapters.databases import ConnectionsInvalid, NamedDatabases
from tidemill.adapters.http import GuardedHttp
from tidemill.adapters.mailer import GuardedMailer
from tidemill.adapters.mcp import McpClient
from tidemill.adapters.workshop import SafeWorkshop
from tidemill.domains.apps.as_tool import workflow_shape
from tidemill.domains.toolbox.port import ToolRegistry
from tidemill.kit.crypto import Vault
from tidemill.kit.db import Database
from tidemill.kit.settings import Settings
from tidemill.ports import Databases, Http, Mailer, McpServers, Workshop


@asynccontextmanager
async def tool_services(
    settings: Settings, database: Database, vault: Vault, http: GuardedHttp
) -> AsyncGenerator[tuple[ToolRegistry, Mapping[type, object]]]:
    """The workspaces' tools, and the ports that tools use beside those of a run.

    Raises:
        StartFault: A setting cannot be read.
    """
    async with AsyncExitStack() as stack:
        try:
            databases = NamedDatabases(settings.sql_connections.get_secret_value())
        except ConnectionsInvalid as error:
            mend = "Correct or remove the setting."
            raise settings.fault("sql_connections", str(error).rstrip("."), mend) from error
        workshop = SafeWorkshop()
        stack.push_async_callback(workshop.close)
        mcp = McpClient(http, stdio_allowed=settings.mcp_stdio_allowed)
        stack.push_async_callback(mcp.close)
        ports: dict[type, object] = {
            Workshop: workshop,
            Mailer: GuardedMailer(allow=settings.egress_allow),
            Databases: databases,
            McpServers: mcp,
        }
        registry = ToolRegistry(
            database,
            vault,
            mcp,
            workflows=workflow_shape,
            ports=lambda _: {Http: http, **ports},
            connect_timeout_s=float(settings.api_tool_default_connect_timeout),
            read_timeout_s=float(settings.api_tool_default_read_timeout),
        )
        yield registry, ports
