"""Counting tokens, offline: exact for OpenAI's families, a labelled upper bound for the others.

The byte pair encodings are tiktoken's; their rank files lie beside this module, packed with gzip, and are
checked against the SHA-256 that tiktoken publishes for them. Nothing is ever downloaded.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import math
import threading
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from tidemill.llm.images import media_tokens
from tidemill.llm.types import ChatRequest, Message, TextPart, ToolSpec

if TYPE_CHECKING:
    from tiktoken import Encoding

# What tiktoken's `openai_public` expects of each file (`expected_hash`).
RANK_SHA256: Final = {
    "o200k": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}

_LETTERS_LOW: Final = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
_LETTERS_UP: Final = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
_SUFFIX: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_PATTERNS: Final = {
    "o200k": "|".join(
        [
            _LETTERS_LOW + _SUFFIX,
            _LETTERS_UP + _SUFFIX,
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    ),
    "cl100k": "|".join(
        [
            r"'(?i:[sdmt]|ll|ve|re)",
            r"[^\r\n\p{L}\p{N}]?+\p{L}++",
            r"\p{N}{1,3}+",
            r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
            r"\s++$",
            r"\s*[\r\n]",
            r"\s+(?!\S)",
            r"\s",
        ]
    ),
}
_SPECIAL: Final = {"o200k": {"<|endoftext|>": 199999}, "cl100k": {"<|endoftext|>": 100257}}

DEFAULT_FACTOR: Final = 1.15
"""Other families' tokenizers stay within this factor of o200k in what was measured; the margin makes it a bound."""

# OpenAI's cookbook, "How to count tokens with tiktoken": every message is wrapped in three tokens, and
# the reply is primed with three more.
MESSAGE_OVERHEAD: Final = 3
REPLY_PRIMING: Final = 3
TOOLS_OVERHEAD: Final = 16
TOOL_OVERHEAD: Final = 12
SCHEMA_OVERHEAD: Final = 16
TOOL_CALL_OVERHEAD: Final = 12

_BLANK_CHARS: Final = 50_000
_REMEMBERED_CHARS: Final = 2_000
_MAX_REMEMBERED: Final = 4_096
_counts: dict[bytes, int] = {}

_build = threading.Lock()


class RanksDamaged(RuntimeError):
    """A rank file inside the package is not the published one."""


def count_text(text: str, tokenizer: str) -> int:
    """Tokens of `text`: exact with "o200k" and "cl100k", rounded up with "estimate" or "estimate:<factor>"."""
    if not text:
        return 0
    name, factor = _parse(tokenizer)
    count = _count(text, name) if len(text) < _REMEMBERED_CHARS else _remembered(text, name)
    return count if factor == 1.0 else math.ceil(count * factor)


def _count(text: str, name: str) -> int:
    encode = _encoding(name).encode_ordinary
    return len(encode(text)) if len(text) < _BLANK_CHARS else sum(len(encode(piece)) for piece in _pieces(text))


def _remembered(text: str, name: str) -> int:
    """Long texts are counted once: agents and conversations send theirs again with every call."""
    key = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16, key=name.encode()).digest()
    count = _counts.get(key)
    if count is None:
        if len(_counts) >= _MAX_REMEMBERED:
            _counts.clear()
        count = _counts[key] = _count(text, name)
    return count


def is_exact(tokenizer: str) -> bool:
    """Whether `count_text` with this tokenizer gives the model's own number."""
    return tokenizer in RANK_SHA256


async def warm(tokenizer: str) -> None:
    """Build the encoding in a thread, so that the first count does not hold up the event loop."""
    await asyncio.to_thread(_encoding, _parse(tokenizer)[0])


