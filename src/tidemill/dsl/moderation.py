"""The words an app refuses to read or to say: `sensitive_word_avoidance` of the type "keywords".

Rules: reference `workflow-dsl.md`, section 7.7. A word is found wherever its letters stand, in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

KEYWORDS: Final = "keywords"


class Moderation(msgspec.Struct, frozen=True, kw_only=True):
    """What an app says instead. None: that side is not checked. `words` are case-folded."""

    words: tuple[str, ...]
    input_answer: str | None = None
    output_answer: str | None = None

    def finds(self, texts: Iterable[str]) -> bool:
        """Whether one of the texts holds one of the words."""
        folded = [text.casefold() for text in texts]
        return any(word in text for word in self.words for text in folded)

    @property
    def reach(self) -> int:
        """How many letters of earlier text can belong to a word that ends in the next."""
        return max(map(len, self.words)) - 1


def read_moderation(block: Mapping[str, Any]) -> Moderation | None:
    """The words and answers of a `sensitive_word_avoidance` block; None when there is nothing to check."""
    config = block.get("config")
    if block.get("enabled") is not True or block.get("type") != KEYWORDS or not isinstance(config, dict):
        return None
    lines = str(config.get("keywords") or "").splitlines()
    words = tuple(dict.fromkeys(line.strip().casefold() for line in lines if line.strip()))
    asked, said = _answer(config.get("inputs_config")), _answer(config.get("outputs_config"))
    if not words or (asked is None and said is None):
        return None
    return Moderation(words=words, input_answer=asked, output_answer=said)


def unsupported_type(block: Mapping[str, Any]) -> str | None:
    """The type of an enabled block that is not applied here."""
    kind = block.get("type")
    return str(kind or "none") if block.get("enabled") is True and kind != KEYWORDS else None


def _answer(config: Any) -> str | None:
    if not isinstance(config, dict) or config.get("enabled") is not True:
        return None
    return str(config.get("preset_response") or "")
