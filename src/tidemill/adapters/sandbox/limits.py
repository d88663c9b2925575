"""What programs may use."""

from __future__ import annotations

import msgspec

from tidemill.ports import CodeLimits

MEGABYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one run, and of the processes that runs are made in.

    `time_s` counts from the moment a program is handed to a ready interpreter. `memory_bytes` is what the program
    may use beside the interpreter itself. Processes start when they are needed, at most `processes` per language,
    and end after `runs_per_process` runs or `idle_s` idle seconds.
    """

    time_s: float = 15.0
    memory_bytes: int = 256 * MEGABYTE
    output_chars: int = 10_000_000
    input_chars: int = 50_000_000
    processes: int = 2
    runs_per_process: int = 50
    idle_s: float = 60.0
    start_s: float = 60.0
    values: CodeLimits = CodeLimits()
