"""Builds the messages of the LLM node from its configuration, the run's variables and the conversation.

Rules: reference `workflow-dsl.md`, section 5.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidemill.engine.errors import NodeFailed, VariableNotFound
from tidemill.engine.node import Context
from tidemill.engine.templates import TextSegment, parse
from tidemill.engine.values import File, Missing, Selector, Value, plain, to_text
from tidemill.llm.budget import LEAST_ANSWER, USUAL_ANSWER
from tidemill.llm.prompt import (
    ContextInvalid,
    context_text,
    history_text,
    is_empty,
    message_of,
    passages_of,
    template_text,
    with_media,
)
from tidemill.llm.types import ChatModel, ChatRequest, MediaPart, Message, Part, Role, TextPart
from tidemill.nodes._prompt_settings import PromptSettings, PromptText
from tidemill.nodes._recall import Recall, files_in
from tidemill.nodes._shapes import Memory
from tidemill.ports import TemplateFailed, Templates

MAX_JINJA_CHARS = 400_000
_CONTEXT = "{{#context#}}"


class Prompt(msgspec.Struct, kw_only=True):
    """What the model is sent, with the passages it was given and the history left out of a single text."""

    messages: tuple[Message, ...]
    passages: list[dict[str, Any]] = []
    inputs: dict[str, Any] = {}
    trimmed: tuple[int, int] = (0, 0)


async def build_prompt(settings: PromptSettings, ctx: Context, model: ChatModel, *, max_tokens: int | None) -> Prompt:
    """Assemble the prompt.

    Raises:
        NodeFailed: A variable is missing, a file cannot be read, a template is wrong, or nothing is left to say.
    """
    return await _Assembly(settings, ctx, model).build(max_tokens)


class _Assembly:
    def __init__(self, settings: PromptSettings, ctx: Context, model: ChatModel) -> None:
        self._settings = settings
        self._ctx = ctx
        self._model = model
        self._inputs: dict[str, Any] = {}
        self._recall = Recall(ctx, model, settings.vision)
        self._context = ""
        self._passages: list[dict[str, Any]] = []

    async def build(self, max_tokens: int | None) -> Prompt:
        self._read_context()
        history = await self._recall.history(self._settings.memory)
        template = self._settings.prompt_template
        trimmed = (0, 0)
        if isinstance(template, PromptText):
            messages, trimmed = await self._completion(template, history, max_tokens)
        else:
            messages = await self._chat(template, history)
        messages = with_media(messages, await self._vision_media())
        messages = [message for message in messages if not is_empty(message)]
        if not messages:
            raise NodeFailed(
                "No prompt found in the LLM configuration: every message is empty. Write a prompt.",
                error_type="NoPromptFoundError",
                is_retryable=False,
            )
        return Prompt(messages=tuple(messages), passages=self._passages, inputs=self._inputs, trimmed=trimmed)

    # ------------------------------------------------------------ the two forms

    async def _chat(self, template: Sequence[PromptText], history: Sequence[Message]) -> list[Message]:
        messages = [await self._message(item) for item in template]
        memory = self._settings.memory
        if memory is None:
            return messages
        query = await self._text_message("user", memory.query_prompt_template or "{{#sys.query#}}")
        return [*messages, *history, query]

    async def _message(self, item: PromptText) -> Message:
        if item.is_jinja:
            return message_of(item.role, await self._jinja(item.jinja2_text))
        return await self._text_message(item.role, item.text)

    async def _text_message(self, role: Role, text: str) -> Message:
        parts: list[Part] = []
        buffer: list[str] = []
        for piece in self._render(text):
            if isinstance(piece, str):
                buffer.append(piece)
            elif media := await self._recall.media(piece):
                if said := "".join(buffer):
                    parts.append(TextPart(said))
                parts.append(media)
                buffer = []
        said = "".join(buffer)
        if not parts:
            return Message(role=role, content=said)
        return Message(role=role, content=(*parts, TextPart(said)) if said else tuple(parts))

    async def _completion(
        self, item: PromptText, history: Sequence[Message], max_tokens: int | None
    ) -> tuple[list[Message], tuple[int, int]]:
        memory = self._settings.memory
        text = await self._jinja(item.jinja2_text) if item.is_jinja else None

        def message(turns: Sequence[Message]) -> Message:
            return Message(role="user", content=self._completion_text(item, text, turns, memory))

        if not history:
            return [message(history)], (0, 0)
        kept = self._fitting(history, message, max_tokens)
        dropped = len(history) - len(kept)
        freed = self._count(message(history)) - self._count(message(kept)) if dropped else 0
        return [message(kept)], (dropped, freed)

    def _completion_text(
        self, item: PromptText, rendered: str | None, turns: Sequence[Message], memory: Memory | None
    ) -> str:
        source = item.jinja2_text if rendered is not None else item.text
        histories = ""
        if memory is not None:
            prefix = memory.role_prefix
            histories = history_text(
                turns, user=str(prefix.get("user") or ""), assistant=str(prefix.get("assistant") or "")
            )
        special = {"{{#histories#}}": histories, "#histories#": histories}
        if memory is not None:
            query = self._ctx.find(("sys", "query"))
            asked = "" if isinstance(query, Missing) else to_text(query)
            special |= {"{{#sys.query#}}": asked, "#sys.query#": asked}
        text = _replace(source if rendered is None else rendered, special, self._plain if rendered is None else str)
        if histories and "#histories#" not in source:
            return f"{histories}\n{text}"
        return text

    def _fitting(self, history: Sequence[Message], message: Any, max_tokens: int | None) -> Sequence[Message]:
        """Drop the oldest messages until the text fits; the newest one stays. Halving, as counting costs time."""
        window = self._model.facts.window_tokens
        room = window - max(LEAST_ANSWER, max_tokens or min(USUAL_ANSWER, window // 4))
        low, high = 0, len(history) - 1
        while low < high:
            middle = (low + high) // 2
            if self._count(message(history[middle:])) <= room:
                high = middle
            else:
                low = middle + 1
        return history[low:]

    def _count(self, message: Message) -> int:
        return self._model.count(ChatRequest(messages=(message,)))

    # ------------------------------------------------------------ texts

    def _render(self, text: str) -> list[str | File]:
        """The pieces of a basic text: strings, and files where a variable holds some."""
        pieces: list[str | File] = []
        for index, chunk in enumerate(text.split(_CONTEXT)):
            if index:
                pieces.append(self._context)
            for segment in parse(chunk):
                if isinstance(segment, TextSegment):
                    pieces.append(segment.text)
                else:
                    pieces.extend(_text_or_files(self._value(segment.selector)))
        return pieces

    def _plain(self, text: str) -> str:
        return "".join(piece for piece in self._render(text) if isinstance(piece, str))

    def _value(self, selector: Selector) -> Value:
        value = self._ctx.find(selector)
        if isinstance(value, Missing):
            raise VariableNotFound(selector)
        self._inputs[f"#{'.'.join(selector)}#"] = value
        return value

    async def _jinja(self, source: str) -> str:
        bindings = self._settings.prompt_config.jinja2_variables
        values = {binding.variable: template_text(plain(self._value(binding.value_selector))) for binding in bindings}
        try:
            return await self._ctx.port(Templates).render(source, values, max_chars=MAX_JINJA_CHARS)
        except TemplateFailed as error:
            raise NodeFailed(str(error), error_type="TemplateRenderError", is_retryable=False) from error

    # ------------------------------------------------------------ context, history, files

    def _read_context(self) -> None:
        choice = self._settings.context
        if not choice.enabled or not choice.variable_selector:
            return
        value = self._ctx.find(choice.variable_selector)
        if isinstance(value, Missing) or value is None:
            return
        try:
            self._context = context_text(value)
        except ContextInvalid as error:
            raise NodeFailed(str(error), error_type="InvalidContextStructureError", is_retryable=False) from error
        self._inputs["#context#"] = self._context
        self._passages = passages_of(value)

    async def _vision_media(self) -> list[MediaPart]:
        if not self._settings.vision.enabled:
            return []
        files = self._recall.vision_files()
        files += [file for passage in self._passages for file in files_in(passage.get("files"))]
        if files:
            self._inputs["#files#"] = files
        return await self._recall.media_of(files)


def _text_or_files(value: Value) -> Sequence[str | File]:
    files = files_in(value)
    return files or [to_text(value)]


def _replace(text: str, special: Mapping[str, str], render: Any) -> str:
    """Replace special tokens, rendering only what lies between them: replaced text is never expanded again."""
    for token, value in special.items():
        head, found, tail = text.partition(token)
        if found:
            return _replace(head, special, render) + value + _replace(tail, special, render)
    return render(text)
