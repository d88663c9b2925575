"""A started application behind a real server on a free port, and what programs and people do with it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import uvicorn
from httpx import AsyncClient

from support.installation import Installation, Person
from support.model_server import ModelServer
from tidemill.domains.conversations.desk import Desk

PROVIDER = "langgenius/openai/openai"


@dataclass(frozen=True)
class Api:
    """One app, as a program with its key reaches it."""

    base: str
    app_id: str
    key: str
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        """Send a request; a body goes as JSON."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        async with self.http.request(method, f"{self.base}/v1{path}", headers=headers, **options) as response:
            return Answer(response.status, await response.read(), response.headers)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: object, **options: Any) -> Answer:
        return await self.call("POST", path, body, **options)

    async def chat(self, query: str = "hello", *, user: str = "ada", **fields: Any) -> Answer:
        """Send a message, blocking unless `response_mode` says otherwise."""
        body = {"inputs": {}, "query": query, "user": user, "auto_generate_name": False, **fields}
        return await self.post("/chat-messages", body)

    async def run(self, inputs: Mapping[str, Any], *, user: str = "ada", **fields: Any) -> Answer:
        return await self.post("/workflows/run", {"inputs": inputs, "user": user, **fields})

    async def upload(self, name: str, kind: str | None, data: bytes, *, user: str = "ada") -> Answer:
        """Upload a file under this name, declared as of this kind."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", data, filename=name, content_type=kind)
        form.add_field("user", user)
        return await self.call("POST", "/files/upload", data=form)

    @asynccontextmanager
    async def stream(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[EventReader]:
        """Open a stream and read it event by event."""
        headers = {"Authorization": f"Bearer {self.key}"}
        full = {"inputs": {}, "user": "ada", "response_mode": "streaming", "auto_generate_name": False, **body}
        async with self.http.post(f"{self.base}/v1{path}", headers=headers, json=full) as response:
            yield EventReader(response)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The data events of a stream."""
        return [json.loads(line[6:]) for line in self.body.decode().split("\n") if line.startswith("data: {")]

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]


@dataclass
class EventReader:
    response: aiohttp.ClientResponse
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def until(self, name: str) -> dict[str, Any]:
        """Read up to and with the next event of this name."""
        while True:
            line = await self.response.content.readline()
            if not line:
                raise AssertionError(f"The stream ended without {name}: {[event['event'] for event in self.seen]}")
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                self.seen.append(event)
                if event["event"] == name:
                    return event

    async def rest(self) -> list[str]:
        """Read to the end and return the names of all events seen."""
        async for line in self.response.content:
            if line.startswith(b"data: "):
                self.seen.append(json.loads(line[6:]))
        return [event["event"] for event in self.seen]


@dataclass(frozen=True)
class Served:
    """A server with an owner; `publish` makes an app and a key for it."""

    base: str
    installation: Installation
    owner: Person
    models: ModelServer
    http: aiohttp.ClientSession

    @property
    def desk(self) -> Desk:
        return cast(Desk, self.installation.app.state.desk)

    async def publish(self, document: Mapping[str, Any], *, owner: Person | None = None) -> Api:
        """Import, publish and make a key, as the console does."""
        browser = (owner or self.owner).browser
        imported = await checked(browser, "POST", "/apps/import", {"content": json.dumps(document, ensure_ascii=False)})
        app_id = imported["app"]["id"]
        await checked(browser, "POST", f"/apps/{app_id}/publish", {})
        issued = await checked(browser, "POST", f"/apps/{app_id}/keys", {})
        return Api(self.base, app_id, issued["secret"], self.http)

    async def add_models(self, *names: str, owner: Person | None = None) -> None:
        """Let the workspace use the scripted server under these names."""
        browser = (owner or self.owner).browser
        credentials = {"api_key": "secret", "base_url": self.models.base_url}
        await checked(browser, "PUT", "/model-providers/openai/credentials", {"credentials": credentials})
        for name in names:
            body = {"name": name, "kind": "chat", "window_tokens": 8192}
            await checked(browser, "POST", "/model-providers/openai/models", body)


async def checked(browser: AsyncClient, method: str, path: str, body: object = None) -> Any:
    """Call a console route that must succeed."""
    response = await browser.request(method, path, json=body)
    assert response.status_code < 300, response.text
    return response.json() if response.content else None


