"""The small interpreter: a fresh session in some milliseconds, for programs it is known to run as CPython does.

Whatever it does not finish, for whatever reason, is undecided: the full interpreter then says how it ends. A code
node has no effects, so nothing is done twice.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final

from tidemill.adapters.sandbox.limits import MEGABYTE, Limits

if TYPE_CHECKING:
    from pydantic_monty import AsyncMonty, ResourceLimits

_TIME_S: Final = 1.0
_MEMORY_BYTES: Final = 64 * MEGABYTE
_MAX_DEPTH: Final = 60
_ENTRY: Final = "\nmain(**__inputs__)"


class Undecided:
    """The small interpreter does not say what the program's result is."""


UNDECIDED: Final = Undecided()


class FastPath:
    """Its own pool of worker processes, opened by the first program and closed after some idle time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool: AsyncMonty | None = None
        self._opening = asyncio.Lock()
        self._running = 0
        self._expiry: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._is_missing = False

    @property
    def is_open(self) -> bool:
        return self._pool is not None

    async def run(self, code: str, inputs: dict[str, Any]) -> Any:
        """What `main` returned, as JSON data, or `Undecided`."""
        pool = await self._open()
        if pool is None:
            return UNDECIDED
        self._running += 1
        try:
            return await self._run(pool, code, inputs)
        finally:
            self._running -= 1
            self._expire_later()

    async def close(self) -> None:
        """End its processes."""
        if self._expiry is not None:
            self._expiry.cancel()
        await self._shut()
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _shut(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.__aexit__(None, None, None)

    async def _open(self) -> AsyncMonty | None:
        async with self._opening:
            if self._pool is None and not self._is_missing:
                try:
                    # Some platforms have no wheel of it, and most processes never run code.
                    from pydantic_monty import AsyncMonty

                    pool = AsyncMonty(
                        min_processes=1,
                        max_processes=self._limits.processes,
                        request_timeout=_TIME_S + 1,
                        max_checkouts_per_worker=1000,
                    )
                    await pool.__aenter__()
                except (ImportError, OSError):
                    self._is_missing = True
                    return None
                self._pool = pool
            return self._pool

    async def _run(self, pool: AsyncMonty, code: str, inputs: dict[str, Any]) -> Any:
        from pydantic_monty import CollectString, MontyError

        bounds: ResourceLimits = {"max_feed_duration_secs": _TIME_S, "max_memory": _MEMORY_BYTES}
        try:
            async with pool.checkout(script_name="code", limits=bounds, assert_message_annotations=False) as session:
                result = await session.feed_run(
                    code + _ENTRY, inputs={"__inputs__": inputs}, print_callback=CollectString()
                )
        except (MontyError, TimeoutError, ValueError, TypeError, RecursionError):
            return UNDECIDED
        return _plain(result, self._limits.output_chars)

    def _expire_later(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(self._limits.idle_s, self._expire)

    def _expire(self) -> None:
        if self._running == 0:
            task = asyncio.get_running_loop().create_task(self._shut())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _plain(value: Any, budget: int) -> Any:
    """JSON data as it is; anything that JSON would change or refuse is left to the full interpreter."""
    return value if _Measure(budget).fits(value, 0) else UNDECIDED


class _Measure:
    def __init__(self, budget: int) -> None:
        self._left = budget

    def fits(self, value: Any, depth: int) -> bool:
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            return False
        match value:
            case str():
                return self._holds(value)
            case list():
                return type(value) is list and all(self.fits(item, depth + 1) for item in value)
            case dict():
                return all(
                    isinstance(key, str) and self._holds(key) and self.fits(item, depth + 1)
                    for key, item in value.items()
                )
            case float():
                return math.isfinite(value)
            case _:
                return value is None or isinstance(value, (bool, int))

    def _holds(self, text: str) -> bool:
        self._left -= len(text)
        # It stands for half a surrogate pair there, which it cannot hold.
        return self._left >= 0 and "\ufffd" not in text
