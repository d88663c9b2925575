"""What a provider's wire offers: it sends one request and streams the answer. It never retries or counts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from tidemill.llm.types import ChatDelta, ChatRequest


class ChatWire(Protocol):
    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Send it. Raises the errors of `llm.errors`; closing the iterator closes the connection."""
        ...
