"""One at a time per key: when many want the same missing thing at once, the first fetches it for all."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from weakref import WeakValueDictionary


class SingleFlight:
    """`async with flight.turn(key)` lets one through at a time; look again for what the one before you left."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def turn(self, key: Hashable) -> asyncio.Lock:
        """The lock of a key. It is gone when nobody holds or awaits it."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
