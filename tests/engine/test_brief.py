"""Nodes that usually have their result at once, and get a task only when they have not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from engine.probes import Gates, edges, node
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import Event, NodeFinished, NodeStarted
from tidemill.engine.node import Context, Node, NodeConfig
from tidemill.engine.scheduler import Limits
from tidemill.engine.testing import run_graph


class QuickConfig(NodeConfig):
    needs_time: bool = False
    fails: bool = False


class Quick(Node[QuickConfig, dict[str, Any]]):
    type = "probe-quick"
    title = "Quick"
    is_brief = True

    async def run(self, ctx: Context) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"output": f"later, place taken: {ctx.port(Gates).running}"}

    def run_now(self, ctx: Context) -> dict[str, Any] | None:
        del ctx
        if self.config.fails:
            raise NodeFailed("Too quick.", error_type="QuickFailed")
        return None if self.config.needs_time else {"output": "at once"}


def told(events: Sequence[Event], node_id: str) -> list[str]:
    mine = [event for event in events if isinstance(event, NodeStarted | NodeFinished) and event.node_id == node_id]
    return [type(event).__name__ for event in mine]


async def test_a_result_that_is_there_at_once_is_taken():
    result = await run_graph([node("s", "begin"), node("q", "quick")], edges("s > q"), ports={Gates: Gates()})

    assert [event.outputs for event in result.nodes("q")] == [{"output": "at once"}]
    assert result.finished.total_steps == 2


async def test_a_result_that_needs_time_is_waited_for_and_told_once():
    nodes = [node("s", "begin"), node("q", "quick", needs_time=True)]

    result = await run_graph(nodes, edges("s > q"), ports={Gates: Gates()})

    assert [event.outputs for event in result.nodes("q")] == [{"output": "later, place taken: 0"}]
    assert told(result.events, "q") == ["NodeStarted", "NodeFinished"]
    assert result.finished.total_steps == 2


async def test_a_failure_at_once_fails_the_run():
    result = await run_graph(
        [node("s", "begin"), node("q", "quick", fails=True)], edges("s > q"), ports={Gates: Gates()}
    )

    assert (result.finished.status, result.finished.error_type) == ("failed", "QuickFailed")


async def test_such_nodes_count_as_steps():
    nodes = [node("s", "begin"), *(node(f"q{number}", "quick") for number in range(5))]
    chain = "s > q0 > q1 > q2 > q3 > q4"

    result = await run_graph(nodes, edges(chain), ports={Gates: Gates()}, limits=Limits(max_steps=3))

    assert (result.finished.error_type, result.finished.total_steps) == ("MaxStepsReached", 3)
