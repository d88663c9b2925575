"""Finds the recorded answers of calls, and says what is asked for that was not recorded."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from tidemill.adapters.call_forms import Data, digest_of
from tidemill.adapters.cassette import Call, Cassette
from tidemill.adapters.chat_forms import facts_of
from tidemill.adapters.recording import Seat
from tidemill.adapters.scrubbing import Scrubber
from tidemill.engine.errors import NodeFailed
from tidemill.llm.types import ModelFacts, ModelRef
from tidemill.ports import Http, Knowledge, Models, Tools

STALE: Final = "StaleCassette"
MAX_SHOWN_CHARS: Final = 120


class Player:
    """One playing of a cassette.

    Attributes:
        stale: What was asked for and is not on the cassette: a sentence each.
    """

    def __init__(self, cassette: Cassette, *, secrets: Sequence[str] = ()) -> None:
        self.stale: list[str] = []
        self._secrets = tuple(secrets)
        self._left: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
        self._used: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
        for call in cassette.calls:
            self._left[call.place, call.port].append(call)

    def scrubber(self, seat: Seat) -> Scrubber:
        return Scrubber((*self._secrets, *seat.pool.secrets))

    def answer(self, seat: Seat, port: type, request: Data) -> Data:
        """The recorded answer of a call. Raises the recorded error, or `NodeFailed` for a stale cassette."""
        found = self.take(seat, port, request)
        if found is None:
            self._refuse(seat, port, request)
        if "too_large" in found.response:
            sentence = f"Its answer had {found.response['too_large']} bytes, too many to be recorded."
            self._fail(seat, found.node, sentence)
        return found.response

    def take(self, seat: Seat, port: type, request: Data) -> Call | None:
        """The first unused recording of this call, which is used up; None when there is none."""
        index = self._find(seat, port, request)
        if index is None:
            return None
        key = (seat.place, port.__name__)
        call = self._left[key].pop(index)
        self._used[key].append(call)
        return call

    def has(self, seat: Seat, port: type, request: Data) -> bool:
        """Whether a recording of this call is left."""
        return self._find(seat, port, request) is not None

    def _find(self, seat: Seat, port: type, request: Data) -> int | None:
        digest = digest_of(port.__name__, request)
        calls = self._left[seat.place, port.__name__]
        # Computed here, as the digest that was written down may be of another version of this program.
        found = (at for at, call in enumerate(calls) if digest_of(call.port, call.request) == digest)
        return next(found, None)

    def facts(self, seat: Seat, ref: ModelRef) -> ModelFacts:
        """What the model of a reference was when it was recorded."""
        key = (seat.place, Models.__name__)
        calls = [*self._left[key], *self._used[key]]
        for call in calls:
            about = call.request.get("about") or {}
            if (about.get("provider"), about.get("name")) == (ref.provider, ref.name):
                return facts_of(about)
        known = next((call.request["about"] for call in calls if "about" in call.request), None)
        now = f"{ref.provider}/{ref.name}"
        if known is None:
            return self._fail(seat, "", f"It asks the model {now}, and no model was asked there when it was recorded.")
        before = f"{known['provider']}/{known['name']}"
        return self._fail(seat, calls[0].node, f"It asked the model {before} and now asks {now}.")

    def _refuse(self, seat: Seat, port: type, request: Data) -> NoReturn:
        key = (seat.place, port.__name__)
        left = [call for call in self._left[key] if call.request.get("operation") == request.get("operation")]
        used = self._used[key]
        if left:
            self._fail(seat, left[0].node, f"{_what(port)} has changed: {_change(left[0].request, request)}.")
        if used:
            times = "once" if len(used) == 1 else f"{len(used)} times"
            self._fail(seat, used[0].node, f"It calls outside more often than the {times} that were recorded.")
        self._fail(seat, "", f"{_what(port)} was not there when it was recorded: {_shown(request)}.")

    def _fail(self, seat: Seat, title: str, sentence: str) -> NoReturn:
        named = f'"{title}" ({seat.place})' if title else seat.place
        told = f"Stale cassette: node {named}. {sentence}"
        if told not in self.stale:
            self.stale.append(told)
        raise NodeFailed(told, error_type=STALE, is_retryable=False)


def _what(port: type) -> str:
    return {
        Models: "Its request to the model",
        Http: "Its HTTP request",
        Tools: "Its call of a tool",
        Knowledge: "Its search",
    }.get(port, "What it reads outside")


def _change(recorded: Any, now: Any) -> str:
    """The first difference of two requests: where, and both sides."""
    place, before, after = _first_difference(
        {name: value for name, value in recorded.items() if name != "about"},
        {name: value for name, value in now.items() if name != "about"},
        "",
    )
    if isinstance(before, str) and isinstance(after, str):
        old, new = before.splitlines(), after.splitlines()
        at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        place = f"{place}, line {at + 1}" if max(len(old), len(new)) > 1 else place
        before, after = "".join(old[at : at + 1]), "".join(new[at : at + 1])
    return f"{place}: recorded {_shown(before)}, now {_shown(after)}"


def _first_difference(before: Any, after: Any, place: str) -> tuple[str, Any, Any]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            if before.get(name) != after.get(name):
                inner = f"{place}.{name}" if place else str(name)
                return _first_difference(before.get(name), after.get(name), inner)
    if isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            left = before[index] if index < len(before) else None
            right = after[index] if index < len(after) else None
            if left != right:
                return _first_difference(left, right, f"{place}[{index}]")
    return place, before, after


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"
