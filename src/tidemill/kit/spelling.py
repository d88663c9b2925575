"""Finds names that look like a setting spelt wrongly."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

OUR_PREFIX = "TIDEMILL_"
MAX_DISTANCE = 2


def misspelt(layers: Sequence[tuple[str, Mapping[str, str]]], known: Collection[str]) -> list[str]:
    """One sentence per unknown name that is close to a known one, or begins with `TIDEMILL_`."""
    return [
        _sentence(name, source, nearest(name, known))
        for source, layer in layers
        for name in sorted(layer.keys() - set(known))
        if name.startswith(OUR_PREFIX) or nearest(name, known)
    ]


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name at most two edits away, and less than a third of its length."""
    best = min(
        ((_distance(name.upper(), other, MAX_DISTANCE), other) for other in known), default=(MAX_DISTANCE + 1, "")
    )
    distance, other = best
    return other if distance <= min(MAX_DISTANCE, len(other) // 4) else None


def _sentence(name: str, source: str, suggestion: str | None) -> str:
    hint = f" Did you mean {suggestion}?" if suggestion else " Remove it, or look its name up with `tidemill config`."
    return f"{name} (read from {source}) is not a setting.{hint}"


def _distance(left: str, right: str, limit: int) -> int:
    """Edits between two names (insert, delete, replace, swap neighbours); `limit` + 1 when more."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
