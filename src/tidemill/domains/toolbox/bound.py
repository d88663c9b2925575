"""Tools with what they need bound to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import msgspec

from tidemill.domains.toolbox.workflows import WorkflowRuns
from tidemill.engine.values import Value
from tidemill.ports import Tool, ToolCall, ToolFailed, ToolMessage, ToolSpec


class BoundTool:
    """A tool with the workspace's credentials. Implements `ports.Tool`."""

    def __init__(self, tool: Tool, credentials: Mapping[str, str]) -> None:
        self._tool = tool
        self._credentials = dict(credentials)

    @property
    def spec(self) -> ToolSpec:
        return self._tool.spec

    def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        return self._tool.call(arguments, msgspec.structs.replace(call, credentials=self._credentials))


class WorkflowTool:
    """A published workflow as a tool. Implements `ports.Tool`."""

    def __init__(self, app_id: UUID, spec: ToolSpec, runs: WorkflowRuns | None) -> None:
        self._app_id = app_id
        self._spec = spec
        self._runs = runs

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        if self._runs is None:
            raise ToolFailed(f"The workflow {self._spec.name} can be run from within a run only.")
        return self._runs.run(self._app_id, self._spec.name, arguments, call)
