"""Bytes of the scripted model server: chunks and bodies of both wires, rendered once and kept."""

# pyright: basic
from __future__ import annotations

import functools

from mock_behaviour import dumps, pieces_of, text_of

STATS = {"requests": 0, "streams": 0, "chunks": 0, "embeddings": 0, "errors": 0, "disconnects": 0, "open": 0}


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def sse(obj) -> bytes:
    return chunked(b"data: " + dumps(obj).encode() + b"\n\n")


def asse(event: str, obj) -> bytes:
    return chunked(f"event: {event}\ndata: {dumps(obj)}\n\n".encode())


END = b"0\r\n\r\n"
DONE = chunked(b"data: [DONE]\n\n")
HEAD_SSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\nx-request-id: req-mock\r\n\r\n"
)
CREATED = 1_700_000_000


def _chunk(model: str, delta: dict, finish=None, **extra) -> dict:
    return {
        "id": "chatcmpl-mock",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "system_fingerprint": "fp_mock",
        **extra,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }


@functools.lru_cache(maxsize=512)
def render_openai(model: str, parts: tuple[str, ...], think: int) -> tuple[bytes, ...]:
    out = [sse(_chunk(model, {"role": "assistant", "content": ""}))]
    for t in text_of(think):
        out.append(sse(_chunk(model, {"reasoning_content": t})))
    out += [sse(_chunk(model, {"content": p})) for p in parts]
    out.append(sse(_chunk(model, {}, "stop")))
    return tuple(out)


@functools.lru_cache(maxsize=512)
def render_openai_tools(model: str, calls: tuple[tuple[str, str], ...]) -> tuple[bytes, ...]:
    out = []
    for i, (name, args) in enumerate(calls):
        d = {"index": i, "id": f"call_mock{i}", "type": "function", "function": {"name": name, "arguments": ""}}
        out.append(
            sse(
                _chunk(
                    model, {"role": "assistant", "content": None, "tool_calls": [d]} if i == 0 else {"tool_calls": [d]}
                )
            )
        )
        for p in pieces_of(args):
            out.append(sse(_chunk(model, {"tool_calls": [{"index": i, "function": {"arguments": p}}]})))
    out.append(sse(_chunk(model, {}, "tool_calls")))
    return tuple(out)


@functools.lru_cache(maxsize=512)
def render_anthropic(model: str, parts: tuple[str, ...], n_in: int, think: int) -> tuple[bytes, ...]:
    out = [
        asse(
            "message_start",
            {
                "type": "message_start",
                "message": {
                    "id": "msg_mock",
                    "type": "message",
                    "role": "assistant",
                    "model": model,
                    "content": [],
                    "stop_reason": None,
                    "stop_sequence": None,
                    "usage": {"input_tokens": n_in, "output_tokens": 1},
                },
            },
        )
    ]
    idx = 0
    if think:
        out.append(
            asse(
                "content_block_start",
                {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
            )
        )
        out += [
            asse(
                "content_block_delta",
                {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": t}},
            )
            for t in text_of(think)
        ]
        out.append(asse("content_block_stop", {"type": "content_block_stop", "index": 0}))
        idx = 1
    out.append(
        asse(
            "content_block_start",
            {"type": "content_block_start", "index": idx, "content_block": {"type": "text", "text": ""}},
        )
    )
    out += [
        asse(
            "content_block_delta",
            {"type": "content_block_delta", "index": idx, "delta": {"type": "text_delta", "text": p}},
        )
        for p in parts
    ]
    out.append(asse("content_block_stop", {"type": "content_block_stop", "index": idx}))
    out.append(
        asse(
            "message_delta",
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": len(parts)},
            },
        )
    )
    out.append(asse("message_stop", {"type": "message_stop"}))
    return tuple(out)


def render_anthropic_tools(model: str, calls, n_in: int) -> tuple[bytes, ...]:
    out = [
        asse(
            "message_start",
            {
                "type": "message_start",
                "message": {
                    "id": "msg_mock",
                    "type": "message",
                    "role": "assistant",
                    "model": model,
                    "content": [],
                    "stop_reason": None,
                    "stop_sequence": None,
                    "usage": {"input_tokens": n_in, "output_tokens": 1},
                },
            },
        )
    ]
    for i, (name, args) in enumerate(calls):
        out.append(
            asse(
                "content_block_start",
                {
                    "type": "content_block_start",
                    "index": i,
                    "content_block": {"type": "tool_use", "id": f"toolu_mock{i}", "name": name, "input": {}},
                },
            )
        )
        out += [
            asse(
                "content_block_delta",
                {"type": "content_block_delta", "index": i, "delta": {"type": "input_json_delta", "partial_json": p}},
            )
            for p in pieces_of(args)
        ]
        out.append(asse("content_block_stop", {"type": "content_block_stop", "index": i}))
    out.append(
        asse(
            "message_delta",
            {
                "type": "message_delta",
                "delta": {"stop_reason": "tool_use", "stop_sequence": None},
                "usage": {"output_tokens": 8},
            },
        )
    )
    out.append(asse("message_stop", {"type": "message_stop"}))
    return tuple(out)


REASON = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def plain(status: int, obj, extra: bytes = b"") -> bytes:
    body = dumps(obj).encode()
    return (
        b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
        % (status, REASON.get(status, "Error").encode(), len(body), extra)
    ) + body


def error(status: int, anthropic: bool = False) -> bytes:
    STATS["errors"] += 1
    kinds = {
        401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided: mock."),
        429: ("requests", "rate_limit_exceeded", "Rate limit reached for mock."),
        404: ("invalid_request_error", "not_found", "No such route."),
        400: ("invalid_request_error", "bad_request", "Bad request."),
    }
    typ, code, msg = kinds.get(status, ("server_error", "server_error", "The server had an error (mock)."))
    extra = b"Retry-After: 1\r\nx-ratelimit-remaining-requests: 0\r\n" if status == 429 else b""
    if anthropic:
        at = {401: "authentication_error", 429: "rate_limit_error", 400: "invalid_request_error"}.get(
            status, "api_error"
        )
        return plain(status, {"type": "error", "error": {"type": at, "message": msg}}, extra)
    return plain(status, {"error": {"message": msg, "type": typ, "param": None, "code": code}}, extra)
