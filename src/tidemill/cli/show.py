"""What `tidemill run` shows while a run goes on, and when it has ended."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from tidemill.engine.events import (
    CallRecorded,
    Event,
    RunFinished,
    RunPaused,
    TextDelta,
    TextReplaced,
    VariableAssigned,
    encoder,
)
from tidemill.engine.journal import NullJournal
from tidemill.engine.values import Selector


class Screen(NullJournal):
    """The journal of a run on the command line: shows events as they come, and notes assigned variables.

    `shows_events` prints each as a JSON line; `shows_text` prints the answer's pieces; `keeps` gathers all in
    `events`.
    """

    def __init__(self, *, shows_events: bool, shows_text: bool, keeps: bool = False) -> None:
        self.assigned: dict[Selector, Any] = {}
        self.has_shown_text = False
        self.paused: RunPaused | None = None
        self.events: list[Event] = []
        self._keeps = keeps
        self._shows_events = shows_events
        self._shows_text = shows_text

    def append(self, event: Event) -> None:
        if isinstance(event, VariableAssigned):
            self.assigned[event.selector] = event.value
        elif isinstance(event, RunPaused):
            self.paused = event
        if self._keeps:
            self.events.append(event)
        if isinstance(event, CallRecorded):
            return
        if self._shows_events:
            print(encoder.encode(event).decode(errors="replace"), flush=True)
        elif self._shows_text and isinstance(event, TextDelta):
            self.has_shown_text = True
            print(event.text, end="", flush=True)
        elif self._shows_text and isinstance(event, TextReplaced):
            print(f"\n{event.text}", end="", flush=True)


def result(finished: RunFinished, *, is_workflow: bool) -> dict[str, Any]:
    """The result object of `--json`."""
    return {
        "status": finished.status,
        "outputs": finished.outputs,
        "answer": None if is_workflow else finished.answer,
        "error": finished.error,
        "usage": msgspec.to_builtins(finished.usage),
        "elapsed_s": round(finished.elapsed_s, 6),
        "steps": finished.total_steps,
    }


def show_end(finished: RunFinished, screen: Screen, *, is_workflow: bool) -> None:
    """Print the answer, or a workflow's outputs; why a run failed goes to stderr."""
    if screen.has_shown_text:
        print()
    elif is_workflow and (finished.outputs or not finished.error):
        print(json.dumps(finished.outputs, ensure_ascii=False, indent=2))
    elif finished.answer:
        print(finished.answer)
    if finished.error:
        print(finished.error, file=sys.stderr)
