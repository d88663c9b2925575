"""What names a started run to its callers, and what turns its events into bytes for one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

import msgspec

from tidemill.engine.events import Event

AppMode: TypeAlias = Literal["chat", "agent-chat", "advanced-chat", "completion", "workflow", "agent"]
Surface: TypeAlias = Literal["service-api", "openai", "console"]


class Creator(msgspec.Struct, frozen=True, kw_only=True):
    """Who started a run: an end user of the API (`user` is the caller's own name for them) or an account."""

    id: str
    user: str = ""
    name: str = ""
    email: str = ""
    is_account: bool = False


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """The names of one started run. `created_at` is in Unix seconds; chat ids are empty for workflows.

    With `is_preset` the message is answered by a fixed text: clients see a message and no run.
    """

    task_id: str
    run_id: str
    app_id: str
    workflow_id: str
    mode: AppMode
    creator: Creator
    created_at: int
    conversation_id: str = ""
    message_id: str = ""
    has_citations: bool = True
    is_preset: bool = False


class Encoder(Protocol):
    """Turns the events of one run into the bytes of one surface. Holds what the closing events need."""

    def encode(self, event: Event) -> bytes:
        """The bytes of an event; empty when the surface does not show it."""
        ...

    def failure(self, *, code: str, status: int, message: str) -> bytes:
        """The bytes that end a stream which can say no more."""
        ...


EncoderFactory: TypeAlias = Callable[[Ticket], Encoder]
