"""Places for boxes: the file's where it has them, columns by distance from the start where it has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

_COLUMN_GAP: Final = 60
_ROW_GAP: Final = 40
_PADDING: Final = 24
_HEADER: Final = 60


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle in its parent's coordinates. `x` and `y` are None where the file gives no place."""

    parent_id: str | None
    x: float | None
    y: float | None
    width: float
    height: float
    is_note: bool = False
    is_container: bool = False


def arrange(boxes: Mapping[str, Box], edges: Sequence[tuple[str, str]]) -> dict[str, Box]:
    """Place every box: nothing of one level overlaps, notes apart, and containers hold their children."""
    children: dict[str | None, list[str]] = {}
    for box_id, box in boxes.items():
        children.setdefault(box.parent_id, []).append(box_id)
    placed = dict(boxes)
    done: set[str] = set()
    order: list[str | None] = [None]
    for level in order:
        inner = [child for child in children.get(level, ()) if boxes[child].is_container and child not in done]
        done.update(inner)
        order.extend(inner)
    for level in reversed(order):  # Inside out: a container's size depends on what it holds.
        own = children.get(level, [])
        _place_level(own, placed, edges, is_inner=level is not None)
        if level is not None and own:
            placed[level] = _grown(placed[level], [placed[child] for child in own])
    return placed


def _place_level(
    own: Sequence[str], placed: dict[str, Box], edges: Sequence[tuple[str, str]], *, is_inner: bool
) -> None:
    if any(placed[box_id].x is None or placed[box_id].y is None for box_id in own if not placed[box_id].is_note):
        _in_columns(own, placed, edges, is_inner=is_inner)
    for box_id in own:
        box = placed[box_id]
        placed[box_id] = msgspec.structs.replace(box, x=box.x or 0.0, y=box.y or 0.0)
    _part(own, placed)


def _in_columns(
    own: Sequence[str], placed: dict[str, Box], edges: Sequence[tuple[str, str]], *, is_inner: bool
) -> None:
    left, top = (float(_PADDING), float(_HEADER)) if is_inner else (0.0, 0.0)
    columns: dict[int, list[str]] = {}
    for box_id, column in _columns(own, edges).items():
        columns.setdefault(column, []).append(box_id)
    for column in sorted(columns):
        y = top
        for box_id in columns[column]:
            placed[box_id] = msgspec.structs.replace(placed[box_id], x=left, y=y)
            y += placed[box_id].height + _ROW_GAP
        left += max(placed[box_id].width for box_id in columns[column]) + _COLUMN_GAP


def _columns(own: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The column of each box: one more than the furthest before it."""
    level = set(own)
    after: dict[str, list[str]] = {}
    missing = dict.fromkeys(own, 0)
    for source, target in edges:
        if source in level and target in level and source != target:
            after.setdefault(source, []).append(target)
            missing[target] += 1
    column = dict.fromkeys(own, 0)
    ready = [box_id for box_id in own if missing[box_id] == 0]
    for box_id in ready:
        for target in after.get(box_id, ()):
            column[target] = max(column[target], column[box_id] + 1)
            missing[target] -= 1
            if missing[target] == 0:
                ready.append(target)
    return column


def _part(own: Sequence[str], placed: dict[str, Box]) -> None:
    """Move boxes that lie on an earlier one down until they are free."""
    settled: list[Box] = []
    solid = [box_id for box_id in own if not placed[box_id].is_note]
    for box_id in sorted(solid, key=lambda item: (placed[item].y or 0, placed[item].x or 0)):
        box = placed[box_id]
        while True:
            blocker = next((other for other in settled if _overlap(box, other)), None)
            if blocker is None:
                break
            box = msgspec.structs.replace(box, y=(blocker.y or 0) + blocker.height + _ROW_GAP / 2)
        settled.append(box)
        placed[box_id] = box


def _overlap(left: Box, right: Box) -> bool:
    lx, ly, rx, ry = left.x or 0, left.y or 0, right.x or 0, right.y or 0
    return lx < rx + right.width and rx < lx + left.width and ly < ry + right.height and ry < ly + left.height


def _grown(container: Box, inside: Sequence[Box]) -> Box:
    right = max((box.x or 0) + box.width for box in inside) + _PADDING
    bottom = max((box.y or 0) + box.height for box in inside) + _PADDING
    return msgspec.structs.replace(container, width=max(container.width, right), height=max(container.height, bottom))
