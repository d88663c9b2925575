#!/usr/bin/env python3
"""A mock model provider that costs almost nothing to stream from.

OpenAI-compatible:    POST /v1/chat/completions   (streaming, blocking, tools, JSON)
                      POST /v1/embeddings         (deterministic, 384 dimensions)
                      POST /v1/rerank             (deterministic, lexical)
                      GET  /v1/models
Anthropic-compatible: POST /v1/messages           (streaming, blocking, tool use)
Ollama:               GET  /api/tags   POST /api/show   (window 32768)
Control:              GET  /_mock/stats   POST /_mock/reset   GET /health
                      GET  /_mock/requests?n=5   the last requests: path, headers, body
                      POST /_mock/script {"rules": [{"match": "regex", "reply": "text or JSON"}]}
                        a rule may also hold "model" (exact), "anywhere": true (match every message, not
                        only the last), "tool": {"name", "arguments"}, "status": 429; the first that fits wins

What it does is chosen by the model name (or by an `X-Mock` header with the same
grammar, which wins).  The name is split at '-' and each part is read alone:

    200tok        completion of 200 tokens, one SSE chunk each   (default 20)
    10ms          pause between chunks                           (default 0)
    ttft500       pause before the first chunk, in ms
    burst         all chunks of a stream in one write
    tool          answer with a call of the first tool offered, once; when the
                  conversation already ends in a tool result, answer in text
    tools3        call of the first 3 tools at once
    json          answer with an instance of response_format's JSON schema
    err401 err429 err500 err503   answer with that status (429 has Retry-After: 1)
    fail2         fail with 500 for the first 2 requests that carry this name, then work
    cut10         drop the connection after 10 chunks
    bad10         a malformed SSE data line after 10 chunks (stream goes on)
    errat10       an OpenAI error object inside the stream after 10 chunks, then end
    hang10        never send anything more after 10 chunks
    nousage       no usage anywhere
    think20       20 reasoning chunks (reasoning_content) before the answer
    echo          the answer is the last user message
    stamp         the first chunk is "t=" and the Unix time at which it is due

    e.g.  mock-200tok-0ms   mock-50tok-20ms-ttft300   mock-tool   mock-err429

Stdlib only (uvloop is used when it is installed).  Everything sent in a stream is
rendered once per (model, length) and kept, so a chunk costs one socket write.
"""

# pyright: basic
from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import struct
import time
from collections import deque

from mock_behaviour import DIM, Script, Spec, dumps, embed, flat, instance, pieces_of, spec_of, text_of
from mock_pump import Pump
from mock_render import (
    CREATED,
    DONE,
    END,
    STATS,
    error,
    plain,
    render_anthropic,
    render_anthropic_tools,
    render_openai,
    render_openai_tools,
    sse,
)

FAILS: dict[str, int] = {}
SCRIPT = Script()
LOG: deque[tuple[str, bytes, dict]] = deque(maxlen=500)
MODELS = ["mock-20tok-0ms", "mock-200tok-0ms", "mock-tool", "mock-json", "gpt-4o-mini", "text-embedding-3-small"]
OLLAMA_WINDOW = 32768


def headers_of(head: bytes) -> dict[str, str]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.decode().lower(): value.decode("latin-1").strip() for name, _, value in pairs}


def scripted_calls(rule) -> tuple[tuple[str, str], ...] | None:
    tool = (rule or {}).get("tool")
    return ((tool["name"], dumps(tool.get("arguments", {}))),) if tool else None


