"""Run events to the bytes of the Service API (reference `service-api.md`, sections 4, 5 and 11). Pure."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="string")


def compact(data: object) -> bytes:
    """JSON on one line, without spaces, non-ASCII unescaped."""
    try:
        return _encoder.encode(data)
    except (TypeError, ValueError, OverflowError):
        # Lone surrogates and integers over 64 bits are JSON all the same; the slower encoder writes them.
        return json.dumps(data, separators=(",", ":"), default=str).encode()


def spaced(data: object) -> bytes:
    """JSON of blocking answers: ASCII with a space after `:` and `,`."""
    return json.dumps(data, default=str).encode()


def sse(data: object) -> bytes:
    """One server-sent event: a single data line."""
    return b"data: " + compact(data) + b"\n\n"


class EventFrame:
    """The keys that every event of one stream shares, rendered once."""

    def __init__(self, common: dict[str, Any]) -> None:
        self._common = common
        self._tail = compact(common)[1:-1]

    def frame(self, event: str, own: dict[str, Any], *, without: str = "") -> bytes:
        """An event with its own keys after the shared ones; `without` leaves one shared key out."""
        if without:
            shared = {key: value for key, value in self._common.items() if key != without}
            return sse({"event": event, **shared, **own})
        body = compact(own)[1:]
        separator = b"," if len(body) > 1 else b""
        return b'data: {"event":"' + event.encode() + b'",' + self._tail + separator + body + b"\n\n"


class TextFrame:
    """Frames text pieces of one stream: everything but the text is rendered once per selector."""

    def __init__(self, head: bytes, *, is_nested: bool) -> None:
        self._head = head
        self._close = b"}}\n\n" if is_nested else b"}\n\n"
        self._tails: dict[tuple[str, ...] | None, bytes] = {}

    def frame(self, text: str, selector: tuple[str, ...] | None) -> bytes:
        tail = self._tails.get(selector)
        if tail is None:
            tail = b',"from_variable_selector":' + compact(selector) + self._close
            self._tails[selector] = tail
        return self._head + compact(text) + tail


# Codes of the failures a model call can end a run with, by the class name the node reports.
_ERROR_CODES: Final = {
    "ModelNotConfigured": "provider_not_initialize",
    "ModelNotSupported": "model_currently_not_support",
    "BadCredential": "provider_not_initialize",
    "QuotaExceeded": "provider_quota_exceeded",
    "RateLimited": "rate_limit_error",
    "BadRequest": "completion_request_error",
    "ModelUnavailable": "completion_request_error",
    "StreamBroken": "completion_request_error",
    "ContextExceeded": "completion_request_error",
    "ModelError": "completion_request_error",
    "LLMNodeError": "completion_request_error",
    "InvokeRateLimitError": "rate_limit_error",
    "InvokeAuthorizationError": "provider_not_initialize",
    "InvokeBadRequestError": "completion_request_error",
    "InvokeServerUnavailableError": "completion_request_error",
    "InvokeConnectionError": "completion_request_error",
    "InvokeError": "completion_request_error",
    "QuotaExceededError": "provider_quota_exceeded",
    "ProviderTokenNotInitError": "provider_not_initialize",
}


def failure_of(error: str | None, error_type: str | None, *, is_graph: bool) -> tuple[str, int, str]:
    """(code, HTTP status, message) of a failed run.

    A chatflow says `invalid_param` and "Run failed: ..."; chat and completion apps say what their model call met.
    """
    message = error or "The run failed."
    if is_graph:
        return "invalid_param", 400, f"Run failed: {message}"
    code = _ERROR_CODES.get(error_type or "", "completion_request_error")
    return code, 429 if code == "rate_limit_error" else 400, message
