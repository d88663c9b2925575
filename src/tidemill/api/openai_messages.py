"""OpenAI messages to what an app is asked: the last user message is the query, those before it are history. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidemill.domains.conversations.errors import FieldInvalid
from tidemill.ports import Turn


class InlineFile(msgspec.Struct, frozen=True):
    """A file that came inside a message."""

    mime_type: str
    data: bytes


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an app is asked. `urls` and `inline` are the pictures of the last message."""

    query: str
    turns: tuple[Turn, ...]
    urls: tuple[str, ...] = ()
    inline: tuple[InlineFile, ...] = ()


def read_messages(messages: object) -> Question:
    """Map a `messages` list.

    Instructions of the client (system and developer messages) stand before the first thing its user said: the app
    has a system prompt of its own.

    Raises:
        FieldInvalid: No list, no user message at its end, or a part that cannot be read.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise FieldInvalid("`messages` must be a list that ends in a user message.", params="messages")
    instructions: list[str] = []
    said: list[tuple[str, str]] = []
    last: Mapping[str, Any] = {}
    for message in messages:
        if not isinstance(message, Mapping):
            raise FieldInvalid("Every entry of `messages` must be an object.", params="messages")
        role, text = message.get("role"), _text(message.get("content"))
        if role in ("system", "developer"):
            instructions.append(text)
        elif role in ("user", "assistant"):
            said.append((role, text))
            last = message
    if not said or said[-1][0] != "user":
        raise FieldInvalid("The last message must be the user's.", params="messages")
    turns, query = _turns(said)
    if instructions:
        preface = "\n\n".join(instructions)
        if turns:
            turns[0] = Turn(query=f"{preface}\n\n{turns[0].query}", answer=turns[0].answer)
        else:
            query = f"{preface}\n\n{query}"
    urls, inline = _pictures(last.get("content"))
    return Question(query=query, turns=tuple(turns), urls=urls, inline=inline)


def _turns(said: Sequence[tuple[str, str]]) -> tuple[list[Turn], str]:
    """Pair questions with answers. Several of one side in a row are one."""
    turns: list[Turn] = []
    asked: list[str] = []
    answered: list[str] = []
    for role, text in said:
        if role == "user":
            if answered:
                turns.append(Turn(query="\n\n".join(asked), answer="\n\n".join(answered)))
                asked, answered = [], []
            asked.append(text)
        else:
            answered.append(text)
    return turns, "\n\n".join(asked)


def _text(content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content.replace("\0", "")
    if isinstance(content, Sequence):
        parts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        return "\n".join(part for part in parts if isinstance(part, str)).replace("\0", "")
    raise FieldInvalid("`content` must be text or a list of parts.", params="messages")


def _pictures(content: object) -> tuple[tuple[str, ...], tuple[InlineFile, ...]]:
    urls: list[str] = []
    inline: list[InlineFile] = []
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, Mapping) or part.get("type") != "image_url":
            continue
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, Mapping) else image
        if not isinstance(url, str):
            raise FieldInvalid("`image_url` needs a `url`.", params="messages")
        if url.startswith("data:"):
            inline.append(_inline(url))
        else:
            urls.append(url)
    return tuple(urls), tuple(inline)


def _inline(url: str) -> InlineFile:
    head, _, encoded = url.removeprefix("data:").partition(",")
    mime_type, *flags = head.split(";")
    if "base64" not in flags:
        raise FieldInvalid("Pictures inside a message must be base64 data URLs.", params="messages")
    try:
        return InlineFile(mime_type, base64.b64decode(encoded, validate=True))
    except binascii.Error as error:
        raise FieldInvalid("A picture's data URL is not valid base64.", params="messages") from error
