"""A wire, facts, tokenizer and prices bound into one `ChatModel`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final, Protocol

import msgspec

from tidemill.engine.events import Usage
from tidemill.llm import budget, prices, tokens
from tidemill.llm.calibration import Calibration
from tidemill.llm.errors import ContextExceeded, ModelError, ModelUnavailable, RateLimited, WindowOverflow
from tidemill.llm.images import rule_for
from tidemill.llm.tokens import TokenCounter
from tidemill.llm.types import ChatDelta, ChatRequest, FittedRequest, Message, ModelFacts, TokenCounts
from tidemill.llm.wire import ChatWire

MAX_RETRIES: Final = 2
LONGEST_WAIT_S: Final = 20.0
FIRST_WAIT_S: Final = 0.5

Sleep = Callable[[float], Awaitable[None]]


class EmbeddingWire(Protocol):
    async def embed(self, texts: Sequence[str]) -> list[list[float]]: ...


class BoundChat:
    """A `ChatModel`. Make it with `bind`."""

    def __init__(self, facts: ModelFacts, wire: ChatWire, *, calibration: Calibration, sleep: Sleep) -> None:
        self._facts = facts
        self._wire = wire
        self._calibration = calibration
        self._sleep = sleep
        self._image_rule = rule_for(facts.name)

    @property
    def facts(self) -> ModelFacts:
        return self._facts

    def count(self, request: ChatRequest) -> int:
        """Tokens of the prompt as it would be sent."""
        return self._counter().request(_adapted(request, self._facts))

    def fit(self, request: ChatRequest) -> FittedRequest:
        """Make the request fit the window (`llm.budget.fit`)."""
        return budget.fit(_adapted(request, self._facts), self._facts, self._counter())

    async def stream(self, fitted: FittedRequest) -> AsyncGenerator[ChatDelta]:
        """Send it, repeating at most twice before the first piece of the answer has come."""
        attempt = 0
        while True:
            has_begun = False
            try:
                async with aclosing(self._wire.stream(fitted.request)) as deltas:
                    async for delta in deltas:
                        has_begun = True
                        if delta.counts is not None:
                            self._learn(fitted, delta.counts)
                        yield delta
                return
            except WindowOverflow as error:
                raise self._exceeded(fitted) from error
            except ModelError as error:
                wait = None if has_begun else wait_before_retry(error, attempt)
                if wait is None:
                    raise
                attempt += 1
                await self._sleep(wait)

    def usage(self, fitted: FittedRequest, counts: TokenCounts | None, *, completion_text: str = "") -> Usage:
        """Tokens and price of a finished call; times are the caller's to add."""
        if counts is None:
            counts = TokenCounts(
                prompt_tokens=fitted.budget.prompt_tokens,
                completion_tokens=self._counter().text(completion_text),
            )
        return prices.price(self._facts.provider, self._facts.name, counts)

    def _counter(self) -> TokenCounter:
        factor = 1.0 if tokens.is_exact(self._facts.tokenizer) else self._calibration.factor
        return TokenCounter(self._facts.tokenizer, image_rule=self._image_rule, factor=factor)

    def _learn(self, fitted: FittedRequest, counts: TokenCounts) -> None:
        self._calibration.observe(estimated_tokens=fitted.budget.prompt_tokens, actual_tokens=counts.prompt_tokens)

    def _exceeded(self, fitted: FittedRequest) -> ContextExceeded:
        planned = fitted.budget
        return ContextExceeded(
            window_tokens=planned.window_tokens,
            prompt_tokens=planned.prompt_tokens,
            remaining_tokens=planned.window_tokens - planned.prompt_tokens,
            model=self._facts.name,
        )


class BoundEmbedding:
    """An `EmbeddingModel`. Make it with `bind_embedding`."""

    def __init__(self, facts: ModelFacts, wire: EmbeddingWire, *, sleep: Sleep) -> None:
        self._facts = facts
        self._wire = wire
        self._sleep = sleep

    @property
    def facts(self) -> ModelFacts:
        return self._facts

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text, in order; repeated at most twice."""
        attempt = 0
        while True:
            try:
                return await self._wire.embed(texts)
            except ModelError as error:
                wait = wait_before_retry(error, attempt)
                if wait is None:
                    raise
                attempt += 1
                await self._sleep(wait)


def bind(
    facts: ModelFacts,
    wire: ChatWire,
    *,
    calibration: Calibration | None = None,
    sleep: Sleep = asyncio.sleep,
) -> BoundChat:
    """Make a `ChatModel` of a wire. Keep one `calibration` per model to remember what providers counted."""
    return BoundChat(facts, wire, calibration=calibration or Calibration(), sleep=sleep)


def bind_embedding(facts: ModelFacts, wire: EmbeddingWire, *, sleep: Sleep = asyncio.sleep) -> BoundEmbedding:
    """Make an `EmbeddingModel` of a wire."""
    return BoundEmbedding(facts, wire, sleep=sleep)


async def prepare(facts: ModelFacts) -> None:
    """Load tokenizer and price data in a thread; the first call of a process then blocks nobody."""
    await tokens.warm(facts.tokenizer)
    await prices.warm(facts.provider, facts.name)


def wait_before_retry(error: ModelError, attempt: int) -> float | None:
    """Seconds to wait before the next attempt, None when there is to be none.

    `attempt` counts from 0. Only 429, 5xx and failed connections are repeated, and not when the provider
    asks for a longer wait than a person would sit through.
    """
    if attempt >= MAX_RETRIES or not isinstance(error, (RateLimited, ModelUnavailable)):
        return None
    if isinstance(error, ModelUnavailable) and not error.is_retryable:
        return None
    wait = error.retry_after_s if error.retry_after_s is not None else FIRST_WAIT_S * 2**attempt
    return wait if wait <= LONGEST_WAIT_S else None


def _adapted(request: ChatRequest, facts: ModelFacts) -> ChatRequest:
    """Replace what the model cannot do: a schema it does not know becomes an instruction."""
    schema = request.json_schema
    if schema is None or "json-schema" in facts.features:
        return request
    text = (
        "Answer with one JSON object and nothing else. It must be valid against this JSON schema:\n"
        + msgspec.json.encode(schema).decode()
    )
    return msgspec.structs.replace(
        request,
        messages=(Message(role="system", content=text), *request.messages),
        json_schema=None,
        json_object="json-object" in facts.features,
    )
