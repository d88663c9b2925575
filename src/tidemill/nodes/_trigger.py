"""What the triggers share: they begin a run with what came from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidemill.engine.node import Context
from tidemill.engine.values import Value


class Trigger:
    """Mixed into a node type: the run's pool holds the payload and the system variables under its id."""

    id: str

    async def run(self, ctx: Context) -> dict[str, Value]:
        outputs = dict(ctx.pool.outputs_of(self.id))
        ctx.record(inputs=outputs)
        return outputs

    def payload(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """The outputs of a run that is begun by hand with named values.

        Raises:
            InputInvalid: Something required is missing, or a value is not what is declared.
        """
        return dict(given)

    def file_names(self) -> frozenset[str]:
        """The values of the payload that are files."""
        return frozenset()
