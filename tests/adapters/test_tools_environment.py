"""Tools of runs without a server."""

import pytest

from tidemill.adapters.tools import EnvironmentTools
from tidemill.engine.node import RunInfo
from tidemill.ports import ToolCall, ToolMissing, ToolRef

CALL = ToolCall(info=RunInfo(run_id="run"), ports={}, idempotency_key="k")


async def test_built_in_tools_are_there_under_the_spellings_of_files():
    tools = EnvironmentTools({})

    for provider in ("time", "langgenius/time/time"):
        tool = await tools.find(ToolRef(kind="builtin", provider=provider, name="current_time"))
        assert tool.spec.name == "current_time"


async def test_a_provider_named_only_by_its_name_is_found():
    tool = await EnvironmentTools({}).find(ToolRef(kind="plugin", provider="", provider_name="time", name="weekday"))

    assert tool.spec.provider == "time"


@pytest.mark.parametrize("kind", ["api", "mcp", "workflow", "builtin"])
async def test_what_only_a_server_has_is_refused_naming_it(kind: str):
    ref = ToolRef(kind=kind, provider="acme", name="look")  # type: ignore[arg-type]

    with pytest.raises(ToolMissing, match=r"acme.*look"):
        await EnvironmentTools({}).find(ref)


async def test_a_credential_comes_from_its_variable():
    ref = ToolRef(kind="builtin", provider="tavily", name="tavily_search")

    with_key = await EnvironmentTools({"TAVILY_API_KEY": "k"}).find(ref)
    without = await EnvironmentTools({}).find(ref)

    # The key is there: what is missing next is a connection.
    with pytest.raises(Exception, match="no http"):
        await anext(aiter(with_key.call({"query": "x"}, CALL)))
    with pytest.raises(ToolMissing, match="TAVILY_API_KEY"):
        await anext(aiter(without.call({"query": "x"}, CALL)))
