"""Messages between the processes of one installation: fire and forget, to whoever listens now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

Handler: TypeAlias = Callable[[bytes], Awaitable[None]]


class Bus(Protocol):
    """Every listener of a topic, in every process, hears each message published on it once."""

    async def start(self) -> None:
        """Connect. Raises `BusUnavailable` when the other side cannot be reached."""
        ...

    async def close(self) -> None: ...

    async def publish(self, topic: str, message: bytes) -> None: ...

    def listen(self, topic: str, handler: Handler) -> None:
        """Call `handler` with each message from now on."""
        ...

    def forget(self, topic: str, handler: Handler) -> None: ...


class BusUnavailable(Exception):
    """The server behind the bus cannot be reached. One sentence."""


class MemoryBus:
    """The bus of an installation that is one process."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}

    async def start(self) -> None:
        return

    async def close(self) -> None:
        self._handlers.clear()

    async def publish(self, topic: str, message: bytes) -> None:
        for handler in tuple(self._handlers.get(topic, ())):
            await handler(message)

    def listen(self, topic: str, handler: Handler) -> None:
        self._handlers.setdefault(topic, []).append(handler)

    def forget(self, topic: str, handler: Handler) -> None:
        handlers = self._handlers.get(topic, [])
        if handler in handlers:
            handlers.remove(handler)
