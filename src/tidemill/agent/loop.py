"""The loop: ask the model, call the tools it asks for, tell it what came of them, until it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias

import msgspec

from tidemill.agent.function_calling import FunctionCalling
from tidemill.agent.react import ReAct
from tidemill.agent.strategy import Strategy
from tidemill.agent.task import AgentMaxIterationError, AgentTask, Answer, Call, Observation, Round
from tidemill.agent.window import Fitting, fit
from tidemill.engine.values import File
from tidemill.llm.types import ChatDelta, ChatModel

MAX_AT_ONCE = 8

OnDelta: TypeAlias = Callable[[ChatDelta], Awaitable[None]]


class Host(Protocol):
    """Who runs the loop: it reaches the model and the tools, and shows what happens. Rounds count from 1.

    A call is named by its round and its place in the answer, the same in every attempt.
    """

    def begin(self, number: int, fitting: Fitting) -> None:
        """A round begins with this request."""
        ...

    async def ask(self, number: int, fitting: Fitting, on_delta: OnDelta) -> None:
        """Send the request and hand over the deltas."""
        ...

    async def say(self, text: str) -> None:
        """Show a piece of the agent's answer."""
        ...

    def answered(self, number: int, answer: Answer) -> None:
        """The model's answer is whole."""
        ...

    async def call(self, number: int, place: int, call: Call) -> Observation:
        """Call a tool; what fails is told in the observation."""
        ...

    def observed(self, number: int, answer: Answer, observations: Sequence[Observation]) -> None:
        """All calls of a round have come back."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent came to. `text` is everything it said, `json` and `files` what its tools made."""

    text: str
    files: tuple[File, ...] = ()
    json: tuple[Any, ...] = ()
    rounds: int = 1


async def run_agent(task: AgentTask, model: ChatModel, host: Host) -> Outcome:
    """Work on a task until the model answers.

    Raises:
        AgentMaxIterationError: It asks for tools in the last round, where none is offered.
        ModelError: A prompt does not fit, or what `host.ask` raises.
    """
    strategy: Strategy = ReAct(task) if task.method == "react" else FunctionCalling(task)
    voice = _Voice(host)
    done: list[Round] = []
    results: list[Observation] = []
    for number in range(1, task.rounds + 1):
        is_last = number == task.rounds
        fitting = fit(model, partial(strategy.request, is_last=is_last), task.history, done)
        host.begin(number, fitting)
        answer = await _ask(host, strategy, voice, number, fitting)
        host.answered(number, answer)
        if not answer.calls:
            break
        if is_last:
            raise AgentMaxIterationError(task.rounds - 1)
        observations = await _call_all(host, number, answer.calls)
        host.observed(number, answer, observations)
        results += observations
        done.append(Round(answer=answer, observations=tuple(item.text for item in observations)))
    return Outcome(
        text="".join(voice.said),
        files=tuple(file for item in results for file in item.files),
        json=tuple(value for item in results for value in item.json),
        rounds=len(done) + 1,
    )


async def _ask(host: Host, strategy: Strategy, voice: _Voice, number: int, fitting: Fitting) -> Answer:
    reader = strategy.reader(number)
    voice.begin_round()

    async def take(delta: ChatDelta) -> None:
        await voice.say(reader.feed(delta))

    await host.ask(number, fitting, take)
    rest, answer = reader.finish()
    await voice.say(rest)
    return answer


async def _call_all(host: Host, number: int, calls: Sequence[Call]) -> list[Observation]:
    """All calls of one answer, some at a time; results in the order of the calls."""
    places = asyncio.Semaphore(MAX_AT_ONCE)

    async def one(place: int, call: Call) -> Observation:
        async with places:
            return await host.call(number, place, call)

    if len(calls) == 1:
        return [await one(1, calls[0])]
    tasks = [asyncio.create_task(one(place, call)) for place, call in enumerate(calls, 1)]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


class _Voice:
    """What the agent says over all its rounds; a blank line stands between what two rounds say."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._is_new_round = False
        self.said: list[str] = []

    def begin_round(self) -> None:
        self._is_new_round = bool(self.said)

    async def say(self, text: str) -> None:
        if not text:
            return
        if self._is_new_round:
            self._is_new_round = False
            text = f"\n\n{text}"
        self.said.append(text)
        await self._host.say(text)
