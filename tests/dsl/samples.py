"""Sample documents for the tests of app files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidemill.dsl import AppFile, read

FIXTURES = Path(__file__).parents[1] / "fixtures" / "dsl"
OWN_FILES = sorted(FIXTURES.glob("*.yml"))

Document = dict[str, Any]


def fixture(name: str) -> AppFile:
    return read((FIXTURES / f"{name}.yml").read_bytes())


def node(node_id: str, kind: str, **data: Any) -> Document:
    """A node; `parent` names its container, everything else is its data."""
    parent = data.pop("parent", None)
    found: Document = {
        "id": node_id,
        "type": "custom",
        "data": {"type": kind, "title": data.pop("title", kind), **data},
    }
    return {**found, "parentId": parent} if parent else found


def edge(source: str, target: str, handle: str = "source") -> Document:
    return {"id": f"{source}-{target}", "source": source, "target": target, "sourceHandle": handle}


def workflow(nodes: Sequence[Document], edges: Sequence[Document] = (), **workflow: Any) -> Document:
    """A whole document of mode workflow."""
    mode = workflow.pop("mode", "workflow")
    return {
        "version": "0.6.0",
        "kind": "app",
        "app": {"name": "Sample", "mode": mode},
        "workflow": {"graph": {"nodes": list(nodes), "edges": list(edges)}, **workflow},
    }


def with_one(kind: str, **data: Any) -> AppFile:
    """An app of a start node and one other node, `x`."""
    nodes = [node("start", "start", variables=[]), node("x", kind, **data)]
    return AppFile.from_document(workflow(nodes, [edge("start", "x")]))


def with_root(kind: str, **data: Any) -> AppFile:
    """An app whose only node, `x`, begins its runs."""
    return AppFile.from_document(workflow([node("x", kind, **data)]))


def model_app(mode: str, **settings: Any) -> AppFile:
    """An app described by a model and a prompt."""
    model: Mapping[str, Any] = {"provider": "openai", "name": "gpt-4o", "mode": "chat", "completion_params": {}}
    document = {
        "version": "0.6.0",
        "kind": "app",
        "app": {"name": "Sample", "mode": mode},
        "model_config": {"model": model, "pre_prompt": "", **settings},
    }
    return AppFile.from_document(document)
