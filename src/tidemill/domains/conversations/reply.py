"""Starts the reply to a message: checks, rows, ports, and the run itself."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.conversations.desk import Asker, Desk
from tidemill.domains.conversations.errors import ConversationNotFound, FieldInvalid
from tidemill.domains.conversations.history import GivenHistory, StoredHistory
from tidemill.domains.conversations.keeping import Keeper, Thread, queue_message, queue_thread
from tidemill.domains.conversations.models import Conversation, ConversationVariable
from tidemill.domains.conversations.origin import Kept, ports_for
from tidemill.domains.files import service as files
from tidemill.domains.runs.errors import InputRefused
from tidemill.domains.runs.live import LiveRun
from tidemill.domains.runs.programs import Program
from tidemill.domains.runs.rows import Start
from tidemill.domains.runs.ticket import Ticket
from tidemill.dsl import CompiledApp, InputField
from tidemill.engine.errors import InputInvalid
from tidemill.engine.values import File, Value, plain
from tidemill.kit.db import new_id
from tidemill.ports import History, Turn


@dataclass(frozen=True)
class Order:
    """What is asked of an app. `turns` are earlier exchanges of a caller that keeps them itself."""

    inputs: Mapping[str, Any]
    query: str = ""
    files: Sequence[Mapping[str, Any]] = ()
    conversation_id: UUID | None = None
    trace_id: str | None = None
    turns: Sequence[Turn] | None = None


@dataclass
class Reply:
    """A started reply: its run, and whether it opened a conversation."""

    live: LiveRun
    query: str
    is_new: bool = False


async def start_message(desk: Desk, asker: Asker, program: Program, order: Order) -> Reply:
    """Begin the reply of a chat, agent-chat or chatflow app.

    Raises:
        ConversationNotFound: The conversation is not this asker's.
        InputRefused, FieldInvalid, FileRefused: What was sent cannot be used.
    """
    query = order.query.replace("\0", "")
    if not query.strip():
        raise FieldInvalid("`query` is empty. Send the user's message.", params="query")
    thread = await _thread(desk, asker, order)
    inputs, used = await read_inputs(desk, asker, program.compiled, order, defaults=thread.inputs or None)
    message_id, ticket_id = new_id(), new_id()
    preset = _preset(program, query, inputs)
    ticket = _ticket(
        asker, program, ticket_id, conversation_id=thread.id, message_id=message_id, is_preset=preset is not None
    )
    recorder = desk.runner.recorder
    keeper = Keeper(recorder, ticket, thread, workspace_id=asker.workspace_id)
    if order.turns is None:
        queue_thread(recorder, asker, ticket, program.compiled, thread, inputs, query)
        queue_message(recorder, asker, ticket, inputs, query, used)
        history: History = StoredHistory(desk.database, thread.id, before=message_id)
    else:
        history = GivenHistory(order.turns)
    system = {
        "query": query,
        "files": used,
        "conversation_id": str(thread.id),
        "user_id": asker.user,
        "dialogue_count": thread.turn,
        "app_id": ticket.app_id,
        "workflow_id": ticket.workflow_id,
        "workflow_run_id": ticket.run_id,
    }
    values = {name: value for name, (_, value) in thread.variables.items()}
    start = Start(
        ticket=ticket,
        program=program,
        pool=program.compiled.pool(inputs, system=system, conversation=values, environment=program.environment),
        inputs=shown_inputs(inputs, system),
        ports=ports_for(desk, asker.file_owner, history, calling=asker.calling),
        source=asker.surface,
        user=asker.user,
        kept=Kept.of(order.turns, thread.variables, desk.links).data(),
        query=query,
        trace_id=order.trace_id,
        preset=preset,
        moderation=program.compiled.moderation,
    )
    live = desk.runner.start(start, keeper if order.turns is None else None)
    # A message that no model may read is not named by one either.
    return Reply(live, query, is_new=thread.is_new and preset is None)


async def start_completion(desk: Desk, asker: Asker, program: Program, order: Order) -> Reply:
    """Begin the answer of a completion app: a message without a conversation."""
    query = order.query.replace("\0", "") or str(order.inputs.get("query") or "")
    inputs, used = await read_inputs(desk, asker, program.compiled, order)
    preset = _preset(program, query, inputs)
    ticket = _ticket(asker, program, new_id(), message_id=new_id(), is_preset=preset is not None)
    system = {
        "query": query,
        "files": used,
        "user_id": asker.user,
        "app_id": ticket.app_id,
        "workflow_id": ticket.workflow_id,
        "workflow_run_id": ticket.run_id,
    }
    recorder, is_kept = desk.runner.recorder, order.turns is None
    if is_kept:
        queue_message(recorder, asker, ticket, inputs, query, used)
    start = Start(
        ticket=ticket,
        program=program,
        pool=program.compiled.pool(inputs, system=system, environment=program.environment),
        inputs=shown_inputs(inputs, system),
        ports=ports_for(desk, asker.file_owner, GivenHistory(()), calling=asker.calling),
        source=asker.surface,
        user=asker.user,
        kept=Kept.of(order.turns, {}, desk.links).data(),
        query=query,
        trace_id=order.trace_id,
        preset=preset,
        moderation=program.compiled.moderation,
    )
    keeper = Keeper(recorder, ticket, None, workspace_id=asker.workspace_id) if is_kept else None
    return Reply(desk.runner.start(start, keeper), query)


async def start_workflow(desk: Desk, asker: Asker, program: Program, order: Order) -> LiveRun:
    """Begin a run of a workflow app."""
    inputs, used = await read_inputs(desk, asker, program.compiled, order)
    ticket = _ticket(asker, program, new_id())
    system: dict[str, Value] = {
        "files": list[Any](used),
        "user_id": asker.user,
        "app_id": ticket.app_id,
        "workflow_id": ticket.workflow_id,
        "workflow_run_id": ticket.run_id,
    }
    if program.compiled.trigger is not None:
        system["timestamp"] = int(time.time())
    start = Start(
        ticket=ticket,
        program=program,
        pool=program.compiled.pool(inputs, system=system, environment=program.environment),
        inputs=shown_inputs(inputs, system),
        ports=ports_for(desk, asker.file_owner, GivenHistory(()), calling=asker.calling),
        source=asker.surface,
        user=asker.user,
        kept=Kept.of(order.turns, {}, desk.links).data(),
        query=order.query,
        trace_id=order.trace_id,
    )
    return desk.runner.start(start)


async def read_inputs(
    desk: Desk, asker: Asker, compiled: CompiledApp, order: Order, *, defaults: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[Any]]:
    """The start inputs and the message's files, validated, with uploads looked up and marked as used.

    Raises:
        InputRefused: The app's form or its settings for files do not take what was sent.
        FileRefused: A file cannot be had.
    """
    raw = dict(order.inputs)
    named = [field_ for field_ in compiled.inputs if field_.type in ("file", "file-list") and raw.get(field_.variable)]
    try:
        sent = _sent(desk, compiled, order.files)
        lists = [(field_, _sent_to_field(desk, field_, raw[field_.variable])) for field_ in named]
        if not sent and not lists:
            return compiled.start_inputs(raw, defaults_from=defaults), []
        async with desk.database.session() as db:
            found: list[File] = []
            for field_, references in lists:
                resolved = await _resolved(desk, db, asker, references)
                raw[field_.variable] = resolved if field_.type == "file-list" else next(iter(resolved), None)
                found += resolved
            used = await _resolved(desk, db, asker, sent)
            compiled.uploads.check(used)
            inputs = compiled.start_inputs(raw, defaults_from=defaults)
            # Only now: what was refused stays as private as it was.
            await files.attach(db, [*found, *used])
        return inputs, used
    except InputInvalid as error:
        raise InputRefused(str(error), params=error.variable) from error


def _sent(desk: Desk, compiled: CompiledApp, references: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The files of a message, counted before any of them is asked for."""
    named = files.naming(references)
    compiled.uploads.check_count(len(named))
    if not compiled.uploads.max_files and len(named) > desk.max_files:
        raise FieldInvalid(f"At most {desk.max_files} files can be sent at once.", params="files")
    return named


