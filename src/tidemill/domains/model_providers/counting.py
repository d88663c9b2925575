"""Counts a text's tokens and what a model's window leaves for the answer."""

from __future__ import annotations

import asyncio

from tidemill.domains.model_providers.errors import ModelUnusable
from tidemill.domains.model_providers.port import Shelf
from tidemill.domains.model_providers.schemas import TokensRead, TokensRequest
from tidemill.domains.model_providers.service import default_of
from tidemill.llm.tokens import count_text, is_exact
from tidemill.llm.types import ModelRef


async def count(shelf: Shelf, request: TokensRequest) -> TokensRead:
    """Count in a thread: the first count of a process reads a large table.

    Raises:
        ModelUnusable: The model is not one the workspace can use.
    """
    named = ModelRef(request.model.provider, request.model.name) if request.model else default_of(shelf, "chat")
    facts = shelf.facts(named) if named else None
    if facts is None:
        raise ModelUnusable("This model is not set up here. Choose one from the list of models.", params="model")
    tokens = await asyncio.to_thread(count_text, request.text, facts.tokenizer)
    remaining = max(facts.window_tokens - tokens, 0)
    wishes = (request.max_tokens, facts.max_output_tokens, remaining)
    return TokensRead(
        tokens=tokens,
        is_exact=is_exact(facts.tokenizer),
        window_tokens=facts.window_tokens,
        max_tokens=min(limit for limit in wishes if limit is not None),
        remaining_tokens=remaining,
    )
