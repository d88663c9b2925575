"""What node types do whose configuration is read and checked, but which this version cannot run."""

from __future__ import annotations

from typing import Any, ClassVar

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context


class Unavailable:
    """Mixed into a node type: reaching it ends the run with a sentence naming the node."""

    type: ClassVar[str]
    label: str

    async def run(self, ctx: Context) -> dict[str, Any]:
        del ctx
        raise NodeFailed(
            f'Node "{self.label}" is of type {self.type}, which this version of Tidemill cannot run yet. '
            "Take it out of the flow's path to run the rest.",
            error_type="NodeUnavailable",
            is_retryable=False,
        )
