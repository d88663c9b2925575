"""Real files with containers and lists, in this process, against a real sandbox and scripted tools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.conftest import FILES
from tidemill.adapters.sandbox.sandbox import CodeSandbox
from tidemill.dsl import compile, read
from tidemill.engine.events import ContainerAdvanced, Event, RunFinished, TextDelta
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Run
from tidemill.engine.values import Value
from tidemill.ports import Sandbox, Tool, ToolCall, ToolMessage, ToolParameter, ToolRef, Tools, ToolSpec


class Search:
    """A tool that always finds the same."""

    spec = ToolSpec(
        provider="p", name="search", label="Search", description="", parameters=(ToolParameter(name="query"),)
    )

    async def call(self, arguments: Mapping[str, Value], call: ToolCall) -> AsyncIterator[ToolMessage]:
        del arguments, call
        yield ToolMessage(kind="text", text="mocked search result")


class OneTool:
    async def find(self, ref: ToolRef) -> Tool:
        del ref
        return Search()


async def outcome(name: str, folder: Path, query: str = "") -> tuple[RunFinished, list[Event]]:
    app = compile(read((FILES / name).read_bytes()))
    journal, sandbox = MemoryJournal(), CodeSandbox(folder)
    run = Run(
        app.graph,
        app.pool(app.start_inputs({}), system={"query": query}),
        info=RunInfo(run_id="r"),
        ports={Sandbox: sandbox, Tools: OneTool()},
        journal=journal,
        root_id=app.start_id,
    )
    try:
        return await run.execute(), journal.events
    finally:
        await sandbox.close()


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("loop-increment-break.yml", {"num": 5}),
        ("synthetic-loop-assigner.yml", {"num": 2}),
        ("synthetic-list-operator.yml", {"items": [1, 2]}),
        ("iteration-flatten-enabled.yml", {"output": [1, 2, 2, 4, 3, 6]}),
        ("iteration-flatten-disabled.yml", {"output": [[1, 2], [2, 4], [3, 6]]}),
    ],
)
async def test_a_file_gives_its_expected_outputs(tmp_path: Path, name: str, outputs: dict[str, Any]):
    finished, _ = await outcome(name, tmp_path)

    assert (finished.status, finished.error) == ("succeeded", None)
    assert finished.outputs == outputs


async def test_a_conversation_variable_written_in_an_iteration_is_there_after_it(tmp_path: Path):
    finished, _ = await outcome("iteration-updates-conversation-variable.yml", tmp_path, query="What is up?")

    assert finished.answer == finished.outputs["answer"] == "What is up?"


async def test_a_loops_list_is_told_as_one_piece_when_it_completes(tmp_path: Path):
    finished, events = await outcome("loop-search-years.yml", tmp_path, query="any")

    assert finished.answer == "- mocked search result\n- mocked search result"
    assert [event.text for event in events if isinstance(event, TextDelta)] == [finished.answer]
    assert [event.index for event in events if isinstance(event, ContainerAdvanced)] == [1]
