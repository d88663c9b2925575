"""Small node types for the engine's own tests: they wait, fail, branch and stream on command."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from pydantic import Field

from tidemill.engine.errors import NodeFailed
from tidemill.engine.graph import EdgeSpec, NodeSpec
from tidemill.engine.node import Context, Node, NodeConfig, NodePaused
from tidemill.engine.templates import Segment, TextSegment, VariableSegment, parse
from tidemill.engine.values import MISSING, Selector


class Gates:
    """A port: events by name that a test opens, and counters of what nodes did."""

    def __init__(self) -> None:
        self._gates: dict[str, asyncio.Event] = {}
        self.calls: dict[str, int] = {}
        self.running = 0
        self.most_running = 0
        self.cancelled: list[str] = []

    def gate(self, name: str) -> asyncio.Event:
        return self._gates.setdefault(name, asyncio.Event())

    def open(self, *names: str) -> None:
        for name in names:
            self.gate(name).set()


class Begin(Node[NodeConfig, dict[str, Any]]):
    type = "probe-begin"
    title = "Begin"
    is_root = True
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        return dict(ctx.pool.outputs_of(self.id))


class CopyConfig(NodeConfig):
    source: tuple[str, ...] = ()
    value: Any = None


class Copy(Node[CopyConfig, dict[str, Any]]):
    """Gives a configured value, or the value of a selector."""

    type = "probe-copy"
    title = "Copy"
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        return {"output": ctx.value(self.config.source) if self.config.source else self.config.value}


class BranchConfig(NodeConfig):
    handle: str = "a"


class Branch(Node[BranchConfig, dict[str, Any]]):
    type = "probe-branch"
    title = "Branch"
    is_branch = True
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        ctx.take(self.config.handle)
        return {}


class WorkConfig(NodeConfig):
    wait_for: str = ""
    text: list[str] = Field(default_factory=list)
    fail_times: int = 0
    error_type: str = "WorkFailed"
    crash: bool = False
    pause: bool = False
    fail_after_text: bool = False


class Work(Node[WorkConfig, dict[str, Any]]):
    """Waits for a gate, streams its text, fails as often as told."""

    type = "probe-work"
    title = "Work"
    is_effectful = True
    honours_retry = True
    streams = frozenset({"text"})

    async def run(self, ctx: Context) -> dict[str, Any]:
        gates = ctx.port(Gates)
        attempt = gates.calls[self.id] = gates.calls.get(self.id, 0) + 1
        gates.running += 1
        gates.most_running = max(gates.most_running, gates.running)
        try:
            return await self._work(ctx, gates, attempt)
        except asyncio.CancelledError:
            gates.cancelled.append(self.id)
            raise
        finally:
            gates.running -= 1

    async def _work(self, ctx: Context, gates: Gates, attempt: int) -> dict[str, Any]:
        ctx.record(inputs={"attempt": attempt})
        if self.config.crash:
            raise KeyError("lost")
        if self.config.pause:
            raise NodePaused({"kind": "form"})
        if attempt <= self.config.fail_times and not self.config.fail_after_text:
            raise NodeFailed(f"Attempt {attempt} failed.", error_type=self.config.error_type)
        for number, piece in enumerate(self.config.text):
            if self.config.wait_for:
                await gates.gate(self.config.wait_for if number == 0 else f"{self.config.wait_for}:{number}").wait()
            await ctx.stream("text", piece)
        if not self.config.text and self.config.wait_for:
            await gates.gate(self.config.wait_for).wait()
        if attempt <= self.config.fail_times:
            raise NodeFailed(f"Attempt {attempt} failed.", error_type=self.config.error_type)
        return {"text": "".join(self.config.text)}


class SayConfig(NodeConfig):
    answer: str = ""


class Say(Node[SayConfig, dict[str, Any]]):
    """An answer node; its type name makes the engine render Markdown."""

    type = "answer"
    version = "probe"
    title = "Say"
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        return {"answer": ctx.render(self.config.answer, "markdown"), "files": []}

    def response(self) -> tuple[Segment, ...]:
        return parse(self.config.answer)


class FinishConfig(NodeConfig):
    outputs: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Finish(Node[FinishConfig, dict[str, Any]]):
    type = "probe-finish"
    title = "Finish"
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        found = {name: ctx.find(selector) for name, selector in self.config.outputs.items()}
        return {name: None if value is MISSING else value for name, value in found.items()}

    def response(self) -> tuple[Segment, ...]:
        segments: list[Segment] = []
        for selector in self.config.outputs.values():
            segments += [TextSegment("\n"), VariableSegment(selector)] if segments else [VariableSegment(selector)]
        return tuple(segments)


class WriteConfig(NodeConfig):
    target: tuple[str, ...]
    source: tuple[str, ...]


class Write(Node[WriteConfig, dict[str, Any]]):
    type = "probe-write"
    title = "Write"
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        ctx.assign(self.config.target, ctx.value(self.config.source))
        return {}

    def writes(self) -> tuple[Selector, ...]:
        return (self.config.target,)


class RepeatConfig(NodeConfig):
    rounds: int = 1
    start: str = ""
    parallel: bool = False


class Repeat(Node[RepeatConfig, dict[str, Any]]):
    """A container: so many rounds, each on its own pool."""

    type = "probe-repeat"
    title = "Repeat"
    is_container = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        async def one(index: int) -> tuple[str | None, bool]:
            pool = ctx.pool.fork()
            pool.set((self.id, "index"), index)
            result = await ctx.run_round(index, pool)
            if result.error:
                raise NodeFailed(result.error, error_type=result.error_type)
            return str(result.usage.total_tokens), result.has_ended

        if self.config.parallel:
            await asyncio.gather(*(one(index) for index in range(self.config.rounds)))
            return {"rounds": self.config.rounds}
        for index in range(self.config.rounds):
            _, has_ended = await one(index)
            if has_ended:
                return {"rounds": index + 1}
        return {"rounds": self.config.rounds}

    def child_start(self) -> str | None:
        return self.config.start or None


class Leave(Node[NodeConfig, dict[str, Any]]):
    type = "probe-leave"
    title = "Leave"
    is_inline = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        ctx.end_container()
        return {}


def node(node_id: str, kind: str, /, parent: str | None = None, **data: Any) -> NodeSpec:
    """A node spec; `probe-` may be left out of the type."""
    version = "probe" if kind == "answer" else "1"
    name = kind if kind == "answer" else f"probe-{kind}"
    return NodeSpec(id=node_id, type=name, version=version, data=data, title=node_id, parent_id=parent)


def edges(*lines: str) -> list[EdgeSpec]:
    """Edges from lines such as "a > b > c" and "branch:handle > d"."""
    found: list[EdgeSpec] = []
    for line in lines:
        names = [name.strip() for name in line.split(">")]
        for source, target in itertools.pairwise(names):
            name, _, handle = source.partition(":")
            found.append(EdgeSpec(name, target.partition(":")[0], handle or "source"))
    return found
