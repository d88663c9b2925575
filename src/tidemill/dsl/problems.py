"""What can be wrong with an app file, and how it is said."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One fault. `code` is for programs ("cycle", "bad_node"...); the message is for people."""

    message: str
    node_id: str | None = None
    code: str = "invalid"


class DslInvalid(Exception):
    """A file that cannot be read as an app.

    Attributes:
        line: Line of the file, from 1, where the fault was found.
        node_id: The node at fault.
        problems: Every fault found, the first one being the message; never empty.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        node_id: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.line = line
        self.node_id = node_id
        self.problems = tuple(problems) or (Problem(message, node_id),)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> DslInvalid:
        """One error for several problems: the first one's sentence, and how many more there are."""
        first = problems[0]
        more = f" ({len(problems) - 1} more problems follow.)" if len(problems) > 1 else ""
        return cls(first.message + more, node_id=first.node_id, problems=problems)
