"""What the toolbox asks of the domains above it, where workflows are stored and run. Given at composition."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.workspaces.permissions import Scoped
from tidemill.engine.values import Value
from tidemill.ports import ToolCall, ToolMessage, ToolParameter


class WorkflowShape(msgspec.Struct, frozen=True, kw_only=True):
    """A published workflow as a tool sees it: its name, and its start inputs as parameters."""

    name: str
    description: str
    parameters: tuple[ToolParameter, ...]


class WorkflowApps(Protocol):
    async def __call__(self, db: AsyncSession, scope: Scoped, app_id: UUID) -> WorkflowShape:
        """The published version of a workflow app. Raises `AppError` when there is none that could be a tool."""
        ...


class WorkflowRuns(Protocol):
    """Runs workflows for one caller."""

    def run(
        self, app_id: UUID, name: str, arguments: Mapping[str, Value], call: ToolCall
    ) -> AsyncIterator[ToolMessage]:
        """Run the published version to its end. Its failure is the tool's. Raises `ToolFailed`."""
        ...
