"""One level of a run: joins, skips, parallel branches, retries and error strategies.

Rules: reference `workflow-dsl.md`, sections 4.1 and 4.2. A node is ready when every incoming edge is
resolved and at least one is taken. A node that waits has a task of its own; one that never waits
(`is_inline`) is run in place.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import uuid_utils

from tidemill.engine.context import NodeContext
from tidemill.engine.errors import MAX_STEPS, NodeFailed
from tidemill.engine.events import NodeFinished, NodeRetried, NodeStarted, NodeStatus, Scope, Usage, add_usage
from tidemill.engine.graph import Graph
from tidemill.engine.node import NodePaused, RoundResult
from tidemill.engine.past import place_of
from tidemill.engine.plan import PlanNode
from tidemill.engine.responses import Responses
from tidemill.engine.turns import Turn, Voice
from tidemill.engine.values import Selector, Value, VariablePool, is_number, plain

if TYPE_CHECKING:
    from tidemill.engine.scheduler import Run

log = logging.getLogger(__name__)

NO_USAGE = Usage()
# How long nodes that were told to stop may take to clean up before the run goes on without them.
CANCEL_GRACE_S = 0.8


class Failure(msgspec.Struct, frozen=True):
    """Why a run or a round failed."""

    message: str
    error_type: str
    node_id: str | None = None


class Level:
    """One level of a run: the whole graph, or one round of a container."""

    def __init__(
        self,
        run: Run,
        graph: Graph,
        pool: VariablePool,
        root_id: str,
        *,
        scope: Scope | None,
        voice: Voice | None = None,
    ) -> None:
        self.run = run
        self.graph = graph
        self.pool = pool
        self.scope = scope
        self.plan = graph.plan(root_id)
        self.voice = voice or run
        self.responses = Responses(self.plan, pool, self.voice.say, self.voice.unsay)
        self.pauses: list[NodePaused] = []
        self.usage = NO_USAGE
        self.steps = 0
        self.assigned: dict[Selector, Value] = {}  # conversation variables written here
        self.has_ended = False
        self.failure: Failure | None = None
        self.place = place_of(scope)
        self._pending = list(self.plan.in_degree)
        self._taken = bytearray(len(self.plan.nodes))
        self._predecessor: list[str | None] = [None] * len(self.plan.nodes)
        self._ready: deque[int] = deque([0])
        self._tasks: dict[asyncio.Task[None], NodeContext] = {}
        self._waker: asyncio.Future[None] | None = None

    async def execute(self) -> Failure | None:
        """Run everything that can run; returns why the level failed, or None."""
        self.responses.begin()
        try:
            while True:
                while self._ready and self._may_go_on():
                    index = self._ready.popleft()
                    node = self.plan.nodes[index].node
                    if not (node.is_inline or node.is_brief):
                        self._start_task(*self._begin(index))
                        continue
                    self._run_inline(index)
                    if self.run.is_breath_due():
                        await asyncio.sleep(0)
                if not self._tasks or not self._may_go_on():
                    break
                self._waker = self.run.waker()
                if self._may_go_on():
                    await self._waker
                self._waker = None
        finally:
            if self._tasks:
                await self._cancel_tasks()
        return self.failure

    def spend(self, usage: Usage) -> None:
        """Count the usage of a model call for this level and the run."""
        self.usage = add_usage(self.usage, usage)
        self.run.spend(usage)

    def count_step(self) -> None:
        """Raises `NodeFailed` when the run has used up its steps."""
        self.run.count_step()
        self.steps += 1

    def _may_go_on(self) -> bool:
        return self.failure is None and self.run.interruption is None

    async def run_round(
        self, container_id: str, index: int, pool: VariablePool, turn: Turn, pauses: list[NodePaused]
    ) -> RoundResult:
        """Run the sub-graph of a container once.

        Raises `NodeFailed` when the run has no steps left, and `NodePaused` when the round waits for the world;
        what all its nodes wait for is added to `pauses`.
        """
        node = self.graph.nodes[container_id]
        graph = self.graph.children[container_id]
        kind: Literal["iteration", "loop"] = "loop" if node.type == "loop" else "iteration"
        if kind == "loop":
            pool.drop(graph.all_ids)
        scope = Scope(kind, container_id, index, self.scope)
        level = Level(self.run, graph, pool, node.node.child_start() or "", scope=scope, voice=turn)
        failure = await level.execute()
        if self.run.interruption is not None:
            await asyncio.get_running_loop().create_future()  # the level around this one cancels its nodes
        if level.usage is not NO_USAGE:
            self.usage = add_usage(self.usage, level.usage)
        self.steps += level.steps
        if not level.steps:
            self.count_step()  # a round counts, even if it holds nothing
        for selector, value in level.assigned.items():
            self.pool.set(selector, value)
            self.assigned[selector] = value
        if failure is not None and failure.error_type == MAX_STEPS:
            raise NodeFailed(failure.message, error_type=MAX_STEPS, is_retryable=False)
        if failure is None and level.pauses:
            pauses.extend(level.pauses)
            raise level.pauses[0]
        turn.end()
        return RoundResult(
            pool=pool,
            error=failure.message if failure else None,
            error_type=failure.error_type if failure else None,
            has_ended=level.has_ended,
            steps=level.steps,
            usage=level.usage,
        )

    # ------------------------------------------------------------ one node

    def _begin(self, index: int) -> tuple[NodeContext, int]:
        planned = self.plan.nodes[index]
        if (told := self.run.past.start(self.place + planned.id)) is not None:
            ctx = NodeContext(self, index, planned.id, told.execution_id)
            ctx.started_at = told.at
            return ctx, told.index
        ctx = NodeContext(self, index, planned.id, str(uuid_utils.uuid7()))
        number = self.run.next_index()
        ctx.started_at = self.run.clock()
        self.run.emit(
            NodeStarted,
            execution_id=ctx.execution_id,
            node_id=planned.id,
            node_type=planned.type,
            title=planned.title,
            index=number,
            predecessor_id=self._predecessor[index],
            scope=self.scope,
        )
        return ctx, number

    def _run_inline(self, index: int) -> None:
        planned = self.plan.nodes[index]
        if planned.node.is_silent:
            for exit_ in self.plan.exits[index]:
                self._take(index, planned.id, exit_.targets)
            return
        ctx, number = self._begin(index)
        tick = time.monotonic()
        try:
            if planned.node.is_inline:
                self.count_step()
                result = _complete(planned.node.run(ctx))
            elif (result := planned.node.run_now(ctx)) is not None:
                self.count_step()
            else:
                self._start_task(ctx, number)
                return
            outputs = _outputs(result)
        except NodeFailed as failure:
            self._fail(ctx, number, planned, failure, time.monotonic() - tick)
        except Exception as error:  # noqa: BLE001 - the node boundary: whatever a node does, the run goes on in order
            self._fail(ctx, number, planned, _unforeseen(planned, error), time.monotonic() - tick)
        else:
            self._succeed(ctx, number, planned, outputs, time.monotonic() - tick)

    def _start_task(self, ctx: NodeContext, number: int) -> None:
        planned = self.plan.nodes[ctx.index]
        task = asyncio.get_running_loop().create_task(self._run_task(ctx, number, planned))
        self._tasks[task] = ctx
        task.add_done_callback(self._wake)

    def _wake(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A node's task ended with an error outside the node.", exc_info=error)
            self.failure = self.failure or Failure(f"Internal error: {error}", type(error).__name__)
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)

    async def _run_task(self, ctx: NodeContext, number: int, planned: PlanNode) -> None:
        tick = time.monotonic()
        recorded = self.run.past.result(self.place + planned.id) if planned.node.is_effectful else None
        try:
            if recorded is not None:
                outputs = self._recall(ctx, recorded)
            elif planned.node.is_container:
                outputs = await self._attempts(ctx, number, planned)
            else:
                async with self.run.slots:
                    outputs = await self._attempts(ctx, number, planned)
        except NodePaused as pause:
            pause.node_id = pause.node_id or planned.id
            self.pauses.extend(ctx.pauses or [pause])
        except NodeFailed as failure:
            self._fail(ctx, number, planned, failure, time.monotonic() - tick)
        except asyncio.CancelledError:
            self._report(ctx, number, planned, "stopped", time.monotonic() - tick, error="Stopped.")
            raise
        else:
            await self._conclude(ctx, number, planned, outputs, time.monotonic() - tick)

    def _recall(self, ctx: NodeContext, recorded: NodeFinished) -> dict[str, Value]:
        """What a node did in an earlier part of the run, or in an earlier run. Raises what it raised."""
        past = self.run.past
        if past.is_same_run:
            for _ in range(past.retries[self.place + ctx.node_id]):
                self.count_step()
            if recorded.usage is not None:
                ctx.spend(recorded.usage)
        else:
            ctx.record(is_taken=True)
        self.count_step()
        ctx.inputs, ctx.process = recorded.inputs, recorded.process_data
        ctx.handle = recorded.handle
        if recorded.status != "succeeded":
            raise NodeFailed(recorded.error or "", error_type=recorded.error_type)
        return self.run.unsealed(recorded)

    async def _attempts(self, ctx: NodeContext, number: int, planned: PlanNode) -> dict[str, Value]:
        tried = min(self.run.past.retries[ctx.place], planned.max_retries) if self.run.past.is_same_run else 0
        for _ in range(tried):
            self.count_step()
        for attempt in range(tried, planned.max_retries + 1):
            tick = time.monotonic()
            self.count_step()
            try:
                return _outputs(await planned.node.run(ctx))
            except (NodePaused, asyncio.CancelledError):
                raise
            except NodeFailed as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - the node boundary
                failure = _unforeseen(planned, error)
            if ctx.is_streaming:
                self.responses.on_restart(ctx.index)
                ctx.is_streaming = False
            if attempt == planned.max_retries or not failure.is_retryable:
                raise failure
            self.run.emit(
                NodeRetried,
                execution_id=ctx.execution_id,
                node_id=planned.id,
                node_type=planned.type,
                title=planned.title,
                index=number,
                retry_index=attempt + 1,
                started_at=ctx.started_at,
                elapsed_s=time.monotonic() - tick,
                error=self.run.masked(str(failure)),
                error_type=failure.error_type,
                predecessor_id=self._predecessor[ctx.index],
                scope=self.scope,
                inputs=self.run.masked(plain(ctx.inputs)),
                process_data=self.run.masked(plain(ctx.process)),
            )
            await asyncio.sleep(planned.retry_interval_s)
        raise AssertionError("the loop above returns or raises")

    async def _conclude(
        self, ctx: NodeContext, number: int, planned: PlanNode, outputs: dict[str, Value], elapsed: float
    ) -> None:
        if planned.node.is_effectful:
            self.pool.put(planned.id, outputs)
            self.responses.on_finished(ctx.index)
            self._report(ctx, number, planned, "succeeded", elapsed, outputs=outputs)
            if not self.run.past.has_ended(ctx.place):
                await self.run.journal.settle()
            self._resolve(ctx, planned)
        else:
            self._succeed(ctx, number, planned, outputs, elapsed)

    def _succeed(
        self, ctx: NodeContext, number: int, planned: PlanNode, outputs: dict[str, Value], elapsed: float
    ) -> None:
        self.pool.put(planned.id, outputs)
        if planned.node.response() is not None:
            self.voice.collect(outputs)
        self.responses.on_finished(ctx.index)
        # Text that waited for this node comes before its end: also what only its edges set free.
        self._resolve(ctx, planned)
        self._report(ctx, number, planned, "succeeded", elapsed, outputs=outputs)

    def _fail(self, ctx: NodeContext, number: int, planned: PlanNode, failure: NodeFailed, elapsed: float) -> None:
        message, kind = str(failure), failure.error_type
        if planned.error_strategy is None or kind == MAX_STEPS:
            self._report(ctx, number, planned, "failed", elapsed, error=message, error_type=kind)
            self.failure = self.failure or Failure(message, kind, planned.id)
            return
        self.run.exceptions += 1
        outputs: dict[str, Value] = {"error_message": message, "error_type": kind}
        if planned.error_strategy == "fail-branch":
            ctx.handle = "fail-branch"
        else:
            outputs = {**_defaults(planned), **outputs}
        self.pool.put(planned.id, outputs)
        self.responses.on_finished(ctx.index)
        ctx.record(error_strategy=planned.error_strategy)
        self._report(ctx, number, planned, "exception", elapsed, outputs=outputs, error=message, error_type=kind)
        self._resolve(ctx, planned)

    def _report(
        self,
        ctx: NodeContext,
        number: int,
        planned: PlanNode,
        status: NodeStatus,
        elapsed: float,
        *,
        outputs: dict[str, Value] | None = None,
        error: str | None = None,
        error_type: str | None = None,
    ) -> None:
        run = self.run
        if run.past.has_ended(ctx.place):
            return
        plain_outputs = plain(outputs)
        shown = run.masked(plain_outputs)
        run.emit(
            NodeFinished,
            execution_id=ctx.execution_id,
            node_id=planned.id,
            node_type=planned.type,
            title=planned.title,
            index=number,
            status=status,
            started_at=ctx.started_at,
            elapsed_s=elapsed,
            predecessor_id=self._predecessor[ctx.index],
            scope=self.scope,
            inputs=run.masked(plain(ctx.inputs)),
            process_data=run.masked(plain(ctx.process)),
            outputs=shown,
            error=run.masked(error),
            error_type=error_type,
            handle=ctx.handle,
            usage=ctx.usage,
            metadata=ctx.metadata or {},
            sealed=run.sealed(plain_outputs, shown) if planned.node.is_effectful else None,
        )

    # ------------------------------------------------------------ edges

    def _resolve(self, ctx: NodeContext, planned: PlanNode) -> None:
        """Take and skip the outgoing edges of a node that ended well or was forgiven."""
        if ctx.has_ended:
            self.has_ended = True
        source = ctx.index
        chosen = (ctx.handle or "source") if planned.is_branching else None
        if chosen == "success-branch":
            chosen = "source"
        for exit_ in self.plan.exits[source]:
            handle = "source" if exit_.handle == "success-branch" else exit_.handle
            if chosen is None or handle == chosen:
                self._take(source, planned.id, exit_.targets)
            else:
                self._skip(exit_.targets)

    def _take(self, source: int, source_id: str, targets: tuple[int, ...]) -> None:
        for target in targets:
            self._pending[target] -= 1
            if not self._taken[target]:
                self._taken[target] = 1
                self._predecessor[target] = source_id
            if not self._pending[target]:
                self._make_ready(target)
        if source in self.plan.blocking:
            self.responses.on_taken(source, targets)

    def _make_ready(self, index: int) -> None:
        # Once a loop-end was reached, what is ready or running is finished, and nothing more begins.
        if not self.has_ended:
            self._ready.append(index)

    def _skip(self, targets: tuple[int, ...]) -> None:
        todo = list(targets)
        while todo:
            target = todo.pop()
            self._pending[target] -= 1
            if self._pending[target]:
                continue
            if self._taken[target]:
                self._make_ready(target)
            else:
                self.responses.on_skipped(target)
                for exit_ in self.plan.exits[target]:
                    todo.extend(exit_.targets)

    async def _cancel_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        _, stubborn = await asyncio.wait(tasks, timeout=CANCEL_GRACE_S)
        for task in stubborn:
            log.warning("A node did not stop within %s s; the run ends without it.", CANCEL_GRACE_S)
            task.remove_done_callback(self._wake)


def _complete(coroutine: Any) -> Any:
    """Drive a coroutine that never waits, without a task."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise TypeError("A node that is declared inline waited for something.")


def _outputs(result: object) -> dict[str, Value]:
    if isinstance(result, dict):
        return result
    fields: tuple[str, ...] = getattr(result, "__struct_fields__", ())
    return {name: getattr(result, name) for name in fields}


def _unforeseen(planned: PlanNode, error: Exception) -> NodeFailed:
    log.error("The node %s (%s) failed unexpectedly.", planned.id, planned.type, exc_info=error)
    return NodeFailed(
        f'The node "{planned.title}" failed unexpectedly: {type(error).__name__}: {error}',
        error_type=type(error).__name__,
        is_retryable=False,
    )


def _defaults(planned: PlanNode) -> dict[str, Value]:
    return {name: float(value) if is_number(value) else value for name, value in planned.default_values.items()}
