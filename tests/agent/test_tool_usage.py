"""What tools spend on models themselves counts for whoever called them, whether they fail or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from tidemill.agent.calling import call_tool
from tidemill.agent.task import AgentTool, Call
from tidemill.engine.events import Usage
from tidemill.engine.node import RunInfo
from tidemill.engine.values import Value
from tidemill.ports import ToolCall, ToolFailed, ToolMessage, ToolSpec

SPENT = Usage(prompt_tokens=3, completion_tokens=4, total_tokens=7, total_price="0.1")


class Spends:
    """Spends twice, then answers or fails."""

    spec = ToolSpec(provider="p", name="spends", label="Spends", description="")

    def __init__(self, *, fails: bool) -> None:
        self._fails = fails

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        yield ToolMessage(kind="log", name="workflow", data={}, usage=SPENT)
        yield ToolMessage(kind="log", name="workflow", data={}, usage=SPENT)
        if self._fails:
            raise ToolFailed("the tide is out")
        yield ToolMessage(kind="text", text="done")


@pytest.mark.parametrize("fails", [False, True])
async def test_an_observation_holds_what_its_tool_spent(fails: bool):
    tool = AgentTool(name="spends", tool=Spends(fails=fails))
    circumstances = ToolCall(info=RunInfo(run_id="r"), ports={}, idempotency_key="k")

    seen = await call_tool([tool], Call(id="1", name="spends", arguments="{}"), circumstances)

    assert (seen.error is not None) is fails
    assert seen.usage is not None
    assert (seen.usage.total_tokens, seen.usage.total_price) == (14, "0.2")
