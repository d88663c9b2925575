"""What a model is shown beside its instructions: the conversation so far, and files.

Rules: reference `workflow-dsl.md`, sections 5.4 (history, vision) and 7.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context
from tidemill.engine.values import File, Missing, as_file
from tidemill.llm.prompt import is_empty, message_of
from tidemill.llm.types import ChatModel, Feature, MediaPart, Message, PartKind
from tidemill.nodes._prompt_settings import vision_selector
from tidemill.nodes._shapes import Memory, Vision
from tidemill.ports import Files, FileUnavailable, History, Turn

MAX_TURNS = 500
_FEATURE_OF: Mapping[PartKind, Feature] = {
    "image": "vision",
    "document": "document",
    "audio": "audio",
    "video": "video",
}


class Recall:
    """Reads history and files as one model can take them."""

    def __init__(self, ctx: Context, model: ChatModel, vision: Vision) -> None:
        self._ctx = ctx
        self._model = model
        self._vision = vision
        detail = vision.configs.get("detail")
        self._detail: Literal["low", "high", "auto"] = detail if detail in ("low", "high") else "auto"

    async def history(self, memory: Memory | None) -> list[Message]:
        """The conversation's messages, oldest first, marked as what the token budget may drop."""
        if memory is None:
            return []
        try:
            history = self._ctx.port(History)
        except NodeFailed:
            # A workflow has no conversation to remember.
            return []
        window = memory.window
        limit = min(window.size, MAX_TURNS) if window.enabled and window.size else MAX_TURNS
        messages: list[Message] = []
        for turn in await history.turns(limit):
            media = await self._past_media(turn) if self._vision.enabled else []
            messages.append(message_of("user", turn.query, media, is_history=True))
            messages.append(message_of("assistant", turn.answer, is_history=True))
        return [message for message in messages if not is_empty(message)]

    def vision_files(self) -> list[File]:
        """The files that the vision setting names; none when it is off or names nothing."""
        if not self._vision.enabled:
            return []
        value = self._ctx.find(vision_selector(self._vision))
        return [] if isinstance(value, Missing) else files_in(value)

    async def media_of(self, files: Sequence[File]) -> list[MediaPart]:
        """The files the model can read. Raises `NodeFailed` for one that cannot be had."""
        return [part for part in [await self.media(file) for file in files] if part]

    async def media(self, file: File) -> MediaPart | None:
        """One file as the model reads it, None when it cannot read such files."""
        try:
            return await self._read(file)
        except FileUnavailable as error:
            raise NodeFailed(str(error), error_type="FileUnavailable") from error

    async def _past_media(self, turn: Turn) -> list[MediaPart]:
        media: list[MediaPart] = []
        for file in turn.files:
            # A file that was deleted since must not end the conversation it was part of.
            with suppress(FileUnavailable):
                if part := await self._read(file):
                    media.append(part)
        return media

    async def _read(self, file: File) -> MediaPart | None:
        if file.type == "custom" or _FEATURE_OF[file.type] not in self._model.facts.features:
            return None
        return await self._ctx.port(Files).media(file, detail=self._detail)


def files_in(value: Any) -> list[File]:
    """The files that a value is or lists."""
    candidates = value if isinstance(value, list) else [value]
    return [file for file in map(as_file, candidates) if file is not None]
