"""Asks a model whether a file that an agent made is what its author wants (`declared_outputs[].check`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidemill.engine.node import Context
from tidemill.engine.values import File, Value
from tidemill.llm.prompt import message_of
from tidemill.llm.reasoning import split_reasoning
from tidemill.llm.types import ChatDelta, ChatModel, ChatRequest, Message
from tidemill.nodes._agent_outputs import DeclaredOutput, Fault
from tidemill.nodes._chat import ask, fit
from tidemill.nodes._recall import Recall
from tidemill.nodes._shapes import Vision

_RULES = (
    "You check a file that somebody made. Compare it with the requirement. Answer with the single word PASS when the "
    "requirement is met; otherwise answer FAIL and one sentence that says what is wrong."
)


async def passes(
    ctx: Context, model: ChatModel, outputs: Sequence[DeclaredOutput], values: Mapping[str, Value]
) -> list[Fault]:
    """The files that their checks refuse. Raises `NodeFailed` when the model cannot be asked."""
    faults: list[Fault] = []
    for output in outputs:
        file = values.get(output.name)
        if output.wants_check and isinstance(file, File):
            verdict = await _verdict(ctx, model, str(output.check["prompt"]), file)
            if not verdict.upper().startswith("PASS"):
                faults.append(Fault(output, f"its check says: {verdict[:200] or 'nothing'}"))
    return faults


async def _verdict(ctx: Context, model: ChatModel, requirement: str, file: File) -> str:
    media = await Recall(ctx, model, Vision(enabled=True)).media_of([file])
    facts = f"File: {file.filename}, {file.mime_type or 'unknown kind'}, {file.size_bytes} bytes."
    text = f"Requirement: {ctx.render(requirement)}\n\n{facts}"
    messages = (Message(role="system", content=_RULES), message_of("user", text, media))
    said: list[str] = []

    async def take(delta: ChatDelta) -> None:
        said.append(delta.text)

    await ask(ctx, model, fit(model, ChatRequest(messages=messages)), take)
    return split_reasoning("".join(said))[0].strip()
