"""Regex: what a regular expression finds in a text, within a time limit that holds for any expression."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import regex

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, Provider, asked, json_data, text

TIMEOUT_S: Final = 2.0
MAX_MATCHES: Final = 10_000

PROVIDER = Provider("regex", "Regex", "Finds parts of a text by a regular expression.")


def _find(expression: str, content: str) -> list[Any]:
    try:
        pattern = regex.compile(expression)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ToolFailed(f"The regular expression is wrong: {error}.") from error
    found: list[Any] = []
    try:
        # `concurrent` lets other threads go on; the limit is checked inside the matching itself.
        for match in pattern.finditer(content, concurrent=True, timeout=TIMEOUT_S):
            found.append(match.groups(default="") if pattern.groups > 1 else match.group(pattern.groups) or "")
            if len(found) >= MAX_MATCHES:
                break
    except TimeoutError as error:
        raise ToolFailed(
            f"The regular expression takes longer than {TIMEOUT_S:g} seconds on this text. "
            "Avoid a repetition inside a repetition, such as (a+)+."
        ) from error
    return found


@PROVIDER.tool(
    "regex_extract",
    "Regex Extract",
    "Gives all parts of a text that a regular expression matches.",
    asked("content", "The text."),
    asked("expression", "The regular expression."),
)
async def regex_extract(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    content, expression = arguments.text("content").strip(), arguments.text("expression").strip()
    if not content or not expression:
        raise ToolFailed("The tool regex_extract needs a text and an expression, and one of them is empty.")
    found = await asyncio.to_thread(_find, expression, content)
    yield json_data({"matches": found})
    # The text is Python's, as the flows that read it expect.
    yield text(str(found))
