"""Reasoning inside an answer: `<think>` blocks, and what providers send beside the text."""

from __future__ import annotations

from typing import Final, Literal

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"


class ReasoningSplitter:
    """Separates `<think>` blocks from an answer as it streams in. A block that never closes is reasoning.

    Blocks are joined by line breaks; white space around them is dropped.
    """

    def __init__(self) -> None:
        self._held = ""
        self._is_thinking = False
        self._has_text = False
        self._has_reasoning = False
        self._is_block_new = True
        self._was_block = False

    def feed(self, piece: str) -> tuple[str, str]:
        """The text and the reasoning that are certain after this piece."""
        self._held += piece
        text, reasoning = "", ""
        while True:
            tag = _CLOSE if self._is_thinking else _OPEN
            at = self._held.lower().find(tag)
            end = at if at >= 0 else len(self._held) - _overlap(self._held, tag)
            out, self._held = self._held[:end], self._held[end:]
            if self._is_thinking:
                reasoning += self._reason(out)
            else:
                text += self._say(out)
            if at < 0:
                return text, reasoning
            self._held = self._held[len(tag) :]
            self._is_thinking = not self._is_thinking
            self._is_block_new = True
            self._was_block = True

    def finish(self) -> tuple[str, str]:
        """What was held back because it could have been the beginning of a tag."""
        held, self._held = self._held, ""
        return ("", self._reason(held)) if self._is_thinking else (self._say(held), "")

    def _say(self, text: str) -> str:
        if not self._has_text and self._was_block:
            text = text.lstrip()
        self._has_text = self._has_text or bool(text)
        return text

    def _reason(self, text: str) -> str:
        if not self._is_block_new:
            return text
        text = text.lstrip()
        if not text:
            return ""
        self._is_block_new = False
        separator = "\n" if self._has_reasoning else ""
        self._has_reasoning = True
        return separator + text


def _overlap(text: str, tag: str) -> int:
    """Length of the longest end of `text` that begins `tag`."""
    tail = text[-len(tag) + 1 :].lower()
    return next((size for size in range(len(tail), 0, -1) if tag.startswith(tail[-size:])), 0)


def split_reasoning(text: str) -> tuple[str, str]:
    """A whole answer as (text, reasoning)."""
    splitter = ReasoningSplitter()
    first, last = splitter.feed(text), splitter.finish()
    return first[0] + last[0], first[1] + last[1]


ReasoningFormat = Literal["tagged", "separated"]


class AnswerSplitter:
    """Turns the deltas of a model into text and reasoning, as the node's `reasoning_format` asks.

    `tagged` keeps everything in the text, a provider's separate reasoning between `<think>` tags;
    `separated` keeps reasoning out of the text wherever it came from.
    """

    def __init__(self, form: ReasoningFormat) -> None:
        self._tags = ReasoningSplitter() if form == "separated" else None
        self._is_open = False

    def feed(self, text: str, reasoning: str) -> tuple[str, str]:
        if self._tags is not None:
            said, thought = self._tags.feed(text) if text else ("", "")
            return said, reasoning + thought
        if not reasoning and not self._is_open:
            return text, ""
        return self._tagged(text, reasoning), ""

    def _tagged(self, text: str, reasoning: str) -> str:
        out = ""
        if reasoning:
            out = reasoning if self._is_open else f"{_OPEN}\n{reasoning}"
            self._is_open = True
        if text and self._is_open:
            self._is_open = False
            return f"{out}\n{_CLOSE}{text}"
        return out + text

    def finish(self) -> tuple[str, str]:
        if self._tags is not None:
            return self._tags.finish()
        if not self._is_open:
            return "", ""
        self._is_open = False
        return f"\n{_CLOSE}", ""
