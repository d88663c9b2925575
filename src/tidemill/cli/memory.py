"""Conversations of `tidemill run --conversation ID`: one small file each, in the data folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tidemill.cli.failure import CommandFailed
from tidemill.engine.values import Value, plain
from tidemill.ports import Turn

FOLDER = "conversations"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Conversation(msgspec.Struct, kw_only=True):
    """What a conversation remembers. Implements `ports.History`."""

    id: str
    past: list[Turn] = []
    variables: dict[str, Any] = {}
    inputs: dict[str, Any] = {}

    async def turns(self, limit: int) -> Sequence[Turn]:
        return self.past[-limit:] if limit > 0 else ()


def open_conversation(home: Path, id: str) -> Conversation:
    """The conversation of this id; a new one when there is none. Ends the command when the id is no file name."""
    path = _path(home, id)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Conversation)
    except FileNotFoundError:
        return Conversation(id=id)
    except (OSError, msgspec.DecodeError) as error:
        raise CommandFailed(
            f"The conversation in {path} cannot be read: {error}. Remove it or use another id."
        ) from error


def keep_turn(home: Path, conversation: Conversation, turn: Turn, inputs: Mapping[str, Value]) -> None:
    """Add what was said and write the file anew, whole or not at all."""
    conversation.past.append(turn)
    conversation.inputs = plain(dict(inputs))
    path = _path(home, conversation.id)
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh.write_bytes(msgspec.json.encode(conversation))
        os.replace(fresh, path)
    except OSError as error:
        raise CommandFailed(f"The conversation cannot be kept in {path}: {error.strerror}.", exit_code=1) from error


def _path(home: Path, id: str) -> Path:
    if not _NAME.fullmatch(id):
        raise CommandFailed("A conversation's id is made of letters, digits, dots, dashes and underscores.")
    return home / FOLDER / f"{id}.json"
