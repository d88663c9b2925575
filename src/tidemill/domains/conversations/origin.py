"""What a run of a conversation is given from here, at its start and whenever another process goes on with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import msgspec

from tidemill.domains.conversations.called import CalledWorkflows
from tidemill.domains.conversations.desk import Calling, Desk
from tidemill.domains.conversations.history import GivenHistory, StoredHistory
from tidemill.domains.conversations.keeping import Keeper, Thread
from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.port import RunFiles
from tidemill.domains.files.service import FileOwner
from tidemill.domains.runs.models import Run
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.rows import Begin, Ports, Start, given_of, ticket_of
from tidemill.domains.runs.runner import Observer
from tidemill.domains.runs.ticket import Surface
from tidemill.engine.values import File, Value, plain, revived
from tidemill.ports import Files, History, Http, Tools, Turn


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored with a run: JSON data.

    `variables` are those of the conversation as the run found them: name to id of the row and value. `turns` are the
    earlier exchanges of a caller that keeps them itself: nothing is then written down here. `before` is the message
    before which the history ends, if that is another one than the run's own.
    """

    variables: dict[str, tuple[UUID, Any]] = {}
    turns: list[dict[str, Any]] | None = None
    before: str = ""
    files_url: str = ""
    # Of a workflow that a run calls as a tool: how deep, and the app whose files it shares.
    depth: int = 0
    files_app_id: UUID | None = None

    @classmethod
    def of(cls, turns: Sequence[Turn] | None, variables: Mapping[str, tuple[UUID, Value]], links: FileLinks) -> Kept:
        return cls(
            variables={name: (row_id, plain(value)) for name, (row_id, value) in variables.items()},
            turns=None if turns is None else [_turn_data(turn) for turn in turns],
            files_url=links.base_url,
        )

    def data(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)

    def history(self, desk: Desk, run: Run, begin: Begin) -> History:
        if self.turns is not None:
            return GivenHistory([_turn_of(turn) for turn in self.turns])
        before = self.before or begin.message_id
        if run.conversation_id is None or not before:
            return GivenHistory(())
        return StoredHistory(desk.database, run.conversation_id, before=UUID(before))


class ConversationRuns:
    """Implements `runs.successor.Origin` for every run that somebody starts through this domain."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def observer(self, run: Run, begin: Begin) -> Observer | None:
        kept = msgspec.convert(begin.kept, Kept)
        if kept.turns is not None or not begin.message_id:
            return None
        thread = None
        if run.conversation_id is not None:
            variables = {name: (row_id, revived(value)) for name, (row_id, value) in kept.variables.items()}
            thread = Thread(id=run.conversation_id, is_new=False, variables=variables)
        recorder = self._desk.runner.recorder
        return Keeper(recorder, ticket_of(run, begin), thread, workspace_id=run.workspace_id)

    async def start(self, run: Run, begin: Begin, program: Program) -> Start:
        desk, kept = self._desk, msgspec.convert(begin.kept, Kept)
        inputs, system = given_of(run)
        values = {name: revived(value) for name, (_, value) in kept.variables.items()}
        app_id, creator = kept.files_app_id or run.app_id, begin.creator
        owner = FileOwner(run.workspace_id, app_id, UUID(creator.id), creator.is_account)
        calling = Calling(run.workspace_id, creator, begin.user, cast(Surface, run.source), kept.depth)
        return Start(
            ticket=ticket_of(run, begin),
            program=program,
            pool=program.compiled.pool(inputs, system=system, conversation=values, environment=program.environment),
            inputs=run.inputs,
            ports=ports_for(
                desk, owner, kept.history(desk, run, begin), desk.links.at(kept.files_url), calling=calling
            ),
            source=cast(Surface, run.source),
            user=begin.user,
            kept=begin.kept,
            query=run.query,
            trace_id=run.trace_id,
            preset=begin.preset,
            moderation=None if run.mode == "workflow" else program.compiled.moderation,
        )


def ports_for(
    desk: Desk, owner: FileOwner, history: History, links: FileLinks | None = None, *, calling: Calling
) -> Ports:
    """The outside world of one run."""
    links = links or desk.links
    own = RunFiles(desk.database, desk.storage, desk.http, owner, links, desk.upload_limits)

    def inside(inner: Calling) -> Ports:
        return ports_for(desk, owner, GivenHistory(()), links, calling=inner)

    def kept(inner: Calling) -> Mapping[str, Any]:
        return Kept(files_url=links.base_url, depth=inner.depth, files_app_id=owner.app_id).data()

    tools = desk.tools.of(owner.workspace_id, CalledWorkflows(desk, calling, ports=inside, kept=kept))
    return {Http: desk.http, **desk.runner.ports(owner.workspace_id), Files: own, History: history, Tools: tools}


def _turn_data(turn: Turn) -> dict[str, Any]:
    return {"query": turn.query, "answer": turn.answer, "files": plain(list(turn.files))}


def _turn_of(data: Mapping[str, Any]) -> Turn:
    files = tuple(File.from_wire(file) for file in data["files"])
    return Turn(query=data["query"], answer=data["answer"], files=files)