@asynccontextmanager
async def listening(installation: Installation) -> AsyncGenerator[str]:
    """Serve a started application with uvicorn on a free port and yield its address."""
    config = uvicorn.Config(installation.app, lifespan="off", log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await task


# ---------------------------------------------------------------- app files


def chatflow(
    model: str = "mock-5tok-0ms",
    *,
    answer: str = "{{#llm.text#}}",
    memory: bool = False,
    variables: Sequence[Mapping[str, Any]] = (),
    conversation: Sequence[Mapping[str, Any]] = (),
    features: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """start -> llm -> answer."""
    llm = _llm(model, "{{#sys.query#}}")
    if memory:
        llm["memory"] = {"window": {"enabled": False, "size": 10}, "query_prompt_template": "{{#sys.query#}}"}
    nodes = [_node("start", type="start", variables=list(variables)), _node("llm", **llm)]
    nodes.append(_node("answer", type="answer", answer=answer, variables=[]))
    return _document("advanced-chat", nodes, [("start", "llm"), ("llm", "answer")], conversation, features)


def assigning_chatflow() -> dict[str, Any]:
    """start -> assigner (conversation.topic = query) -> answer (conversation.topic)."""
    item = {
        "variable_selector": ["conversation", "topic"],
        "input_type": "variable",
        "operation": "over-write",
        "value": ["sys", "query"],
    }
    nodes = [
        _node("start", type="start", variables=[]),
        _node("keep", type="assigner", version="2", items=[item]),
        _node("answer", type="answer", answer="Topic: {{#conversation.topic#}}", variables=[]),
    ]
    topic = {"id": "t", "name": "topic", "value_type": "string", "value": "nothing", "description": "What it is about"}
    count = {"id": "c", "name": "count", "value_type": "integer", "value": 3, "description": ""}
    return _document("advanced-chat", nodes, [("start", "keep"), ("keep", "answer")], [topic, count])


def workflow(*, variables: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """start (x) -> end (out = x)."""
    fields = variables or [{"variable": "x", "label": "X", "type": "text-input", "required": True, "max_length": 100}]
    first = fields[0]["variable"]
    end = _node("end", type="end", outputs=[{"variable": "out", "value_selector": ["start", first]}])
    return _document("workflow", [_node("start", type="start", variables=list(fields)), end], [("start", "end")])


def model_workflow(model: str) -> dict[str, Any]:
    """start (x) -> llm -> end (out = text)."""
    field_ = {"variable": "x", "label": "X", "type": "paragraph", "required": False}
    nodes = [
        _node("start", type="start", variables=[field_]),
        _node("llm", **_llm(model, "{{#start.x#}}")),
        _node("end", type="end", outputs=[{"variable": "out", "value_selector": ["llm", "text"]}]),
    ]
    return _document("workflow", nodes, [("start", "llm"), ("llm", "end")])


def model_app(mode: str, model: str = "mock-5tok-0ms", *, form: Sequence[Any] = (), **config: Any) -> dict[str, Any]:
    """A chat, completion or agent-chat app."""
    return {
        "app": {"mode": mode, "name": f"A {mode} app", "description": "", "icon": "🤖", "icon_background": "#FFFFFF"},
        "kind": "app",
        "version": "0.5.0",
        "model_config": {
            "model": {"provider": PROVIDER, "name": model, "mode": "chat", "completion_params": {}},
            "pre_prompt": "Be brief.",
            "prompt_type": "simple",
            "user_input_form": list(form),
            **config,
        },
    }


def _llm(model: str, prompt: str) -> dict[str, Any]:
    return {
        "type": "llm",
        "model": {"provider": PROVIDER, "name": model, "mode": "chat", "completion_params": {}},
        "prompt_template": [{"id": "p", "role": "user", "text": prompt}],
        "context": {"enabled": False, "variable_selector": []},
        "vision": {"enabled": False},
    }


def _node(node_id: str, **data: Any) -> dict[str, Any]:
    return {"id": node_id, "type": "custom", "data": {"title": node_id, **data}, "position": {"x": 0, "y": 0}}


def _document(
    mode: str,
    nodes: Sequence[Mapping[str, Any]],
    edges: Sequence[tuple[str, str]],
    conversation: Sequence[Mapping[str, Any]] = (),
    features: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    lines = [
        {"id": f"{a}-{b}", "source": a, "target": b, "sourceHandle": "source", "targetHandle": "target"}
        for a, b in edges
    ]
    return {
        "app": {"mode": mode, "name": f"A {mode} app", "description": "", "icon": "🤖", "icon_background": "#FFFFFF"},
        "kind": "app",
        "version": "0.5.0",
        "workflow": {
            "conversation_variables": list(conversation),
            "environment_variables": [],
            "features": dict(features or {}),
            "graph": {"nodes": list(nodes), "edges": lines},
        },
    }
