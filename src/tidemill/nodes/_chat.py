"""One model call of a node: fitted to the window, streamed, counted, its errors named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import cast

import msgspec

from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import ModelCalled, Usage
from tidemill.engine.node import Context
from tidemill.llm import errors
from tidemill.llm.types import Budget, ChatDelta, ChatModel, ChatRequest, FittedRequest, ModelRef, TokenCounts
from tidemill.nodes._shapes import ModelChoice
from tidemill.ports import Models

OnDelta = Callable[[ChatDelta], Awaitable[None]]

# Names that existing clients know; an error of ours keeps its own.
_ERROR_TYPES: dict[type[errors.ModelError], str] = {
    errors.BadCredential: "InvokeAuthorizationError",
    errors.RateLimited: "InvokeRateLimitError",
    errors.BadRequest: "InvokeBadRequestError",
    errors.ModelUnavailable: "InvokeServerUnavailableError",
    errors.QuotaExceeded: "QuotaExceededError",
}
_RETRYABLE = (errors.RateLimited, errors.ModelUnavailable, errors.StreamBroken)


class Reply(msgspec.Struct, kw_only=True):
    """What came of a call. `usage` has its times filled in."""

    usage: Usage
    budget: Budget
    finish_reason: str


def failed(error: errors.ModelError) -> NodeFailed:
    """A model's error as the node reports it."""
    return NodeFailed(
        str(error),
        error_type=_ERROR_TYPES.get(type(error), type(error).__name__),
        is_retryable=isinstance(error, _RETRYABLE),
    )


async def choose_model(ctx: Context, choice: ModelChoice) -> ChatModel:
    """The configured model, ready for use. Raises `NodeFailed` when it is not configured."""
    if not choice.name:
        raise NodeFailed(
            "The node has no model. Choose one in its settings.", error_type="ModelNotConfigured", is_retryable=False
        )
    try:
        return await ctx.port(Models).chat(ModelRef(choice.provider, choice.name))
    except errors.ModelError as error:
        raise failed(error) from error


def fit(model: ChatModel, request: ChatRequest) -> FittedRequest:
    """Fit the request to the model's window. Raises `NodeFailed` when it cannot be."""
    try:
        return model.fit(request)
    except errors.ModelError as error:
        raise failed(error) from error


async def ask(
    ctx: Context, model: ChatModel, fitted: FittedRequest, on_delta: OnDelta, *, trimmed: tuple[int, int] = (0, 0)
) -> Reply:
    """Send a fitted request and hand over its deltas.

    Spends the usage and emits `ModelCalled`, also for a call that broke off after its answer had begun.
    `trimmed` counts messages and tokens of history that the caller left out itself.
    """
    call = _Call(ctx, model, fitted, trimmed)
    stream = model.stream(fitted)
    try:
        async for delta in stream:
            call.take(delta)
            await on_delta(delta)
    except errors.ModelError as error:
        call.settle_partly()
        raise failed(error) from error
    except asyncio.CancelledError:
        call.settle_partly()
        raise
    finally:
        if hasattr(stream, "aclose"):
            await cast(AsyncGenerator[ChatDelta], stream).aclose()
    return Reply(usage=call.settle(), budget=call.budget, finish_reason=call.finish_reason)


class _Call:
    """The accounts of one call: times, counts, and the text an estimate needs."""

    def __init__(self, ctx: Context, model: ChatModel, fitted: FittedRequest, trimmed: tuple[int, int]) -> None:
        self._ctx = ctx
        self._model = model
        self._fitted = fitted
        self._began = time.perf_counter()
        self._first: float | None = None
        self._counts: TokenCounts | None = None
        self._pieces: list[str] = []
        self.finish_reason = "stop"
        self.budget = msgspec.structs.replace(
            fitted.budget,
            trimmed_messages=fitted.budget.trimmed_messages + trimmed[0],
            trimmed_tokens=fitted.budget.trimmed_tokens + trimmed[1],
        )

    def take(self, delta: ChatDelta) -> None:
        if self._first is None and (delta.text or delta.reasoning or delta.tool_calls):
            self._first = time.perf_counter()
        if delta.text:
            self._pieces.append(delta.text)
        if delta.reasoning:
            self._pieces.append(delta.reasoning)
        if delta.counts is not None:
            self._counts = delta.counts
        if delta.finish_reason:
            self.finish_reason = delta.finish_reason

    def settle_partly(self) -> None:
        """Account for a call that broke off; one that never began cost nothing."""
        if self._first is not None:
            self.settle()

    def settle(self) -> Usage:
        ended = time.perf_counter()
        usage = msgspec.structs.replace(
            self._model.usage(self._fitted, self._counts, completion_text="".join(self._pieces)),
            latency_s=round(ended - self._began, 3),
            time_to_first_token_s=None if self._first is None else round(self._first - self._began, 3),
            time_to_generate_s=None if self._first is None else round(ended - self._first, 3),
        )
        self._ctx.spend(usage)
        facts, budget = self._model.facts, self.budget
        self._ctx.emit(
            ModelCalled,
            provider=facts.provider,
            model=facts.name,
            window_tokens=budget.window_tokens,
            prompt_tokens=budget.prompt_tokens,
            max_tokens=budget.max_tokens,
            usage=usage,
            requested_max_tokens=budget.requested_max_tokens,
            trimmed_messages=budget.trimmed_messages,
            trimmed_tokens=budget.trimmed_tokens,
            is_exact=budget.is_exact,
            is_usage_estimated=self._counts is None,
        )
        return usage
