"""Runs the programs of code nodes where they can do no harm. Implements `ports.Sandbox`."""

from tidemill.adapters.sandbox.limits import Limits
from tidemill.adapters.sandbox.opening import open_sandbox, what_runs_code
from tidemill.adapters.sandbox.sandbox import CodeSandbox

__all__ = ["CodeSandbox", "Limits", "open_sandbox", "what_runs_code"]
