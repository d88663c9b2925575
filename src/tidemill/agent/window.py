"""Makes an agent's next request fit: earlier turns go first, then long observations are cut, then early rounds go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from tidemill.agent.task import PastTurn, Round
from tidemill.llm.budget import LEAST_ANSWER, USUAL_ANSWER
from tidemill.llm.errors import ContextExceeded
from tidemill.llm.types import ChatModel, ChatRequest, FittedRequest, Message

LEAST_OBSERVATION: Final = 48
"""Tokens: a shorter piece of an observation tells a model nothing."""

MAX_CUTS: Final = 6

Build: TypeAlias = Callable[[Sequence[PastTurn], Sequence[Round]], ChatRequest]


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """An observation that was shortened for one request. `round` counts from 1."""

    round: int
    tool: str
    chars: int
    kept_chars: int


class Fitting(msgspec.Struct, frozen=True, kw_only=True):
    """A request that fits, and what was left out of it: messages and tokens of earlier turns, cuts, rounds."""

    request: FittedRequest
    trimmed: tuple[int, int] = (0, 0)
    cuts: tuple[Cut, ...] = ()
    left_out_rounds: int = 0


def fit(model: ChatModel, build: Build, turns: Sequence[PastTurn], rounds: Sequence[Round]) -> Fitting:
    """Fit the request that `build` makes of some turns and rounds. The current question is never cut.

    1. Earlier turns are left out whole, oldest first, until the answer the app asked for fits too.
    2. Observations are cut, the longest most, until a usual answer fits.
    3. Rounds are left out, oldest first; the newest stays.

    Raises:
        ContextExceeded: The rest alone leaves fewer than 16 tokens of the window.
    """
    return _Window(model, build, turns, rounds).fit()


class _Window:
    def __init__(self, model: ChatModel, build: Build, turns: Sequence[PastTurn], rounds: Sequence[Round]) -> None:
        self._model = model
        self._build = build
        self._turns = list(turns)
        self._original = list(rounds)
        self._rounds = list(rounds)
        self._fitted: FittedRequest | None = None
        self._prompt = 0
        self._freed = 0
        self._dropped_messages = 0
        self._left_out = 0
        window = model.facts.window_tokens
        wish = build(self._turns, self._rounds).max_tokens
        usual = min(USUAL_ANSWER, window // 4)
        most = model.facts.max_output_tokens or window
        self._wanted = max(LEAST_ANSWER, min(wish or usual, most))
        self._usual = max(LEAST_ANSWER, min(self._wanted, usual))

    def fit(self) -> Fitting:
        self._measure()
        # The newest turn goes only where not even a usual answer would fit beside it.
        while self._turns and self._excess(self._wanted if len(self._turns) > 1 else self._usual) > 0:
            self._drop_turns(self._excess(self._wanted))
        for _ in range(MAX_CUTS):
            if self._excess(self._usual) <= 0 or not self._cut(self._excess(self._usual)):
                break
            self._measure()
        while self._excess(self._usual) > 0 and len(self._rounds) > 1:
            self._rounds.pop(0)
            self._left_out += 1
            self._measure()
        return Fitting(
            request=self._fitted or self._model.fit(self._request()),
            trimmed=(self._dropped_messages, self._freed),
            cuts=tuple(self._cuts()),
            left_out_rounds=self._left_out,
        )

    def _request(self) -> ChatRequest:
        return self._build(self._turns, self._rounds)

    def _measure(self) -> None:
        try:
            self._fitted = self._model.fit(self._request())
        except ContextExceeded as error:
            self._fitted, self._prompt = None, error.prompt_tokens
        else:
            self._prompt = self._fitted.budget.prompt_tokens

    def _excess(self, reserve: int) -> int:
        """Tokens by which the prompt and an answer of `reserve` tokens go over the window."""
        return self._prompt + reserve - self._model.facts.window_tokens

    def _drop_turns(self, excess: int) -> None:
        freed = count = 0
        most = max(1, len(self._turns) - 1)
        while freed < excess and count < most:
            before = self._build(self._turns[count : count + 1], ())
            without = self._build((), ())
            freed += max(1, self._model.count(before) - self._model.count(without))
            self._dropped_messages += len(before.messages) - len(without.messages) or 2
            count += 1
        del self._turns[:count]
        self._freed += freed
        self._measure()

    def _cut(self, excess: int) -> bool:
        """Shorten the longest observations by about `excess` tokens; False when none can be shorter."""
        texts = [(number, place) for number, done in enumerate(self._rounds) for place in range(len(done.observations))]
        sizes = [self._tokens(self._rounds[number].observations[place]) for number, place in texts]
        most = _level(sizes, excess)
        has_changed = False
        for (number, place), size in zip(texts, sizes, strict=True):
            if size <= most:
                continue
            done = self._rounds[number]
            whole = self._original[self._left_out + number].observations[place]
            shorter = self._shortened(whole, most)
            if len(shorter) < len(done.observations[place]):
                has_changed = True
                said = list(done.observations)
                said[place] = shorter
                self._rounds[number] = msgspec.structs.replace(done, observations=tuple(said))
        return has_changed

    def _shortened(self, text: str, most: int) -> str:
        """The beginning of a text, in at most `most` tokens with the note that it was cut."""
        kept = len(text)
        for _ in range(MAX_CUTS):
            shown = _noted(text, kept)
            size = self._tokens(shown)
            if size <= most or kept == 0:
                return shown
            kept = min(kept - 1, int(kept * most / size * 0.95))
        return _noted(text, 0)

    def _tokens(self, text: str) -> int:
        if not text:
            return 0
        empty = Message(role="user", content="")
        full = Message(role="user", content=text)
        return self._model.count(ChatRequest(messages=(full,))) - self._model.count(ChatRequest(messages=(empty,)))

    def _cuts(self) -> list[Cut]:
        found: list[Cut] = []
        for number, done in enumerate(self._rounds, self._left_out):
            whole = self._original[number]
            for call, text, before in zip(whole.answer.calls, done.observations, whole.observations, strict=True):
                if text != before:
                    kept = text.rfind("\n[")
                    found.append(Cut(round=number + 1, tool=call.name, chars=len(before), kept_chars=max(0, kept)))
        return found


def _noted(text: str, kept: int) -> str:
    if kept >= len(text):
        return text
    return f"{text[:kept]}\n[{len(text) - kept} characters were left out to fit the model's window.]"


def _level(sizes: Sequence[int], excess: int) -> int:
    """The size to which the largest are cut so that together they lose `excess`; at least `LEAST_OBSERVATION`."""
    ordered = sorted(sizes, reverse=True)
    lost = 0
    for count, size in enumerate(ordered, 1):
        following = ordered[count] if count < len(ordered) else 0
        step = (size - following) * count
        if lost + step >= excess:
            return max(LEAST_OBSERVATION, size - -(-(excess - lost) // count))
        lost += step
    return LEAST_OBSERVATION
