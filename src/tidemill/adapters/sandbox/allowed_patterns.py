"""Regular expressions, replacements and format specifications that mean the same to both interpreters."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_SPEC: Final = re.compile(r"[<>^]?[0-9]{0,3}|0?[0-9]{0,3}d|,|,?\.[0-9]{1,2}[f%]|0[0-9]{1,2}\.[0-9]f")
_TEMPLATE: Final = re.compile(rf"(?:[^{{}}]|\{{\{{|\}}\}}|\{{[A-Za-z0-9_]*(?::(?:{_SPEC.pattern}))?\}})*")
_REPLACEMENT: Final = re.compile(r"[^\\]*(?:\\[1-9](?![0-9])[^\\]*)*")

# Atoms: a literal, an escape, a class of characters, a dot, a group. Each may have a quantifier. There is no `$`,
# `^`, boundary, look-around or back reference: these differ, or may.
_LITERAL: Final = r"[^\\\[\](){}.*+?^$|]"
_ESCAPE: Final = r"\\[dsDSnrt.\-\\/()\[\]{}*+?|^$#:\"' ]"
_MEMBER: Final = r"(?:[^\\\[\]^&~|-]|\|(?!\|)|\\[dsnrt.\-\\/()\[\]{}*+?|^$#:\"'])"
_CLASS: Final = rf"\[\^?(?:{_MEMBER}(?:-{_MEMBER})?)+-?\]"
_QUANTIFIER: Final = r"(?:[*+?]\??|\{[0-9]{1,3}(?:,[0-9]{0,3})?\}\??)?"
_TOKEN: Final = re.compile(rf"(?:(?:{_LITERAL}|{_ESCAPE}|{_CLASS}|\.){_QUANTIFIER}|\((?:\?:)?|\){_QUANTIFIER}|\|)")


@lru_cache(maxsize=512)
def is_plain_pattern(pattern: str) -> bool:
    """Whether a pattern is made of plain atoms and never matches nothing at all."""
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return False
        at = token.end()
    try:
        # Where a match is empty, both go on differently; a group inside a repeat keeps another round's text.
        return re.compile(pattern).fullmatch("") is None and not _repeats_groups(pattern)
    except (re.error, RecursionError, OverflowError):
        return False


def _repeats_groups(pattern: str) -> bool:
    return re.search(r"\)[*+{]", pattern) is not None


def is_plain_replacement(text: object, pattern: str) -> bool:
    """Text without escapes other than the numbers of groups that the pattern has."""
    if not isinstance(text, str) or _REPLACEMENT.fullmatch(text) is None:
        return False
    groups = re.compile(pattern).groups
    return all(int(number) <= groups for number in re.findall(r"\\([1-9])", text))


def is_plain_spec(text: str) -> bool:
    """Width and alignment, decimals, percent, thousands."""
    return _SPEC.fullmatch(text) is not None


def is_plain_template(text: object) -> bool:
    """Text for `str.format` with simple fields."""
    return isinstance(text, str) and _TEMPLATE.fullmatch(text) is not None