class Conn(Pump):
    """One client connection: reads requests, answers them in order."""

    def data_received(self, data: bytes) -> None:
        self.buf = self.buf + data if self.buf else data
        if not self.busy:
            self.next()

    def next(self) -> None:
        while self.buf and not self.busy and not self.gone:
            head_end = self.buf.find(b"\r\n\r\n")
            if head_end < 0:
                return
            head = self.buf[:head_end]
            low = head.lower()
            length = 0
            p = low.find(b"\r\ncontent-length:")
            if p >= 0:
                e = low.find(b"\r\n", p + 2)
                length = int(low[p + 17 : e if e > 0 else len(low)])
            elif b"\r\ntransfer-encoding: chunked" in low:
                body, used = self.dechunk(head_end + 4)
                if body is None:
                    return
                self.buf = self.buf[used:]
                self.handle(head, low, body)
                continue
            if b"\r\nexpect: 100-continue" in low and len(self.buf) == head_end + 4 and length:
                self.tr.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            end = head_end + 4 + length
            if len(self.buf) < end:
                return
            body = self.buf[head_end + 4 : end]
            self.buf = self.buf[end:]
            self.handle(head, low, body)

    def dechunk(self, pos: int):
        out = []
        while True:
            e = self.buf.find(b"\r\n", pos)
            if e < 0:
                return None, 0
            n = int(self.buf[pos:e].split(b";")[0], 16)
            if len(self.buf) < e + 4 + n:
                return None, 0
            if n == 0:
                return b"".join(out), e + 4
            out.append(self.buf[e + 2 : e + 2 + n])
            pos = e + 4 + n

    # -- one request
    def handle(self, head: bytes, low: bytes, body: bytes) -> None:
        line = head[: head.find(b"\r\n")] if b"\r\n" in head else head
        method, target, _ = line.split(b" ", 2)
        path = target.split(b"?", 1)[0].decode()
        if path.startswith("/v1/v1/"):
            path = path[3:]
        try:
            if path.startswith("/_mock/"):
                self.control(path, target, body)
            elif method in (b"GET", b"HEAD"):
                STATS["requests"] += 1
                self.tr.write(self.listing(path))
            else:
                STATS["requests"] += 1
                self.answer_post(path, head, low, body)
        except (ValueError, KeyError, TypeError) as exc:
            STATS["errors"] += 1
            refusal = {"message": f"mock: {exc!r}", "type": "invalid_request_error", "code": "bad_request"}
            self.tr.write(plain(400, {"error": refusal}))

    def listing(self, path: str) -> bytes:
        if path.endswith("/models"):
            rows = [{"id": n, "object": "model", "created": CREATED, "owned_by": "mock"} for n in MODELS]
            return plain(200, {"object": "list", "data": rows})
        if "/models/" in path:
            row = {"id": path.rsplit("/", 1)[-1], "object": "model", "created": CREATED, "owned_by": "mock"}
            return plain(200, row)
        if path == "/api/tags":
            return plain(200, {"models": [{"name": n, "model": n} for n in MODELS]})
        return plain(200, {"status": "ok"}) if path in ("/health", "/") else error(404)

    def control(self, path: str, target: bytes, body: bytes) -> None:
        if path == "/_mock/stats":
            t = os.times()
            self.tr.write(plain(200, {**STATS, "cpu_s": t.user + t.system, "pid": os.getpid()}))
            return
        if path == "/_mock/requests":
            number = int(target.partition(b"n=")[2] or 500)
            rows = [{"path": p, "headers": headers_of(h), "body": b} for p, h, b in list(LOG)[-number:]]
            self.tr.write(plain(200, {"requests": rows}))
            return
        if path == "/_mock/script":
            SCRIPT.rules = json.loads(body or b"{}").get("rules", [])
        elif path == "/_mock/reset":
            STATS.update({k: 0 for k in STATS if k != "open"})
            FAILS.clear()
            LOG.clear()
            SCRIPT.rules = []
        else:
            self.tr.write(error(404))
            return
        self.tr.write(plain(200, {"status": "ok"}))

    def answer_post(self, path: str, head: bytes, low: bytes, body: bytes) -> None:
        w = self.tr.write
        req = json.loads(body or b"{}")
        LOG.append((path, head, req))
        name = str(req.get("model", "mock"))
        if path == "/api/show":
            w(
                plain(
                    200, {"model_info": {"mock.context_length": OLLAMA_WINDOW}, "capabilities": ["completion", "tools"]}
                )
            )
            return
        p = low.find(b"\r\nx-mock:")
        steer = name
        if p >= 0:
            e = low.find(b"\r\n", p + 2)
            steer = low[p + 9 : e if e > 0 else len(low)].decode().strip()
        s = spec_of(steer)
        anthropic = path.endswith("/messages")
        rule = SCRIPT.rule_for(name, req.get("messages") or [])
        status = (rule or {}).get("status") or s.status
        if not status and s.fail:
            n = FAILS.get(steer, 0)
            FAILS[steer] = n + 1
            status = 500 if n < s.fail else 0
        if status:
            w(error(status, anthropic))
        elif path.endswith("/embeddings"):
            self.embeddings(req, name)
        elif path.endswith("/chat/completions"):
            self.chat(req, name, s, rule)
        elif anthropic:
            self.messages(req, name, s, rule)
        elif path.endswith("/rerank"):
            self.rerank(req, name)
        else:
            w(error(404))

    def embeddings(self, req, name) -> None:
        inp = req.get("input", "")
        if isinstance(inp, str) or (inp and isinstance(inp[0], int)):
            inp = [inp]
        STATS["embeddings"] += len(inp)
        b64 = req.get("encoding_format") == "base64"
        data, n = [], 0
        for i, t in enumerate(inp):
            if not isinstance(t, str):
                t = " ".join(map(str, t))
            n += len(t) // 4 + 1
            v = embed(t)
            data.append(
                {
                    "object": "embedding",
                    "index": i,
                    "embedding": base64.b64encode(struct.pack(f"<{DIM}f", *v)).decode() if b64 else v,
                }
            )
        self.tr.write(
            plain(
                200, {"object": "list", "data": data, "model": name, "usage": {"prompt_tokens": n, "total_tokens": n}}
            )
        )

    def rerank(self, req, name) -> None:
        q = embed(req.get("query", ""))
        docs = [d if isinstance(d, str) else d.get("text", "") for d in req.get("documents", [])]
        res = sorted(
            ((sum(a * b for a, b in zip(q, embed(d), strict=True)), i) for i, d in enumerate(docs)),
            key=lambda x: (-x[0], x[1]),
        )
        res = res[: req.get("top_n") or len(res)]
        self.tr.write(
            plain(
                200,
                {
                    "id": "rerank-mock",
                    "model": name,
                    "results": [
                        {"index": i, "relevance_score": (x + 1) / 2, "document": {"text": docs[i]}} for x, i in res
                    ],
                    "usage": {"total_tokens": sum(len(d) // 4 for d in docs)},
                },
            )
        )

    def answer(self, req, s: Spec, rule=None) -> tuple[str, ...]:
        if rule and "reply" in rule:
            return pieces_of(rule["reply"] if isinstance(rule["reply"], str) else dumps(rule["reply"]))
        rf = req.get("response_format") or {}
        if s.json or rf.get("type") in ("json_schema", "json_object"):
            schema = (rf.get("json_schema") or {}).get("schema") or rf.get("schema")
            return pieces_of(dumps(instance(schema) if schema else {"answer": "mock", "score": 7, "ok": True}))
        if s.echo:
            last = next((m for m in reversed(req.get("messages", [])) if m.get("role") == "user"), {})
            return pieces_of(flat(last.get("content")))
        return text_of(s.tokens)

    def chat(self, req, name, s: Spec, rule=None) -> None:
        msgs = req.get("messages") or []
        n_in = sum(len(flat(m.get("content"))) for m in msgs) // 4 + 3 * len(msgs)
        tools = [t["function"] for t in req.get("tools") or [] if t.get("type") == "function"]
        calls = None
        if s.tool and tools and not (msgs and msgs[-1].get("role") == "tool"):
            calls = tuple((t["name"], dumps(instance(t.get("parameters") or {}))) for t in tools[: s.tool])
        calls = scripted_calls(rule) or calls
        parts = () if calls else self.answer(req, s, rule)
        if s.stamp and parts:
            parts = (f"t={time.time() + s.ttft + s.delay:.4f}", *parts[1:])
        n_out = sum(len(a) // 4 + 4 for _, a in calls) if calls else len(parts) + s.think
        usage = {"prompt_tokens": n_in, "completion_tokens": n_out, "total_tokens": n_in + n_out} if s.usage else None
        if req.get("stream"):
            out = render_openai_tools(name, calls) if calls else render_openai(name, parts, s.think)
            tail = b""
            if usage and (req.get("stream_options") or {}).get("include_usage"):
                tail = sse(
                    {
                        "id": "chatcmpl-mock",
                        "object": "chat.completion.chunk",
                        "created": CREATED,
                        "model": name,
                        "choices": [],
                        "usage": usage,
                    }
                )
            self.stream(out, tail + DONE + END, s)
            return
        msg = {"role": "assistant", "content": None if calls else "".join(parts), "refusal": None}
        if s.think:
            msg["reasoning_content"] = "".join(text_of(s.think))
        if calls:
            msg["tool_calls"] = [
                {"id": f"call_mock{i}", "type": "function", "function": {"name": n, "arguments": a}}
                for i, (n, a) in enumerate(calls)
            ]
        obj = {
            "id": "chatcmpl-mock",
            "object": "chat.completion",
            "created": CREATED,
            "model": name,
            "system_fingerprint": "fp_mock",
            "choices": [
                {"index": 0, "message": msg, "logprobs": None, "finish_reason": "tool_calls" if calls else "stop"}
            ],
        }
        if usage:
            obj["usage"] = usage
        self.later(plain(200, obj), s.ttft + s.delay * n_out, s)

    def messages(self, req, name, s: Spec, rule=None) -> None:
        msgs = req.get("messages") or []
        n_in = (len(flat(req.get("system"))) + sum(len(flat(m.get("content"))) for m in msgs)) // 4 + 3 * len(msgs)
        tools = [t for t in req.get("tools") or [] if t.get("name")]
        last = msgs[-1].get("content") if msgs else None
        answered = isinstance(last, list) and any(isinstance(b, dict) and b.get("type") == "tool_result" for b in last)
        calls = None
        if s.tool and tools and not answered:
            calls = tuple((t["name"], dumps(instance(t.get("input_schema") or {}))) for t in tools[: s.tool])
        calls = scripted_calls(rule) or calls
        parts = () if calls else self.answer(req, s, rule)
        if req.get("stream"):
            out = render_anthropic_tools(name, calls, n_in) if calls else render_anthropic(name, parts, n_in, s.think)
            self.stream(out, END, s)
            return
        content = (
            [
                {"type": "tool_use", "id": f"toolu_mock{i}", "name": n, "input": json.loads(a)}
                for i, (n, a) in enumerate(calls)
            ]
            if calls
            else [{"type": "text", "text": "".join(parts)}]
        )
        self.later(
            plain(
                200,
                {
                    "id": "msg_mock",
                    "type": "message",
                    "role": "assistant",
                    "model": name,
                    "content": content,
                    "stop_reason": "tool_use" if calls else "end_turn",
                    "stop_sequence": None,
                    "usage": {"input_tokens": n_in, "output_tokens": 8 if calls else len(parts)},
                },
            ),
            s.ttft + s.delay * len(parts),
            s,
        )


async def serve(host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Conn, host, port, backlog=2048)
    print(f"mock_llm pid={os.getpid()} on http://{host}:{port}/v1", flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    ap = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--port", type=int, default=8089)
    ap.add_argument("--no-uvloop", action="store_true")
    a = ap.parse_args()
    if not a.no_uvloop:
        try:
            import uvloop

            uvloop.install()
        except ImportError:
            pass
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(a.host, a.port))


if __name__ == "__main__":
    main()
