"""Large texts in a batch of events, held once: what is handed from node to node is in the events of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tidemill.engine import events

# A shorter text costs less where it is than a reference to it.
MIN_CHARS: Final = 4_096
_MARK: Final = "\0text"
_FIELDS: Final[Mapping[type[events.Event], tuple[str, ...]]] = {
    events.RunStarted: ("inputs",),
    events.NodeFinished: ("inputs", "process_data", "outputs", "sealed"),
    events.NodeRetried: ("inputs", "process_data"),
    events.ContainerStarted: ("inputs",),
    events.ContainerAdvanced: ("previous_output",),
    events.ContainerFinished: ("inputs", "outputs"),
    events.VariableAssigned: ("value",),
    events.CallRecorded: ("request", "response"),
    events.RunPaused: ("outputs",),
    events.RunFinished: ("outputs",),
}


class Unshareable(Exception):
    """A value looks like a reference, or is nested too deeply to be searched."""


class LargeTexts:
    """The large texts met so far, each with its number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def take_from(self, event: events.Event) -> events.Event:
        """The event with references in place of its large texts. Raises `Unshareable`."""
        changed: dict[str, Any] = {}
        for name in _FIELDS.get(type(event), ()):
            value = getattr(event, name)
            if value and (taken := self._take(value)) is not value:
                changed[name] = taken
        return msgspec.structs.replace(event, **changed) if changed else event

    def _take(self, value: Any) -> Any:
        if isinstance(value, str):
            if len(value) < MIN_CHARS:
                return value
            return {_MARK: self.numbers.setdefault(value, len(self.numbers))}
        if isinstance(value, dict):
            if _MARK in value:
                raise Unshareable
            return _changed(value, value.items(), self._take)
        if isinstance(value, list):
            return _changed(value, enumerate(value), self._take)
        return value


def put_back(event: events.Event, texts: Sequence[str]) -> None:
    """Undo `take_from`, in place: the event has just been decoded and is nobody else's yet."""

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            if len(value) == 1 and _MARK in value:
                return texts[value[_MARK]]
            return _changed(value, value.items(), put)
        return _changed(value, enumerate(value), put) if isinstance(value, list) else value

    for name in _FIELDS.get(type(event), ()):
        value = getattr(event, name)
        if value and (restored := put(value)) is not value:
            msgspec.structs.force_setattr(event, name, restored)


def _changed(container: Any, items: Any, change: Any) -> Any:
    """A copy of a dict or list with its items changed; the very one when none of them is."""
    copy: Any = None
    for key, item in items:
        new = change(item)
        if new is not item:
            if copy is None:
                copy = container.copy()
            copy[key] = new
    return container if copy is None else copy
