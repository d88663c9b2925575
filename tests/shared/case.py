"""What a way through a file is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Rule = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way through a file.

    `says` are the messages of one conversation; `inputs` belong to each. `replies` are rules of the scripted model,
    which else repeats what it is told; `vendors` are answers by "METHOD host/path". `keys` are what the vendors'
    tools need. The last run gives `gives`, a part of its answer or of its outputs as JSON, or it fails at the node
    `fails_at` with an error that has the pattern `because`.
    """

    file: str
    says: tuple[str, ...] = ("hello tide",)
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    sends: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    replies: tuple[Rule, ...] = ()
    vendors: Mapping[str, Any] = field(default_factory=dict[str, Any])
    keys: tuple[str, ...] = ()
    gives: str = ""
    fails_at: str = ""
    because: str = ""
    has_knowledge: bool = False
    about: str = ""

    @property
    def id(self) -> str:
        return "-".join(part for part in (self.file, self.about) if part)


def in_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def reply(match: str, answer: Any, *, anywhere: bool = True) -> Rule:
    return {"match": match, "reply": answer if isinstance(answer, str) else in_json(answer), "anywhere": anywhere}


def use(match: str, name: str, **arguments: Any) -> Rule:
    """The model asks for a tool when the last message matches."""
    return {"match": match, "tool": {"name": name, "arguments": arguments}}


def after(result: str, answer: str) -> Rule:
    """What the model says when it is told a tool's result."""
    return reply(result, answer, anywhere=False)


def chosen(category_id: str, name: str) -> Rule:
    """A question classifier's choice."""
    return reply("classification_instructions", {"category_id": category_id, "category_name": name})


PNG = b"\x89PNG\r\n\x1a\n"
