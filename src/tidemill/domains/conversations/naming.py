"""Names for conversations and follow-up questions, by the app's model. Either may fail without anybody noticing."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import cast
from uuid import UUID

import json_repair
from sqlalchemy import update

from tidemill.domains.conversations.desk import Desk
from tidemill.domains.conversations.history import newest_branch
from tidemill.domains.conversations.models import Conversation
from tidemill.domains.runs.programs import Program
from tidemill.llm.errors import ModelError
from tidemill.llm.types import ChatRequest, Message, ModelRef
from tidemill.ports import Models

MAX_NAME = 75
MAX_QUESTION = 2_000
QUESTIONS = 3
HISTORY_TURNS = 3
MAX_HISTORY_TOKENS = 3_000

NAME_PROMPT = (
    "Give a short title, at most eight words, to a conversation that begins with the message below. "
    "Write it in the language of the message. Answer with the title alone: no quotes, no full stop.\n\n"
)
QUESTIONS_PROMPT = (
    "Here is the latest part of a conversation between a user and an assistant. Think of three short questions the "
    "user is likely to ask next, each at most twenty words, in the user's language. "
    'Answer with a JSON array of three strings and nothing else, such as ["...", "...", "..."].\n\n'
)

_log = logging.getLogger(__name__)


async def name_conversation(desk: Desk, program: Program, conversation_id: UUID, query: str) -> str | None:
    """Name a conversation after its first message and return the name; None when the model gave none."""
    name = " ".join((await _ask(desk, program, NAME_PROMPT + _shortened(query), max_tokens=64) or "").split())
    name = name.strip("\"'“”「」《》 ")
    if not name:
        return None
    if len(name) > MAX_NAME:
        name = f"{name[:MAX_NAME]}..."
    async with desk.database.session() as db:
        condition = Conversation.workspace_id == program.workspace_id, Conversation.id == conversation_id
        await db.execute(update(Conversation).where(*condition).values(name=name))
    return name


async def suggest_questions(desk: Desk, program: Program, conversation_id: UUID) -> list[str]:
    """Up to three questions that could come next; empty when the model gave none."""
    async with desk.database.session() as db:
        turns = await newest_branch(db, conversation_id, limit=HISTORY_TURNS)
    text = "\n".join(f"User: {turn.query}\nAssistant: {turn.answer}" for turn in turns)
    # Four characters are at most about one token of English; for denser scripts the model's own budget trims.
    answer = await _ask(desk, program, QUESTIONS_PROMPT + text[-MAX_HISTORY_TOKENS * 4 :], max_tokens=256)
    return _questions(answer or "")


def _questions(answer: str) -> list[str]:
    start, end = answer.find("["), answer.rfind("]")
    if start < 0 or end < start:
        return []
    try:
        found = json.loads(answer[start : end + 1])
    except ValueError:
        found = json_repair.loads(answer[start : end + 1])
    if not isinstance(found, list):
        return []
    return [item.strip() for item in found if isinstance(item, str) and item.strip()][:QUESTIONS]


def model_refs(program: Program) -> Sequence[ModelRef]:
    """The chat models an app names, in the order of its nodes."""
    return [use.ref for use in program.compiled.models if use.kind == "chat"]


async def _ask(desk: Desk, program: Program, prompt: str, *, max_tokens: int) -> str | None:
    models = cast(Models, desk.runner.ports(program.workspace_id)[Models])
    refs = model_refs(program)
    if not refs:
        return None
    request = ChatRequest(
        messages=(Message(role="user", content=prompt),), max_tokens=max_tokens, params={"temperature": 0}
    )
    try:
        model = await models.chat(refs[0])
        fitted = model.fit(request)
        return "".join([delta.text async for delta in model.stream(fitted)])
    except ModelError as error:
        _log.info("A helper call to the model gave nothing: %s", error)
        return None


def _shortened(query: str) -> str:
    """Very long messages lose their middle."""
    if len(query) <= MAX_QUESTION:
        return query
    half = MAX_QUESTION // 2
    return f"{query[:half]}\n[...]\n{query[-half:]}"
