"""Texts with `{{#node.name#}}` references (reference `workflow-dsl.md`, section 3.3)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

import msgspec

from tidemill.engine.values import Missing, Selector, TextForm, VariablePool, to_text

# Ids match [A-Za-z0-9_] only: a reference to a node whose id has a hyphen stays as it is written.
_REFERENCE = re.compile(r"\{\{#([A-Za-z0-9_]{1,100}(?:\.[A-Za-z_][A-Za-z0-9_]{0,99}){1,10})#\}\}")


class TextSegment(msgspec.Struct, frozen=True):
    """Literal text."""

    text: str


class VariableSegment(msgspec.Struct, frozen=True):
    """A reference to a variable."""

    selector: Selector


Segment: TypeAlias = TextSegment | VariableSegment


@lru_cache(maxsize=4096)
def parse(template: str) -> tuple[Segment, ...]:
    """Split a template into literal and variable segments, in order. Empty literals are left out."""
    segments: list[Segment] = []
    end = 0
    for match in _REFERENCE.finditer(template):
        if match.start() > end:
            segments.append(TextSegment(template[end : match.start()]))
        segments.append(VariableSegment(tuple(match.group(1).split("."))))
        end = match.end()
    if end < len(template):
        segments.append(TextSegment(template[end:]))
    return tuple(segments)


def selectors(template: str) -> tuple[Selector, ...]:
    """The selectors a template refers to, in order, repeats included."""
    return tuple(segment.selector for segment in parse(template) if isinstance(segment, VariableSegment))


def render(template: str, pool: VariablePool, form: TextForm = "text") -> str:
    """Replace every reference by its value's text.

    A reference to nothing becomes its bare inner text (`node.name`), as the files' authors know it.
    One pass: values that contain references are not expanded.
    """
    segments = parse(template)
    if not segments:
        return template
    parts: list[str] = []
    for segment in segments:
        if isinstance(segment, TextSegment):
            parts.append(segment.text)
        else:
            value = pool.find(segment.selector)
            parts.append(".".join(segment.selector) if isinstance(value, Missing) else to_text(value, form))
    return "".join(parts)
