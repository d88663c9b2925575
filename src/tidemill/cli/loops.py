"""The event loop that commands which serve, or check what serving needs, run on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import TypeVar

T = TypeVar("T")


def run_loop(work: Coroutine[None, None, T]) -> T:
    """Run on uvloop where it exists, else on asyncio's own loop."""
    if find_spec("uvloop") is None:
        return asyncio.run(work)
    # Not on every platform, so it cannot stand at the top.
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
