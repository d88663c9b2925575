"""A start that cannot go on: one line that names the setting, its value, where it was read, and the mend."""

from __future__ import annotations


class StartFault(Exception):
    """Why this installation cannot start. `serve` and `doctor` print the same line and exit with 2.

    Attributes:
        setting: Name of the setting at fault.
        value: The value tried, masked when secret.
        source: Where it was read.
        problem: What is wrong, without a full stop.
        mend: What to do, a sentence.
    """

    def __init__(self, setting: str, value: str, source: str, problem: str, mend: str) -> None:
        self.setting, self.value, self.source, self.problem, self.mend = setting, value, source, problem, mend
        super().__init__(f"{self.message} {mend}")

    @property
    def message(self) -> str:
        """The line without the mend."""
        shown = f"{self.setting}={self.value}" if self.value else f"{self.setting} (not set)"
        return f"{shown} (read from {self.source}): {' '.join(self.problem.split())}."
