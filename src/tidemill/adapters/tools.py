"""The tools of runs without a server: the built-in ones, their credentials from environment variables."""

from __future__ import annotations

from collections.abc import Mapping

from tidemill.ports import Tool, ToolRef
from tidemill.tools import builtin
from tidemill.tools.provider import BoundTool


class EnvironmentTools:
    """Implements `ports.Tools`. Each credential field says which variable it is read from."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    async def find(self, ref: ToolRef) -> Tool:
        """A built-in tool. Raises `ToolMissing` for all others, saying what a server would need."""
        provider = ref.provider or ref.provider_name
        tool = builtin.find(provider, ref.name) if ref.kind in ("builtin", "plugin") else None
        if tool is None:
            raise builtin.missing(ref)
        given = {field.name: self._environment.get(field.environment, "") for field in tool.credential_fields}
        return BoundTool(tool, given)
