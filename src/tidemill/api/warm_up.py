"""What the first model call of a process needs, loaded a moment after the start instead of during that call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tidemill.llm import prices, tokens

# By then whoever waits for the server has had its first answer: loading takes a second of one core.
DELAY_S = 2.0
TOKENIZER = "o200k"
PRICED = ("openai", "gpt-4o-mini")


@asynccontextmanager
async def warming_up() -> AsyncGenerator[None]:
    """Load token ranks and prices in a thread while the block runs."""
    task = asyncio.create_task(_warm_up(), name="warm up")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _warm_up() -> None:
    await asyncio.sleep(DELAY_S)
    await tokens.warm(TOKENIZER)
    await prices.warm(*PRICED)
