"""Runs a graph: one `Run` per execution, with its limits, its end and its stop.

Rules: reference `workflow-dsl.md`, sections 4 and 6. What happens inside a level is `engine.level`'s work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from tidemill.engine.errors import MAX_STEPS, NodeFailed
from tidemill.engine.events import (
    Event,
    NodeFinished,
    RunFinished,
    RunPaused,
    RunStarted,
    RunStatus,
    TextDelta,
    TextReplaced,
    Usage,
    add_usage,
)
from tidemill.engine.graph import Graph
from tidemill.engine.journal import Journal
from tidemill.engine.level import Failure, Level
from tidemill.engine.node import RunInfo
from tidemill.engine.past import NOTHING, Past
from tidemill.engine.values import Selector, Value, VariablePool, plain, revived

E = TypeVar("E", bound=Event)
# An inline node never yields to the event loop, so a long chain of them must do it for them.
INLINE_BURST = 64


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one run may use. Steps are node starts, retries and container children included."""

    max_steps: int = 500
    max_seconds: float = 1200.0
    max_concurrency: int = 10


class Run:
    """One run of one graph.

    Args:
        graph: The app's graph; `root_id` chooses among several roots (default: the first).
        pool: The variables it starts with, inputs included.
        info: Who it is for.
        ports: Implementations of the protocols in `tidemill.ports`, by protocol.
        journal: Receives every event, in order.
        inputs: What `RunStarted` reports.
        past: What an earlier part of this run, or an earlier run, left behind.
        reason: "resumption" when the run goes on after a pause, which it then tells.
        clock: Unix seconds.
    """

    def __init__(
        self,
        graph: Graph,
        pool: VariablePool,
        *,
        info: RunInfo,
        ports: Mapping[type, object],
        journal: Journal,
        inputs: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        past: Past = NOTHING,
        root_id: str | None = None,
        reason: Literal["initial", "resumption"] = "initial",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.graph = graph
        self.pool = pool
        self.info = info
        self.ports = ports
        self.journal = journal
        self.limits = limits or Limits()
        self.past = past
        self.clock = clock
        self.slots = asyncio.Semaphore(self.limits.max_concurrency)
        self.steps = 0
        self.exceptions = 0
        self.usage = Usage()
        self.outputs: dict[str, Any] = {}
        self.files: list[dict[str, Any]] = []
        self.text: list[str] = []
        self.interruption: Failure | None = None
        self.is_stopped = False
        self._answers: list[str] = []
        self._inputs = dict(inputs or {})
        self._root_id = root_id or graph.roots[0]
        self._reason: Literal["initial", "resumption"] = reason
        self._seq = past.last_seq if past.is_same_run else 0
        self._index = past.last_index if past.is_same_run else 0
        # Told before by this run and not yet told again while it is computed anew.
        self._echo = past.text if past.is_same_run else ""
        self._burst = 0
        self._is_over = False
        self._wakers: set[asyncio.Future[None]] = set()

    async def execute(self) -> RunFinished:
        """Run to the end and return the last event. A failing run does not raise; being cancelled does.

        A paused run ends with a `RunPaused` event in the journal; the result returned then has the
        status "paused" and is in no journal.
        """
        began, tick = self.past.started_at or self.clock(), time.monotonic() - self.past.elapsed_s
        if not self.past.last_seq or not self.past.is_same_run or self._reason == "resumption":
            self.emit(
                RunStarted,
                run_id=self.info.run_id,
                workflow_id=self.info.workflow_id,
                inputs=plain(self._inputs),
                reason=self._reason,
            )
        timer = asyncio.get_running_loop().call_later(
            max(0.0, self.limits.max_seconds - self.past.elapsed_s), self._expire
        )
        level = Level(self, self.graph, self.pool, self._root_id, scope=None)
        failure: Failure | None = None
        try:
            failure = await level.execute()
        except asyncio.CancelledError:
            self.is_stopped = True
            self.interruption = Failure("The run was cancelled.", "Stopped")
            self._finish(began, tick, self.interruption, level)
            raise
        finally:
            timer.cancel()
        return self._finish(began, tick, self.interruption or failure, level)

    def stop(self, reason: str) -> None:
        """End the run now. Running nodes are cancelled; the text so far stays the answer."""
        self.is_stopped = True
        self._interrupt(Failure(reason, "Stopped"))

    # ------------------------------------------------------------ for levels and contexts

    def emit(self, kind: type[E], /, **fields: Any) -> None:
        """Give the journal an event with the next number. What a late node still says after the end is dropped."""
        if self._is_over:
            return
        self._seq += 1
        self.journal.append(kind(seq=self._seq, at=self.clock(), **fields))

    def spend(self, usage: Usage) -> None:
        self.usage = add_usage(self.usage, usage)

    def next_index(self) -> int:
        self._index += 1
        return self._index

    def count_step(self) -> None:
        """Raises `NodeFailed` when the run has used up its steps."""
        if self.steps >= self.limits.max_steps:
            raise NodeFailed(
                f"Max steps {self.limits.max_steps} reached. Raise WORKFLOW_MAX_EXECUTION_STEPS or shorten the flow.",
                error_type=MAX_STEPS,
                is_retryable=False,
            )
        self.steps += 1

    def is_breath_due(self) -> bool:
        """Whether so many nodes ran in place, in whatever levels, that the event loop must have its turn."""
        self._burst += 1
        return self._burst % INLINE_BURST == 0

    def say(self, producer_id: str, text: str, selector: Selector | None, is_live: bool) -> None:
        """The next piece of the answer. `is_live`: its producer gives it now, for the first or another time."""
        if self._echo:
            text = self._retell(text, is_live=is_live)
            if not text:
                return
        self.text.append(text)
        self.emit(TextDelta, node_id=producer_id, text=text, selector=selector)

    def _retell(self, text: str, *, is_live: bool) -> str:
        """Match text with what was told before; returns what is new of it."""
        echo = self._echo
        if not is_live and echo.startswith(text):
            self._echo = echo[len(text) :]
            self.text.append(text)
            return ""
        if not is_live and text.startswith(echo):
            self._echo = ""
            self.text.append(echo)
            return text[len(echo) :]
        self._withdraw()
        return text

    def _withdraw(self) -> None:
        """What a producer had told before it was cut off no longer stands."""
        self._echo = ""
        self.emit(TextReplaced, text="".join(self.text), reason="recovery")

    def unsay(self, count: int) -> None:
        """Withdraw the last pieces of the answer."""
        del self.text[-count:]
        self.emit(TextReplaced, text="".join(self.text), reason="retry")

    def collect(self, outputs: Mapping[str, Value]) -> None:
        """Add a response node's outputs to the run's: answers are joined, other keys overwrite."""
        for name, value in outputs.items():
            if name == "answer":
                self._answers.append(str(value))
                self.outputs["answer"] = ""  # keeps the key's place; joined once, at the end
            elif name == "files" and isinstance(value, list):
                self.files.extend(plain(value))
                self.outputs["files"] = list(self.files)
            else:
                self.outputs[name] = plain(value)

    def waker(self) -> asyncio.Future[None]:
        """A future that a stop or a limit resolves, besides whoever asked for it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wakers.add(future)
        future.add_done_callback(self._wakers.discard)
        return future

    def masked(self, value: Any) -> Any:
        """A value as traces may show it: secrets of the run masked."""
        return _each_text(value, self.pool.masked) if self.pool.secrets else value

    def sealed(self, outputs: dict[str, Any] | None, shown: dict[str, Any] | None) -> dict[str, Any] | None:
        """The outputs with places held for secrets, if masking took something from them."""
        if shown is outputs or shown == outputs:
            return None
        return _each_text(outputs, self.pool.sealed)

    def unsealed(self, finished: NodeFinished) -> dict[str, Value]:
        """The outputs of a recorded node as it gave them."""
        outputs = finished.outputs if finished.sealed is None else _each_text(finished.sealed, self.pool.unsealed)
        return {name: revived(value) for name, value in (outputs or {}).items()}

    # ------------------------------------------------------------ endings

    def _expire(self) -> None:
        seconds = f"{self.limits.max_seconds:g}"
        self._interrupt(
            Failure(
                f"Max execution time of {seconds} s reached. Raise WORKFLOW_MAX_EXECUTION_TIME or shorten the flow.",
                "MaxTimeReached",
            )
        )

    def _interrupt(self, failure: Failure) -> None:
        if self.interruption is None:
            self.interruption = failure
        for waker in list(self._wakers):
            if not waker.done():
                waker.set_result(None)

    def _finish(self, began: float, tick: float, failure: Failure | None, level: Level) -> RunFinished:
        elapsed = time.monotonic() - tick
        if self._echo:
            self._withdraw()
        if self._answers:
            self.outputs["answer"] = "".join(self._answers)
        status: RunStatus = "partial-succeeded" if self.exceptions else "succeeded"
        if self.is_stopped:
            status = "stopped"
        elif failure is not None:
            status = "failed"
        elif level.pauses:
            status = "paused"
            self.emit(
                RunPaused,
                paused_node_ids=[pause.node_id for pause in level.pauses],
                reasons=[pause.reason for pause in level.pauses],
                outputs=self.outputs,
                elapsed_s=elapsed,
                total_tokens=self.usage.total_tokens,
                total_steps=self.steps,
            )
        finished = RunFinished(
            seq=self._seq + 1,
            at=self.clock(),
            run_id=self.info.run_id,
            status=status,
            outputs=self.outputs,
            started_at=began,
            elapsed_s=elapsed,
            total_tokens=self.usage.total_tokens,
            total_steps=self.steps,
            answer="".join(self.text),
            error=self.masked(failure.message) if failure else None,
            error_type=failure.error_type if failure else None,
            failed_node_id=failure.node_id if failure else None,
            exceptions_count=self.exceptions,
            usage=self.usage,
            files=self.files,
        )
        if status != "paused":
            self._seq += 1
            self.journal.append(finished)
        self._is_over = True
        return finished


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text in it changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _each_text(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    return value
