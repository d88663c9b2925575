"""Correcting estimated token counts from what providers report, one model at a time."""

from __future__ import annotations

from typing import Final

MARGIN: Final = 1.02
DECAY: Final = 0.99
LARGEST: Final = 3.0
LEAST_TOKENS: Final = 256
"""Shorter prompts say more about a provider's hidden preamble than about its tokenizer."""


class Calibration:
    """A factor on one model's estimates that keeps them an upper bound.

    It jumps up when a provider counted more than we did, and drifts back towards 1 by one per cent a call.
    It never goes below 1: an estimate may be generous, not short.
    """

    def __init__(self) -> None:
        self.factor = 1.0

    def observe(self, *, estimated_tokens: int, actual_tokens: int) -> None:
        """Take in one call. `estimated_tokens` is what was counted with the factor of that moment."""
        if estimated_tokens < LEAST_TOKENS or actual_tokens <= 0:
            return
        needed = self.factor * actual_tokens / estimated_tokens
        if needed > self.factor:
            self.factor = min(LARGEST, needed * MARGIN)
        else:
            self.factor = max(1.0, self.factor * DECAY)
