"""The built-in demo model: an in-process wire that needs no key and no network, and says what it is.

It is deterministic. What it answers is decided in `llm.demo_answers`; this module streams it.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from tidemill.llm.demo_answers import answer
from tidemill.llm.tokens import TokenCounter, count_text
from tidemill.llm.types import ChatDelta, ChatRequest, TokenCounts, ToolCall, ToolCallDelta

PACE_S: Final = 0.012
DIMENSIONS: Final = 256
_PIECES = re.compile(
    r"\s*[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]{1,2}[，。！？、；：」”]?|\s*[^\s\u3400-\u9fff]+|\s+$"
)
_WORDS = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")
_counter = TokenCounter("o200k")


class DemoChat:
    """A `ChatWire` without a wire. `pace_s` is the pause between two pieces of text."""

    def __init__(self, *, pace_s: float = PACE_S) -> None:
        self._pace_s = pace_s

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        prompt_tokens = _counter.request(request)
        reply = answer(request)
        if isinstance(reply, ToolCall):
            yield ChatDelta(tool_calls=(ToolCallDelta(index=0, id=reply.id, name=reply.name),))
            yield ChatDelta(tool_calls=(ToolCallDelta(index=0, arguments=reply.arguments),))
            yield _last("tool_calls", prompt_tokens, reply.name + reply.arguments)
            return
        text, finish_reason = _limited(_stopped(reply, request.stop), request.max_tokens)
        for piece in pieces(text):
            yield ChatDelta(text=piece)
            await asyncio.sleep(self._pace_s)
        yield _last(finish_reason, prompt_tokens, text)


class DemoEmbedding:
    """Feature hashing of words and Chinese characters: texts that share words are near. Unit length."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [_vector(text) for text in texts]


def pieces(text: str) -> list[str]:
    """The text in words, Chinese in pairs of characters; together they are the text again."""
    found = _PIECES.findall(text)
    return found if "".join(found) == text else [text]


def _last(finish_reason: str, prompt_tokens: int, text: str) -> ChatDelta:
    counts = TokenCounts(prompt_tokens=prompt_tokens, completion_tokens=count_text(text, "o200k"))
    return ChatDelta(finish_reason=finish_reason, counts=counts)


def _stopped(text: str, stops: Sequence[str]) -> str:
    ends = [text.index(stop) for stop in stops if stop and stop in text]
    return text[: min(ends)] if ends else text


def _limited(text: str, max_tokens: int | None) -> tuple[str, str]:
    if max_tokens is None or count_text(text, "o200k") <= max_tokens:
        return text, "stop"
    kept = ""
    for piece in pieces(text):
        if count_text(kept + piece, "o200k") > max_tokens:
            break
        kept += piece
    return kept, "length"


def _vector(text: str) -> list[float]:
    vector = [0.0] * DIMENSIONS
    for word in _WORDS.findall(text.lower()) or [text]:
        slot = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big")
        vector[slot % DIMENSIONS] += 1.0 if slot & 0x10000 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]