def _sent_to_field(desk: Desk, field: InputField, value: Any) -> Sequence[Mapping[str, Any]]:
    """The files of an input, counted before any of them is asked for."""
    named = files.naming(
        [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Mapping)]
    )
    limit = (field.max_length or desk.max_files) if field.type == "file-list" else 1
    if len(named) > limit:
        claim = f"must be a list of at most {limit} files" if field.type == "file-list" else "must be one file"
        raise InputInvalid(f"`{field.variable}` in input form {claim}", variable=field.variable)
    return named


async def _resolved(desk: Desk, db: AsyncSession, asker: Asker, references: Sequence[Mapping[str, Any]]) -> list[File]:
    return await files.resolve(db, asker.file_owner, references, links=desk.links, http=desk.http)


def shown_inputs(inputs: Mapping[str, Any], system: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as the first event shows them."""
    return plain({**inputs, **{f"sys.{name}": value for name, value in system.items()}})


async def _thread(desk: Desk, asker: Asker, order: Order) -> Thread:
    if order.conversation_id is None:
        return Thread(new_id())
    async with desk.database.session() as db:
        conversation = await own_conversation(db, asker, order.conversation_id)
        query = select(ConversationVariable).where(
            ConversationVariable.workspace_id == asker.workspace_id,
            ConversationVariable.conversation_id == conversation.id,
        )
        rows = (await db.scalars(query)).all()
    return Thread(
        id=conversation.id,
        turn=conversation.turn_count + 1,
        is_new=False,
        inputs=conversation.inputs,
        variables={row.name: (row.id, row.value) for row in rows},
    )


async def own_conversation(db: AsyncSession, asker: Asker, conversation_id: UUID) -> Conversation:
    """A conversation of this asker. Raises `ConversationNotFound` for everybody else's."""
    query = select(Conversation).where(
        Conversation.workspace_id == asker.workspace_id,
        Conversation.app_id == asker.app_id,
        Conversation.id == conversation_id,
        Conversation.end_user_id == asker.end_user_id,
        Conversation.account_id == asker.account_id,
    )
    conversation = (await db.scalars(query)).first()
    if conversation is None:
        raise ConversationNotFound("There is no such conversation of this user.")
    return conversation


def _preset(program: Program, query: str, inputs: Mapping[str, Any]) -> str | None:
    """What the app answers when the message or the form holds a word that it refuses to read."""
    moderation = program.compiled.moderation
    if moderation is None or moderation.input_answer is None:
        return None
    texts = [query, *(value for value in inputs.values() if isinstance(value, str))]
    return moderation.input_answer if moderation.finds(texts) else None


def _ticket(
    asker: Asker,
    program: Program,
    run_id: UUID,
    *,
    conversation_id: UUID | None = None,
    message_id: UUID | None = None,
    is_preset: bool = False,
) -> Ticket:
    return Ticket(
        task_id=str(new_id()),
        run_id=str(run_id),
        app_id=str(asker.app_id),
        workflow_id=str(program.workflow_id),
        mode=program.mode,
        creator=asker.creator,
        created_at=int(time.time()),
        conversation_id=str(conversation_id or ""),
        message_id=str(message_id or ""),
        is_preset=is_preset,
    )
