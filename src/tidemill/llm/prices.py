"""What a call costs, by genai-prices' data; offline, and imported with the first price that is asked for."""

from __future__ import annotations

import asyncio
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

import msgspec

from tidemill.engine.events import Usage
from tidemill.llm.types import TokenCounts

PLACES: Final = Decimal("0.0000001")
UNIT: Final = "0.000001"
FIRST_TIER_TOKENS: Final = 100_000
"""No provider in the data has a dearer tier that begins below this."""

# Presets whose id differs from the name genai-prices uses.
_PROVIDERS: Final = {
    "azure_openai": "azure",
    "gemini": "google",
    "moonshot": "moonshotai",
    "zhipuai": "zai",
}
_PRICED: Final = {"openai", "anthropic", "deepseek", "openrouter", "groq", *_PROVIDERS}


class UnitPrices(msgspec.Struct, frozen=True):
    """Dollars per million tokens, as decimal text."""

    prompt: str
    completion: str


def price(provider: str, model: str, counts: TokenCounts) -> Usage:
    """The usage of a call with its prices; zero prices where none are known."""
    usage = Usage(
        prompt_tokens=counts.prompt_tokens,
        completion_tokens=counts.completion_tokens,
        total_tokens=counts.prompt_tokens + counts.completion_tokens,
    )
    units = unit_prices(provider, model)
    if units is None:
        return usage
    if counts.cached_tokens or counts.prompt_tokens > FIRST_TIER_TOKENS:
        amounts = _tiered(provider, model, counts)
    else:
        amounts = (
            Decimal(units.prompt) * counts.prompt_tokens / 1_000_000,
            Decimal(units.completion) * counts.completion_tokens / 1_000_000,
        )
    prompt, completion = (amount.quantize(PLACES, rounding=ROUND_HALF_UP) for amount in amounts)
    return msgspec.structs.replace(
        usage,
        prompt_unit_price=units.prompt,
        prompt_price_unit=UNIT,
        prompt_price=_text(prompt),
        completion_unit_price=units.completion,
        completion_price_unit=UNIT,
        completion_price=_text(completion),
        total_price=_text(prompt + completion),
        currency="USD",
    )


async def warm(provider: str, model: str) -> None:
    """Load the data in a thread, so that the first price does not hold up the event loop."""
    if provider in _PRICED:
        await asyncio.to_thread(unit_prices, provider, model)


@lru_cache(maxsize=1024)
def unit_prices(provider: str, model: str) -> UnitPrices | None:
    """The list price of a model's text tokens in its first tier; None when none is known."""
    if provider not in _PRICED:
        return None
    try:
        prompt, completion = _tiered(provider, model, TokenCounts(prompt_tokens=1000, completion_tokens=1000))
    except LookupError:
        return None
    return UnitPrices(prompt=_text(prompt * 1000), completion=_text(completion * 1000))


def _tiered(provider: str, model: str, counts: TokenCounts) -> tuple[Decimal, Decimal]:
    # Imported here for its weight: a start, and a run of a local model, do not pay for it.
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    usage = PricedUsage(
        input_tokens=counts.prompt_tokens,
        output_tokens=counts.completion_tokens,
        cache_read_tokens=counts.cached_tokens,
    )
    found = calc_price(usage, model, provider_id=_PROVIDERS.get(provider, provider))
    return found.input_price, found.output_price


def _text(value: Decimal) -> str:
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
