"""The token rule: prompt_tokens + max_tokens <= window_tokens, for every call, before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from tidemill.llm.errors import ContextExceeded
from tidemill.llm.types import Budget, ChatRequest, FittedRequest, Message, ModelFacts

LEAST_ANSWER: Final = 16
"""Fewer tokens than this are no answer; the call fails instead."""

USUAL_ANSWER: Final = 1024
"""What history leaves free when the app asks for no `max_tokens`: this, or a quarter of a small window."""


class Count(Protocol):
    """What the budget asks of a token counter (`llm.tokens.TokenCounter`)."""

    def message(self, message: Message) -> int: ...

    def fixed(self, request: ChatRequest) -> int: ...

    def is_exact(self, request: ChatRequest) -> bool: ...


def fit(request: ChatRequest, facts: ModelFacts, count: Count) -> FittedRequest:
    """Make a request fit its model's window.

    1. History (`Message.is_history`) is left out, oldest message first, until the answer the app asked for
       fits too; the newest history message stays. A tool call and its results go together.
    2. If prompt + max_tokens still exceed the window, max_tokens becomes window - prompt. Without a wish it
       is the model's largest output, or what is left.
    3. The newest history message goes as well when nothing else makes room for an answer.

    Each message is counted once.

    Raises:
        ContextExceeded: The prompt is larger than the window, or leaves fewer than 16 tokens.
    """
    window = facts.window_tokens
    wish = request.max_tokens if request.max_tokens is not None and request.max_tokens > 0 else None
    costs = [count.message(message) for message in request.messages]
    prompt = count.fixed(request) + sum(costs)
    dropped, freed = _trim(request.messages, costs, prompt, window, _reserve(wish, facts))
    prompt -= freed
    remaining = window - prompt
    if remaining < LEAST_ANSWER:
        raise ContextExceeded(window_tokens=window, prompt_tokens=prompt, remaining_tokens=remaining, model=facts.name)
    max_tokens = min(limit for limit in (wish, facts.max_output_tokens, remaining) if limit is not None)
    messages = tuple(message for index, message in enumerate(request.messages) if index not in dropped)
    fitted = msgspec.structs.replace(request, messages=messages, max_tokens=max_tokens)
    budget = Budget(
        window_tokens=window,
        prompt_tokens=prompt,
        max_tokens=max_tokens,
        requested_max_tokens=wish,
        trimmed_messages=len(dropped),
        trimmed_tokens=freed,
        is_exact=count.is_exact(fitted),
    )
    return FittedRequest(request=fitted, budget=budget)


def _reserve(wish: int | None, facts: ModelFacts) -> int:
    """Tokens that history must leave free for the answer."""
    if wish is None:
        wish = min(USUAL_ANSWER, facts.window_tokens // 4)
    return max(LEAST_ANSWER, min(wish, facts.max_output_tokens or wish))


def _trim(
    messages: Sequence[Message], costs: Sequence[int], prompt: int, window: int, reserve: int
) -> tuple[frozenset[int], int]:
    """Which messages to leave out, and how many tokens that frees."""
    units = _units(messages)
    dropped: list[int] = []
    freed = 0
    for position, unit in enumerate(units):
        is_newest = position == len(units) - 1
        needed = LEAST_ANSWER if is_newest else reserve
        if prompt - freed + needed <= window:
            break
        dropped.extend(unit)
        freed += sum(costs[index] for index in unit)
    return frozenset(dropped), freed


def _units(messages: Sequence[Message]) -> list[list[int]]:
    """Indexes of history messages, oldest first; a tool result belongs to the call before it."""
    units: list[list[int]] = []
    for index, message in enumerate(messages):
        if not message.is_history:
            continue
        if message.role == "tool" and units and units[-1][-1] == index - 1:
            units[-1].append(index)
        else:
            units.append([index])
    return units
