"""Proves, from its source alone, that a template's output cannot grow far beyond its inputs.

Only what the patterns below describe is proven: variables with simple filters, and if/elif/else over
comparisons. There is no call, loop, assignment, concatenation or arithmetic among them, and no quoted text
holds a delimiter, so the template machine cannot read a tag differently than these patterns do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

_NAME = r"(?>[A-Za-z_][A-Za-z0-9_]*+)"
_STRING = r"""(?>'[^'"\\{}%#]*+'|"[^'"\\{}%#]*+")"""
_NUMBER = r"(?>[0-9]{1,15}+(?:\.[0-9]{1,15}+)?+)"
_SUBSCRIPT = rf"(?>\.{_NAME}|\[\s*+(?:-?[0-9]{{1,9}}+|{_STRING})\s*+\])"
_FILTER = (
    r"(?>(?:upper|lower|trim|title|capitalize|escape|e|safe|tojson|string|length|count|first|last|int|float|abs"
    rf"|round(?:\([0-9]\))?|(?:default|d)\((?:{_STRING}|{_NUMBER})(?:,\s?[Tt]rue)?\))(?![A-Za-z0-9_(]))"
)
_OUTPUT = re.compile(
    rf"\{{\{{[-+]?\s*+(?P<root>{_NAME}|{_STRING}|{_NUMBER})(?P<path>{_SUBSCRIPT}*+)"
    rf"(?P<filters>(?:\s*+\|\s*+{_FILTER})*+)\s*+[-+]?\}}\}}"
)
_COMPARED = rf"(?>{_STRING}|{_NUMBER}|{_NAME}|[=!<>]=|[.\[\]<>])"
_STATEMENT = re.compile(rf"\{{%[-+]?\s*+(?>(?:if|elif)\s++(?:{_COMPARED}\s*+)++|else|endif)\s*+[-+]?%\}}")
_DELIMITER = re.compile(r"\{\{|\{%|\{#")

# A character becomes at most this many through one filter: a \uXXXX pair of `tojson`.
_GROWTH = 12


class Output(msgspec.Struct, frozen=True):
    """One `{{ ... }}`: the variable it begins with, and how often a filter may enlarge it."""

    root: str
    filters: int


class Bounds(msgspec.Struct, frozen=True):
    """What is known of a simple template."""

    literal_chars: int
    outputs: tuple[Output, ...]

    def most_chars(self, sizes: Mapping[str, int]) -> int:
        """An upper bound of the rendered length, for inputs whose texts have these lengths."""
        total = self.literal_chars
        for output in self.outputs:
            total += (sizes.get(output.root, 0) + self.literal_chars) * _GROWTH**output.filters
        return total


@lru_cache(maxsize=1024)
def bounds_of(source: str) -> Bounds | None:
    """The bounds of a template, or None when nothing can be proven."""
    outputs: list[Output] = []
    position = 0
    while delimiter := _DELIMITER.search(source, position):
        start = delimiter.start()
        if match := _OUTPUT.match(source, start):
            outputs.append(Output(match["root"], match["filters"].count("|")))
        else:
            match = _STATEMENT.match(source, start)
        if match is None:
            return None
        position = match.end()
    return Bounds(literal_chars=len(source), outputs=tuple(outputs))


def size_of(value: Any) -> int:
    """The most characters the value's text can have."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return 2 + sum(4 + _quoted(key) + _quoted(item) for key, item in value.items())
    if isinstance(value, list):
        return 2 + sum(2 + _quoted(item) for item in value)
    return 350  # the longest number without an exponent


def _quoted(value: Any) -> int:
    # A character in a quoted text is at most \UXXXXXXXX.
    return 2 + 10 * len(value) if isinstance(value, str) else size_of(value)
