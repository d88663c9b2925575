"""Errors of the engine. `error_type` is what a run reports; the sentence is for people."""

from typing import Final

# The error type of a run that has used up its steps: nothing forgives it.
MAX_STEPS: Final = "MaxStepsReached"


class EngineError(Exception):
    """Anything the engine refuses or reports."""


class GraphInvalid(EngineError):
    """A graph that cannot run: names the nodes and edges at fault.

    Attributes:
        problems: One sentence per fault, in the order found; never empty.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


class NodeFailed(EngineError):
    """A node could not do its work. Its retry and error strategy decide what follows.

    Attributes:
        error_type: Class name reported as `error_type`, e.g. "HTTPResponseCodeError".
        is_retryable: False when trying again cannot help (bad configuration, missing variable).
    """

    def __init__(self, message: str, *, error_type: str | None = None, is_retryable: bool = True) -> None:
        super().__init__(message)
        self.error_type = error_type or type(self).__name__
        self.is_retryable = is_retryable


class VariableNotFound(NodeFailed):
    """A selector that names nothing in the run's variables."""

    def __init__(self, selector: tuple[str, ...]) -> None:
        self.selector = selector
        super().__init__(
            f"Variable #{'.'.join(selector)}# not found.", error_type="VariableNotFoundError", is_retryable=False
        )


class ValueMismatch(EngineError):
    """A value that does not have the declared type; names both."""


class InputInvalid(EngineError):
    """An input of the run that the start node refuses. Raised before the run begins."""

    def __init__(self, message: str, *, variable: str | None = None) -> None:
        super().__init__(message)
        self.variable = variable
