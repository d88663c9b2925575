"""Rate limits of sign-in and setup, by address and by name."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.aio.strategies import MovingWindowRateLimiter


class Limiter:
    """Counts attempts of this process. `allow` is False when a key has used up its rate."""

    # The library is a tenth of a start's time and nobody signs in before the start is over: it is imported then.

    def __init__(self, rate: str) -> None:
        self._text = rate

    @cached_property
    def _rate(self) -> RateLimitItem:
        from limits import parse

        return parse(self._text)

    @cached_property
    def _counter(self) -> MovingWindowRateLimiter:
        from limits.aio.storage import MemoryStorage
        from limits.aio.strategies import MovingWindowRateLimiter

        return MovingWindowRateLimiter(MemoryStorage())

    async def allow(self, *key: str) -> bool:
        """Count one attempt of `key`."""
        return await self._counter.hit(self._rate, *key)
