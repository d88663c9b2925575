"""How runs are written down: few statements, together, and none lost by a neighbour's fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import event, select

from support.installation import Installation
from support.served import Served, chatflow, workflow
from tidemill.domains.runs import service as runs
from tidemill.domains.runs.journal_codec import pack, unpack
from tidemill.domains.runs.live import BATCHES
from tidemill.domains.runs.models import RunEventBatch
from tidemill.domains.runs.recorder import JournalFailed, Recorder
from tidemill.domains.runs.writers import ThreadWriter
from tidemill.engine.events import NodeStarted, RunFinished, TextDelta

LOOKS = ("SELECT run_executor.id, run_executor.host", "SELECT DISTINCT run.executor_id", "SELECT run.id \nFROM run \n")


@pytest_asyncio.fixture
async def recorder(installation: Installation) -> AsyncGenerator[Recorder]:
    recording = Recorder(installation.app.state.database)
    recording.start()
    yield recording
    await recording.close()


def test_events_come_back_as_they_were():
    node = NodeStarted(seq=1, at=1.0, execution_id="x", node_id="n", node_type="llm", title="L", index=1)
    texts = [TextDelta(seq=n, at=n / 10, node_id="n", text=f"t{n}", selector=("n", "text")) for n in range(2, 200)]
    literal = TextDelta(seq=200, at=21.0, node_id="answer", text="!", selector=None)
    events = [node, *texts, literal]

    packed = pack(events)

    assert unpack(packed) == events
    assert len(packed) < 2_000


def test_text_that_no_database_holds_does_not_cost_the_run_its_journal():
    events = [TextDelta(seq=1, at=1.0, node_id="n", text="a\ud83d", selector=None)]

    assert unpack(pack(events))[0].seq == 1


async def test_a_small_run_takes_few_statements_and_none_for_further_pure_nodes(served: Served):
    import engine_graphs as graphs

    short, long = await served.publish(graphs.small()), await served.publish(graphs.chain(50, "aggregator"))
    for app in (short, long):
        await app.run({"x": "a"})
    statements: list[str] = []
    _count(served, statements)

    await short.run({"x": "a"})
    of_short = len(statements)
    statements.clear()
    await long.run({"x": "a"})

    assert of_short <= 12, statements
    assert len(statements) <= of_short


def _count(served: Served, statements: list[str]) -> None:
    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        del connection, cursor, rest
        # Once a second every process looks for runs of others: that is no part of a run.
        if not any(statement.startswith(look) for look in LOOKS):
            statements.append(statement)

    event.listen(served.desk.database.engine.sync_engine, "before_cursor_execute", note)
    writer = served.desk.runner.recorder.writer
    if isinstance(writer, ThreadWriter):
        event.listen(writer.engine, "before_cursor_execute", note)


async def test_a_run_that_cannot_be_stored_does_not_take_others_with_it(served: Served, recorder: Recorder):
    app = await served.publish(workflow())
    run_id = UUID((await app.run({"x": "a"})).json()["workflow_run_id"])
    lost = uuid4()
    recorder.insert(lost, BATCHES, {"run_id": lost, "first_seq": 1, "last_seq": 1, "payload": b"x"})
    recorder.insert(run_id, BATCHES, {"run_id": run_id, "first_seq": 900, "last_seq": 900, "payload": b"y"})

    outcomes = await asyncio.gather(recorder.settle(lost), recorder.settle(run_id), return_exceptions=True)

    assert isinstance(outcomes[0], JournalFailed)
    assert outcomes[1] is None
    async with served.desk.database.session() as db:
        stored = (await db.scalars(select(RunEventBatch.payload).where(RunEventBatch.first_seq == 900))).all()
    assert stored == [b"y"]


async def test_the_journal_holds_every_event_of_a_run_in_order(served: Served):
    app = await served.publish(chatflow())
    answer = await app.chat(response_mode="streaming")

    async with served.desk.database.session() as db:
        journal = await runs.events(db, served.owner.member, UUID(answer.events[0]["workflow_run_id"]))

    assert [entry.seq for entry in journal] == list(range(1, len(journal) + 1))
    assert isinstance(journal[-1], RunFinished)
    texts = [entry.text for entry in journal if isinstance(entry, TextDelta)]
    assert texts == [entry["answer"] for entry in answer.events if entry["event"] == "message"]


@pytest.mark.parametrize("limit", [1])
async def test_an_app_over_its_limit_is_answered_429(served: Served, limit: int):
    app = await served.publish(chatflow("mock-hang3"))
    served.desk.runner.max_active = limit

    async with app.stream("/chat-messages", {"query": "hi"}) as stream:
        text = await stream.until("message")
        refused = await app.chat()
        await app.post(f"/chat-messages/{text['task_id']}/stop", {"user": "ada"})
        await stream.rest()
    served.models.reset()
    async with app.stream("/chat-messages", {"query": "hi"}) as stream:
        text = await stream.until("message")
        await app.post(f"/chat-messages/{text['task_id']}/stop", {"user": "ada"})
        await stream.rest()

    assert (refused.status, refused.json()["code"]) == (429, "too_many_requests")
