"""The sandbox of an installation, from its settings."""

from __future__ import annotations

from pathlib import Path

from tidemill.adapters.sandbox.limits import MEGABYTE, Limits
from tidemill.adapters.sandbox.runtime import RUNTIME, Runtime
from tidemill.adapters.sandbox.sandbox import CodeSandbox
from tidemill.kit.settings import Settings
from tidemill.ports import CodeLimits


def open_sandbox(settings: Settings) -> CodeSandbox:
    """A sandbox that has started nothing yet. Close it."""
    values = CodeLimits(
        string_chars=settings.code_max_string_length,
        string_items=settings.code_max_string_array_length,
        object_items=settings.code_max_object_array_length,
        number_items=settings.code_max_number_array_length,
        depth=settings.code_max_depth,
        precision_digits=settings.code_max_precision,
        least_number=settings.code_min_number,
        largest_number=settings.code_max_number,
    )
    limits = Limits(
        time_s=settings.sandbox_worker_timeout,
        memory_bytes=settings.sandbox_memory * MEGABYTE,
        output_chars=settings.sandbox_output * 1_000_000,
        processes=settings.sandbox_processes,
        idle_s=settings.sandbox_idle,
        values=values,
    )
    packages = Path(settings.sandbox_packages).expanduser().resolve() if settings.sandbox_packages else None
    return CodeSandbox(settings.home / "sandbox", limits, packages=packages)


def what_runs_code(settings: Settings) -> str:
    """What code nodes run on, for people. Raises `CodeFailed` with what is missing and the command that mends it."""
    runtime = Runtime(settings.home / "sandbox", memory_bytes=0, output_chars=0, build=RUNTIME)
    version = runtime.version
    return f"Code nodes run on Pyodide {version} in {runtime.deno}."
