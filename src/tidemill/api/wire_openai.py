"""Run events to the bytes of OpenAI's chat completions. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tidemill.api.wire import compact, failure_of, sse
from tidemill.domains.runs.ticket import Ticket
from tidemill.engine import events

DONE = b"data: [DONE]\n\n"
# A comment: this protocol's clients know no ping event.
PING = b": ping\n\n"


def usage_json(usage: events.Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def error_json(status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """OpenAI's error object."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    if status == 429:
        kind = "rate_limit_error"
    if status == 401:
        code = "invalid_api_key"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def text_of_outputs(outputs: Mapping[str, Any]) -> str:
    """The outputs of a workflow that streamed no text: the only text, or all of them as JSON."""
    values = list(outputs.values())
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return json.dumps(dict(outputs), ensure_ascii=False) if outputs else ""


def _finish_reason(finished: events.RunFinished) -> str:
    return "content_filter" if finished.error_type == "OutputModeration" else "stop"


class OpenAIEncoder:
    """The stream of one chat completion, whatever the app's mode."""

    def __init__(self, ticket: Ticket, *, model: str, has_usage: bool) -> None:
        self._ticket = ticket
        self._has_usage = has_usage
        self._common: dict[str, Any] = {
            "id": f"chatcmpl-{ticket.run_id}",
            "object": "chat.completion.chunk",
            "created": ticket.created_at,
            "model": model,
            "system_fingerprint": None,
        }
        head = compact(self._common)[:-1]
        self._text_head = b"data: " + head + b',"choices":[{"index":0,"delta":{"content":'
        self._text_tail = b'},"logprobs":null,"finish_reason":null}]' + (b',"usage":null' if has_usage else b"")
        self._text_tail += b"}\n\n"
        self._has_text = False

    def encode(self, event: events.Event) -> bytes:
        match event:
            case events.TextDelta():
                self._has_text = True
                return self._text(event.text)
            case events.TextReplaced() if event.reason == "output_moderation":
                # What was sent cannot be taken back here: the app's own words follow it.
                return self._text(f"\n\n{event.text}" if self._has_text else event.text)
            case events.RunStarted():
                return self._chunk({"role": "assistant", "content": "", "refusal": None})
            case events.ReasoningDelta() if event.text:
                return self._chunk({"reasoning_content": event.text})
            case events.RunFinished():
                return self._closing(event)
            case events.RunPaused():
                # This protocol knows no pause: the answer so far is what there is to tell.
                return self._chunk({}, finish_reason="stop") + DONE
            case _:
                return b""

    def failure(self, *, code: str, status: int, message: str) -> bytes:
        return sse(error_json(status, code, message)) + DONE

    def _closing(self, event: events.RunFinished) -> bytes:
        if event.status == "failed":
            code, status, message = failure_of(event.error, event.error_type, is_graph=False)
            return self.failure(code=code, status=status, message=message)
        text = b""
        if not self._has_text and self._ticket.mode == "workflow":
            text = self._text(text_of_outputs(event.outputs))
        closing = text + self._chunk({}, finish_reason=_finish_reason(event))
        if self._has_usage:
            closing += sse({**self._common, "choices": [], "usage": usage_json(event.usage)})
        return closing + DONE

    def _text(self, text: str) -> bytes:
        return self._text_head + compact(text) + self._text_tail

    def _chunk(self, delta: dict[str, Any], *, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return sse({**self._common, "choices": [choice], **({"usage": None} if self._has_usage else {})})


def completion_json(ticket: Ticket, finished: events.RunFinished, *, model: str) -> dict[str, Any]:
    """A whole chat completion."""
    text = finished.answer
    if not text and ticket.mode == "workflow":
        text = text_of_outputs(finished.outputs)
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": f"chatcmpl-{ticket.run_id}",
        "object": "chat.completion",
        "created": ticket.created_at,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(finished)}],
        "usage": usage_json(finished.usage),
        "system_fingerprint": None,
    }