class TokenCounter:
    """Counts requests for one model. `factor` scales every count (see `llm.calibration`)."""

    def __init__(self, tokenizer: str, *, image_rule: str = "", factor: float = 1.0) -> None:
        self._tokenizer = tokenizer
        self._image_rule = image_rule
        self._factor = factor

    def text(self, text: str) -> int:
        """Tokens of a bare text."""
        return self._scaled(count_text(text, self._tokenizer))

    def message(self, message: Message) -> int:
        """Tokens one message adds to the prompt, its wrapping included."""
        total = MESSAGE_OVERHEAD + 1
        if isinstance(message.content, str):
            total += count_text(message.content, self._tokenizer)
        else:
            for part in message.content:
                if isinstance(part, TextPart):
                    total += count_text(part.text, self._tokenizer)
                else:
                    total += media_tokens(part, self._image_rule)
        for call in message.tool_calls:
            total += TOOL_CALL_OVERHEAD + count_text(call.name, self._tokenizer)
            total += count_text(call.arguments, self._tokenizer) + count_text(call.id, self._tokenizer)
        if message.tool_call_id:
            total += 1 + count_text(message.tool_call_id, self._tokenizer)
        return self._scaled(total)

    def fixed(self, request: ChatRequest) -> int:
        """Tokens of what is not a message: reply priming, tools, schema.

        A provider renders tools and schemas in a form of its own, shorter than JSON; their JSON text plus
        an overhead for each is therefore an upper bound.
        """
        total = REPLY_PRIMING
        if request.tools:
            total += TOOLS_OVERHEAD + sum(self._tool(tool) for tool in request.tools)
        if request.json_schema is not None:
            total += SCHEMA_OVERHEAD + count_text(_json(request.json_schema), self._tokenizer)
        return self._scaled(total)

    def request(self, request: ChatRequest) -> int:
        """Tokens of the whole prompt."""
        return self.fixed(request) + sum(self.message(message) for message in request.messages)

    def is_exact(self, request: ChatRequest) -> bool:
        """True for a text-only prompt of an OpenAI family; tools, schemas and media are bounds."""
        if not is_exact(self._tokenizer) or self._factor != 1.0 or request.tools or request.json_schema is not None:
            return False
        return all(
            (isinstance(message.content, str) or all(isinstance(part, TextPart) for part in message.content))
            and not message.tool_calls
            and message.role != "tool"
            for message in request.messages
        )

    def _tool(self, tool: ToolSpec) -> int:
        text = _json({"name": tool.name, "description": tool.description, "parameters": tool.parameters})
        return TOOL_OVERHEAD + count_text(text, self._tokenizer)

    def _scaled(self, count: int) -> int:
        return count if self._factor == 1.0 else math.ceil(count * self._factor)


def _pieces(text: str) -> list[str]:
    # tiktoken's regular expression overflows its stack on several 100 000 blanks in a row and aborts with
    # a panic. Such a text is cut inside the blanks; any other is one piece and keeps its exact count.
    cuts = [at for at in range(0, len(text), _BLANK_CHARS) if text[at : at + _BLANK_CHARS].isspace()]
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


@lru_cache(maxsize=256)
def _parse(tokenizer: str) -> tuple[str, float]:
    if tokenizer in RANK_SHA256:
        return tokenizer, 1.0
    kind, _, factor = tokenizer.partition(":")
    if kind != "estimate":
        raise ValueError(f"`{tokenizer}` is no tokenizer. Use o200k, cl100k, estimate or estimate:<factor>.")
    return "o200k", float(factor) if factor else DEFAULT_FACTOR


_encodings: dict[str, Encoding] = {}


def _encoding(name: str) -> Encoding:
    found = _encodings.get(name)
    if found is not None:
        return found
    with _build:
        if name not in _encodings:
            _encodings[name] = _make(name)
        return _encodings[name]


def _make(name: str) -> Encoding:
    # Imported here for its weight: a start that counts nothing does not pay for it.
    from tiktoken import Encoding

    data = gzip.decompress(resources.files("tidemill.llm").joinpath("ranks", f"{name}.gz").read_bytes())
    encoding = Encoding(
        name=name,
        pat_str=_PATTERNS[name],
        mergeable_ranks=read_ranks(data, expected_sha256=RANK_SHA256[name]),
        special_tokens=_SPECIAL[name],
    )
    # The encoder keeps the ranks a second time, in Python, for helpers that are not used here: 29 MB.
    encoding._mergeable_ranks = {}
    return encoding


def read_ranks(data: bytes, *, expected_sha256: str) -> dict[bytes, int]:
    """Parse a rank file: a line holds a token in base64 and its rank.

    Raises:
        RanksDamaged: The bytes are not those that were published.
    """
    if hashlib.sha256(data).hexdigest() != expected_sha256:
        raise RanksDamaged("A token rank file of this installation is damaged. Install Tidemill again.")
    decode = base64.b64decode
    fields = data.split()
    return dict(zip(map(decode, fields[::2]), map(int, fields[1::2]), strict=True))
