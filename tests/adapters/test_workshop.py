"""Work of tools in processes of its own: what is answered, and what happens to work that goes too far."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio

from tidemill.adapters.workshop import SafeWorkshop, WorkLimits
from tidemill.ports import ToolFailed, WorkFailed
from tidemill.tools.charts import draw
from tidemill.tools.exports import export
from tidemill.tools.markdown import tables

TABLE = "| a |\n|---|\n| 湖 |\n"


@pytest_asyncio.fixture
async def workshop() -> AsyncIterator[SafeWorkshop]:
    made = SafeWorkshop(WorkLimits(time_s=20))
    yield made
    await made.close()


async def test_a_function_of_the_tools_is_called_with_plain_values_and_bytes(workshop: SafeWorkshop):
    assert await workshop.run(tables, TABLE) == [[["a"], ["湖"]]]
    assert (await workshop.run(export, "csv", TABLE, False))[0][2] == "a\r\n湖\r\n".encode("utf-8-sig")


async def test_a_process_is_used_again(workshop: SafeWorkshop):
    assert workshop.processes == []
    await workshop.run(tables, TABLE)
    first = workshop.processes

    await workshop.run(tables, TABLE)

    assert workshop.processes == first


async def test_a_process_ends_when_it_has_been_idle():
    workshop = SafeWorkshop(WorkLimits(idle_s=0))
    await workshop.run(tables, TABLE)
    ending = [psutil.Process(process) for process in workshop.processes]

    for process in ending:
        await asyncio.to_thread(process.wait, 20)

    assert workshop.processes == []
    await workshop.close()


async def test_a_process_ends_after_so_many_works():
    workshop = SafeWorkshop(WorkLimits(works_per_worker=1))

    await workshop.run(tables, TABLE)

    assert workshop.processes == []


async def test_a_refusal_of_the_function_is_a_failure_of_the_tool_and_the_process_goes_on(workshop: SafeWorkshop):
    with pytest.raises(ToolFailed, match="no table"):
        await workshop.run(tables, "text")

    assert await workshop.run(tables, TABLE) == [[["a"], ["湖"]]]
    assert len(workshop.processes) == 1


async def test_only_functions_of_the_tools_are_called(workshop: SafeWorkshop):
    with pytest.raises(ValueError, match="not a function of the tools"):
        await workshop.run(os.getpid)

    assert workshop.processes == []


async def test_work_that_takes_too_long_is_killed():
    workshop = SafeWorkshop(WorkLimits(time_s=1))
    text = "| a | b |\n|---|---|\n" + "| x | y |\n" * 150_000
    try:
        with pytest.raises(WorkFailed, match="longer than 1 seconds"):
            await workshop.run(export, "docx", text, False)

        assert workshop.processes == []
    finally:
        await workshop.close()


@pytest.mark.parametrize("watches", [False, True])
async def test_work_that_needs_too_much_memory_ends_with_a_sentence(watches: bool):
    limits = WorkLimits(time_s=110, memory_bytes=120 * 1024 * 1024)
    workshop = SafeWorkshop(limits, watches_memory=watches)
    text = "| a | b |\n|---|---|\n" + "| xxxxxxxxxx | y |\n" * 60_000
    try:
        with pytest.raises(WorkFailed, match=r"too much memory|without an answer"):
            await workshop.run(export, "xlsx", text, False)
    finally:
        await workshop.close()


async def test_a_process_that_died_while_it_was_idle_is_replaced_without_a_word(workshop: SafeWorkshop):
    await workshop.run(tables, TABLE)
    (first,) = workshop.processes
    os.kill(first, signal.SIGKILL)
    psutil.Process(first).wait()

    assert await workshop.run(tables, TABLE) == [[["a"], ["湖"]]]
    assert first not in workshop.processes


async def test_work_that_is_cancelled_leaves_no_process(workshop: SafeWorkshop):
    text = "| a | b |\n|---|---|\n" + "| x | y |\n" * 150_000
    work = asyncio.ensure_future(workshop.run(export, "docx", text, False))
    while not workshop.processes:
        await asyncio.sleep(0)
    (process,) = workshop.processes

    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    assert workshop.processes == []
    assert not psutil.pid_exists(process)


async def test_many_pieces_of_work_share_few_processes(workshop: SafeWorkshop):
    pictures = await asyncio.gather(*(workshop.run(draw, "bar", [1.0, float(n)], [], "") for n in range(6)))

    assert len(set(pictures)) >= 5
    assert len(workshop.processes) == 2
