"""What a workspace has among its tools, as runs and lists need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast
from uuid import UUID

import msgspec

from tidemill.adapters.mcp_data import McpDeclaration
from tidemill.adapters.mcp_server import McpServer, Transport
from tidemill.ports import ToolRef
from tidemill.tools import builtin

ProviderKind: TypeAlias = Literal["api", "mcp", "workflow"]
KINDS: Mapping[str, ProviderKind] = {"api": "api", "mcp": "mcp", "workflow": "workflow", "app": "workflow"}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One provider that the workspace added. `secrets` are readable here: an entry is never shown or logged.

    With a `problem` its secrets cannot be read, and it cannot be used.
    """

    id: UUID
    kind: ProviderKind
    name: str
    label: str
    description: str
    definition: dict[str, Any]
    secrets: dict[str, Any]
    hint: str
    tools: list[McpDeclaration]
    app_id: UUID | None
    changed: float
    problem: str = ""

    @property
    def credentials(self) -> dict[str, str]:
        """What calls of an OpenAPI tool are authorized with."""
        return {name: str(value) for name, value in self.secrets.items()}

    @property
    def server(self) -> McpServer:
        """Where an MCP server is."""
        return server_of(self.name, self.definition, self.secrets)


def server_of(name: str, definition: Mapping[str, Any], secrets: Mapping[str, Any]) -> McpServer:
    """The MCP server of a stored definition and its secrets."""
    return McpServer(
        name=name,
        url=str(secrets.get("url") or ""),
        command=str(secrets.get("command") or ""),
        transport=cast(Transport, definition.get("transport") or "auto"),
        headers=tuple(dict[str, str](secrets.get("headers") or {}).items()),
        env=tuple(dict[str, str](secrets.get("env") or {}).items()),
        timeout_s=float(definition.get("timeout_s") or 30.0),
        call_timeout_s=float(definition.get("call_timeout_s") or 300.0),
    )


class Shelf(msgspec.Struct, frozen=True):
    """The entries in the order they were added, and the credentials of built-in providers by name."""

    entries: tuple[Entry, ...] = ()
    credentials: dict[str, dict[str, str]] = {}

    def find(self, ref: ToolRef) -> Entry | None:
        """The entry that an app file means: by its id, else by its name within its kind.

        Files of another installation hold ids of that one, so the name is what carries over. A built-in or plugin
        tool that Tidemill does not bring may stand here under the plugin's name, as anything but a workflow.
        """
        kind = KINDS.get(ref.kind)
        entries = [entry for entry in self.entries if entry.kind == kind or (kind is None and entry.kind != "workflow")]
        by_id = next((entry for entry in entries if str(entry.id) == ref.provider.lower()), None)
        if by_id is not None:
            return by_id
        names = {ref.provider.casefold(), ref.provider_name.casefold()} - {""}
        return next((entry for entry in entries if entry.name.casefold() in names), None)

    def is_ready(self, provider: builtin.Provider) -> bool:
        """Whether a built-in provider has all the credentials it asks for."""
        given = self.credentials.get(provider.name, {})
        return all(given.get(field.name) or not field.is_required for field in provider.credential_fields)

    def lacks(self, ref: ToolRef) -> str:
        """What keeps a run from using this tool's provider, as the end of a sentence; empty when nothing does."""
        if ref.kind in ("builtin", "plugin"):
            found = builtin.find_provider(ref.provider) or builtin.find_provider(ref.provider_name)
            if found is not None and (not ref.name or found.find(ref.name) is not None):
                return "" if self.is_ready(found) else "needs credentials"
        return "" if ref.kind == "dataset-retrieval" or self.find(ref) is not None else "is not installed"
