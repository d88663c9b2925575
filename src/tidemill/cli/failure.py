"""How a command says that it could not do its work."""

from __future__ import annotations


class CommandFailed(Exception):
    """One sentence for stderr and the exit code: 1 when the work failed, 2 when it was asked for wrongly."""

    def __init__(self, message: str, *, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code
