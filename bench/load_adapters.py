"""What `load_sse.py` can load: where to post, what to post, and how to read what comes back."""

# pyright: basic
from __future__ import annotations

import argparse
import json
import os
from abc import ABC, abstractmethod
from typing import Any


class Adapter(ABC):
    """One kind of server.

    chunk: byte strings, one of which marks an event that carries answer text
    end:   byte strings, one of which marks the end of a good stream
    bad:   byte strings, one of which marks a failed run
    Blocking answers are good when the status is 200, and one of `ok` (if any) occurs in the body.
    """

    path = "/"
    chunk: tuple[bytes, ...] = ()
    end: tuple[bytes, ...] = ()
    bad: tuple[bytes, ...] = ()
    ok: tuple[bytes, ...] = ()
    sep = b"\n\n"

    def __init__(self, a: argparse.Namespace) -> None:
        self.a = a
        self.stream = not a.blocking
        if a.path:
            self.path = a.path

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.a.key}"} if self.a.key else {}

    @abstractmethod
    def body(self, i: int) -> dict[str, Any]: ...

    def request(self, host: str, i: int) -> bytes:
        """The whole HTTP request number `i`."""
        body = json.dumps(self.body(i)).encode()
        head = [
            f"POST {self.path} HTTP/1.1",
            f"Host: {host}",
            "Content-Type: application/json",
            "Accept: text/event-stream" if self.stream else "Accept: application/json",
            f"Content-Length: {len(body)}",
        ]
        headers = {**self.headers(), **dict(h.split(":", 1) for h in self.a.header)}
        head += [f"{k}: {v}" for k, v in headers.items()]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class OpenAI(Adapter):
    path = "/v1/chat/completions"
    chunk = (b'"delta":{"content":', b'"content": ')
    end = (b"data: [DONE]",)
    bad = (b'"error":',)
    ok = (b'"choices"',)

    def body(self, i: int) -> dict[str, Any]:
        messages = [{"role": "user", "content": self.a.query}]
        body: dict[str, Any] = {"model": self.a.model, "messages": messages, "stream": self.stream}
        if self.stream:
            body["stream_options"] = {"include_usage": True}
        return body


class Dify(Adapter):
    """Chat applications of Dify and of what keeps its service API."""

    path = "/v1/chat-messages"
    chunk = (b'"event": "message"', b'"event":"message"', b'"event": "agent_message"', b'"event":"agent_message"')
    end = (b'"event": "message_end"', b'"event":"message_end"')
    bad = (b'"event": "error"', b'"event":"error"', b'"status": "failed"', b'"status":"failed"')
    ok = (b'"answer"',)

    def body(self, i: int) -> dict[str, Any]:
        return {"inputs": self.a.inputs, "query": self.a.query, **self.common(i), "auto_generate_name": False}

    def common(self, i: int) -> dict[str, str]:
        return {"user": f"bench-{i % self.a.users}", "response_mode": "streaming" if self.stream else "blocking"}


class DifyWorkflow(Dify):
    path = "/v1/workflows/run"
    chunk = (b'"event": "text_chunk"', b'"event":"text_chunk"')
    end = (b'"event": "workflow_finished"', b'"event":"workflow_finished"')
    ok = (b'"succeeded"',)

    def body(self, i: int) -> dict[str, Any]:
        return {"inputs": self.a.inputs, **self.common(i)}


class DifyCompletion(Dify):
    path = "/v1/completion-messages"

    def body(self, i: int) -> dict[str, Any]:
        return {"inputs": {"query": self.a.query, **self.a.inputs}, **self.common(i)}


class Langflow(Adapter):
    """--flow is the flow's id (or endpoint name)."""

    chunk = (b'"event": "token"', b'"event":"token"')
    end = (b'"event": "end"', b'"event":"end"')
    bad = (b'"event": "error"', b'"event":"error"')
    ok = (b'"outputs"',)

    def __init__(self, a: argparse.Namespace) -> None:
        super().__init__(a)
        self.path = a.path or f"/api/v1/run/{a.flow}?stream={'true' if self.stream else 'false'}"

    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.a.key} if self.a.key else {}

    def body(self, i: int) -> dict[str, Any]:
        session = f"bench-{os.getpid()}-{i}"
        return {"input_value": self.a.query, "input_type": "chat", "output_type": "chat", "session_id": session}


class Flowise(Adapter):
    """--flow is the flow's id."""

    chunk = (b'"event":"token"', b'"event": "token"', b"event: token")
    end = (b'"event":"end"', b'"event": "end"', b"event: end")
    bad = (b'"event":"error"', b'"event": "error"', b"event: error")
    ok = (b'"text"',)

    def __init__(self, a: argparse.Namespace) -> None:
        super().__init__(a)
        self.path = a.path or f"/api/v1/prediction/{a.flow}"

    def body(self, i: int) -> dict[str, Any]:
        session = f"bench-{os.getpid()}-{i}"
        return {"question": self.a.query, "streaming": self.stream, "overrideConfig": {"sessionId": session}}


class N8n(Adapter):
    """A webhook workflow: --flow is the webhook path. Streamed answers are JSON lines."""

    sep = b"\n"
    chunk = (b'"type":"item"',)
    end = (b'"type":"end"',)
    bad = (b'"type":"error"',)

    def __init__(self, a: argparse.Namespace) -> None:
        super().__init__(a)
        self.path = a.path or f"/webhook/{a.flow}"

    def body(self, i: int) -> dict[str, Any]:
        return {"chatInput": self.a.query, "sessionId": f"bench-{i}", "i": i, **self.a.inputs}


class Raw(Adapter):
    """Any JSON POST: --path, --data; the stream is over when the response is."""

    def body(self, i: int) -> dict[str, Any]:
        return self.a.data


ADAPTERS: dict[str, type[Adapter]] = {
    "openai": OpenAI,
    "dify": Dify,
    "dify_service_api": Dify,
    "dify_workflow": DifyWorkflow,
    "dify_completion": DifyCompletion,
    "langflow": Langflow,
    "flowise": Flowise,
    "n8n": N8n,
    "raw": Raw,
}
