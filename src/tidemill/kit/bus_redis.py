"""The bus over Redis or Valkey publish/subscribe. Needs the `redis` extra; imported only when REDIS_HOST is set."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from tidemill.kit.bus import BusUnavailable, Handler, MemoryBus

PREFIX = "tidemill:"
RECONNECT_S = 1.0

_log = logging.getLogger(__name__)


class RedisBus:
    """One subscription connection; handlers run in this process's event loop."""

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(url)
        self._local = MemoryBus()
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        try:
            # The pattern is subscribed before anyone publishes, so a listener misses nothing after `start`.
            pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
            await pubsub.psubscribe(f"{PREFIX}*")
        except (RedisError, OSError) as error:
            raise BusUnavailable(f"Redis cannot be reached: {error}. Check REDIS_HOST and REDIS_PORT.") from error
        self._reading = asyncio.create_task(self._read(pubsub), name="redis-bus")

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self._local.close()
        await self._redis.aclose()

    async def publish(self, topic: str, message: bytes) -> None:
        await self._redis.publish(PREFIX + topic, message)

    def listen(self, topic: str, handler: Handler) -> None:
        self._local.listen(topic, handler)

    def forget(self, topic: str, handler: Handler) -> None:
        self._local.forget(topic, handler)

    async def _read(self, pubsub: PubSub) -> None:
        while True:
            try:
                message = await pubsub.get_message(timeout=None)
            except (RedisError, OSError) as error:
                # The client reconnects and subscribes again by itself on the next read.
                _log.warning("Redis went away (%s); reconnecting.", error)
                await asyncio.sleep(RECONNECT_S)
                continue
            if message is None:
                continue
            topic, data = message["channel"], message["data"]
            if isinstance(topic, bytes) and isinstance(data, bytes):
                await self._local.publish(topic.decode().removeprefix(PREFIX), data)
