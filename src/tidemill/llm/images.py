"""What pictures and files cost in tokens.

Sources: OpenAI's guide "Images and vision" (tiles of 512 px, patches of 32 px), Anthropic's "Vision"
(width x height / 750) and Google's "Understand and count tokens" (258 a tile). Where a size is unknown the
worst case is taken, so that a count is never too small.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from tidemill.llm.types import MediaPart


class TileRule(msgspec.Struct, frozen=True):
    """`base` + `tile` for each 512 px square, after the picture is fitted into 2048 and its short side to 768."""

    base: int
    tile: int


class PatchRule(msgspec.Struct, frozen=True):
    """32 px patches, `cap` at most, times `factor`."""

    cap: int
    factor: float


class AreaRule(msgspec.Struct, frozen=True):
    """Pixels / `pixels_per_token`, `cap` tokens at most."""

    pixels_per_token: int
    cap: int


Rule = TileRule | PatchRule | AreaRule

RULES: Final[dict[str, Rule]] = {
    "gpt-4o": TileRule(85, 170),
    "gpt-4o-mini": TileRule(2833, 5667),
    "o-series": TileRule(75, 150),
    "gpt-5": TileRule(70, 140),
    "patch-1.62": PatchRule(1536, 1.62),
    "patch-2.46": PatchRule(1536, 2.46),
    "patch-1.72": PatchRule(1536, 1.72),
    "anthropic": AreaRule(750, 4784),
    "gemini": TileRule(0, 258),
    "qwen": AreaRule(784, 16384),
}
DEFAULT_RULE: Final = RULES["gpt-4o"]

# Longest prefix wins. Families that are not listed use the default rule.
FAMILIES: Final[dict[str, str]] = {
    "gpt-4o-mini": "gpt-4o-mini",
    "gpt-4.1-mini": "patch-1.62",
    "gpt-4.1-nano": "patch-2.46",
    "gpt-5-mini": "patch-1.62",
    "gpt-5-nano": "patch-2.46",
    "gpt-5.4-mini": "patch-1.62",
    "gpt-5.4-nano": "patch-2.46",
    "gpt-5": "gpt-5",
    "o4-mini": "patch-1.72",
    "o1": "o-series",
    "o3": "o-series",
    "claude": "anthropic",
    "gemini": "gemini",
    "qwen": "qwen",
}
MOST_TILES: Final = 8
FILE_TOKENS_UNKNOWN: Final = 4096
_BYTES_PER_TOKEN: Final = {"document": 4, "audio": 60, "video": 100}


def rule_for(model: str) -> str:
    """The name of the rule for a model's pictures, "" for the default one."""
    name = model.lower().rsplit("/", 1)[-1]
    best = max((prefix for prefix in FAMILIES if name.startswith(prefix)), key=len, default="")
    return FAMILIES.get(best, "")


def media_tokens(part: MediaPart, rule: str = "") -> int:
    """Tokens of a picture by the family's rule; of another file by its size, which is a rough bound."""
    if part.kind == "image":
        return _image(part, RULES.get(rule, DEFAULT_RULE))
    if part.data is None:
        return FILE_TOKENS_UNKNOWN
    size_bytes = len(part.data) * 3 // 4
    return max(256, math.ceil(size_bytes / _BYTES_PER_TOKEN[part.kind]))


def _image(part: MediaPart, rule: Rule) -> int:
    is_known = part.width > 0 and part.height > 0
    match rule:
        case TileRule(base=base, tile=tile):
            if part.detail == "low" and base:
                return base
            return base + tile * (_tiles(part.width, part.height) if is_known else MOST_TILES)
        case PatchRule(cap=cap, factor=factor):
            patches = math.ceil(part.width / 32) * math.ceil(part.height / 32) if is_known else cap
            return math.ceil(min(patches, cap) * factor)
        case AreaRule(pixels_per_token=pixels, cap=cap):
            return min(cap, math.ceil(part.width * part.height / pixels) + 8) if is_known else cap


def _tiles(width: int, height: int) -> int:
    scale = min(1.0, 2048 / max(width, height))
    wide, high = width * scale, height * scale
    scale = min(1.0, 768 / min(wide, high))
    return math.ceil(round(wide * scale, 4) / 512) * math.ceil(round(high * scale, 4) / 512)
