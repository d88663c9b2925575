"""Something done again and again until it is closed: what is being done is always brought to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable


class Repeating:
    """Awaits `action` every `pause_s` seconds.

    Nothing is ever cancelled: a statement that is cut off in the middle leaves a broken connection behind.
    """

    def __init__(self, name: str, action: Callable[[], Awaitable[None]], pause_s: float) -> None:
        self.pause_s = pause_s
        self._name = name
        self._action = action
        self._closing = asyncio.Event()
        self._awake = asyncio.Event()
        self._awake.set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with the action at once."""
        self._task = asyncio.create_task(self._repeat(), name=self._name)

    def finish(self) -> None:
        """End after the action under way, without waiting for that."""
        self._closing.set()
        self._awake.set()

    async def close(self) -> None:
        """Return when the action under way, if any, has ended."""
        self.finish()
        if self._task is not None:
            await self._task
            self._task = None

    def rest(self) -> None:
        """Do nothing from now on, until `resume`."""
        self._awake.clear()

    def resume(self) -> None:
        self._awake.set()

    async def _repeat(self) -> None:
        while not self._closing.is_set():
            await self._action()
            await self._awake.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.pause_s):
                    await self._closing.wait()
