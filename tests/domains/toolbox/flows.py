"""Small workflows that call tools."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from httpx import AsyncClient

from support.apps import add_app


def flow(
    name: str, nodes: list[dict[str, Any]], outputs: dict[str, tuple[str, str]], *, inputs: tuple[str, ...] = ("word",)
) -> str:
    """An app file: start, the given nodes one after the other, end."""
    start = {
        "type": "start",
        "title": "Start",
        "variables": [
            {"variable": item, "label": item.title(), "type": "text-input", "required": True, "max_length": 200}
            for item in inputs
        ],
    }
    end = {
        "type": "end",
        "title": "End",
        "outputs": [{"variable": key, "value_selector": list(value)} for key, value in outputs.items()],
    }
    row = [("start", start), *((str(node["id"]), node) for node in nodes), ("end", end)]
    pairs = pairwise(row)
    document = {
        "version": "0.7.0",
        "kind": "app",
        "app": {"name": name, "mode": "workflow", "icon": "🤖", "description": f"What {name} does."},
        "workflow": {
            "graph": {
                "nodes": [{"id": node_id, "type": "custom", "data": data} for node_id, data in row],
                "edges": [
                    {
                        "id": f"{a}-{b}",
                        "source": a,
                        "target": b,
                        "sourceHandle": "source",
                        "targetHandle": "target",
                    }
                    for (a, _), (b, _) in pairs
                ],
            },
            "features": {},
            "environment_variables": [],
            "conversation_variables": [],
        },
    }
    return json.dumps(document)


def tool_node(kind: str, provider: str, name: str, *, provider_name: str = "", **arguments: str) -> dict[str, Any]:
    """A tool node `tool` whose arguments are templates."""
    return {
        "id": "tool",
        "type": "tool",
        "title": "Tool",
        "provider_id": provider,
        "provider_type": kind,
        "provider_name": provider_name or provider,
        "tool_name": name,
        "tool_label": name,
        "tool_configurations": {},
        "tool_parameters": {key: {"type": "mixed", "value": value} for key, value in arguments.items()},
    }


def template_node(template: str) -> dict[str, Any]:
    """A template node `made` that has `word`."""
    return {
        "id": "made",
        "type": "template-transform",
        "title": "Made",
        "template": template,
        "variables": [{"variable": "word", "value_selector": ["start", "word"]}],
    }


def llm_node() -> dict[str, Any]:
    return {
        "id": "llm",
        "type": "llm",
        "title": "LLM",
        "model": {"provider": "demo", "name": "demo", "mode": "chat", "completion_params": {}},
        "prompt_template": [{"role": "user", "text": "{{#start.word#}}"}],
        "context": {"enabled": False, "variable_selector": []},
        "vision": {"enabled": False},
    }


async def published(console: AsyncClient, content: str) -> dict[str, Any]:
    app = await add_app(console, content)
    answer = await console.post(f"/apps/{app['id']}/publish", json={"note": ""})
    assert answer.status_code == 200, answer.text
    return app


async def run(console: AsyncClient, app: dict[str, Any], **inputs: str) -> list[dict[str, Any]]:
    """The events of a run of an app's draft."""
    events: list[dict[str, Any]] = []
    async with console.stream("POST", f"/apps/{app['id']}/run", json={"inputs": inputs}) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                events.append(json.loads(line[6:]))
    return events


def finish_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    return next(event["data"] for event in events if event["event"] == "workflow_finished")
