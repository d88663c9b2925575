"""Every app file of ours: read, checked, compiled, drawn, and written back unchanged."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dsl.samples import OWN_FILES
from tidemill.dsl import canvas, check, compile, read, write
from tidemill.engine.node import REGISTRY

VERSIONS = {
    *("0.1.0", "0.1.1", "0.1.2", "0.1.3", "0.1.4", "0.1.5", "0.2.0"),
    *("0.3.0", "0.3.1", "0.4.0", "0.5.0", "0.6.0", "0.7.0"),
}
MODES = {"workflow", "advanced-chat", "chat", "completion", "agent-chat", "agent", "rag-pipeline"}

NODE_TYPES = {
    *("start", "end", "answer", "llm", "knowledge-retrieval", "question-classifier", "if-else", "code"),
    *("template-transform", "http-request", "tool", "agent", "variable-aggregator", "variable-assigner", "assigner"),
    *("parameter-extractor", "iteration", "iteration-start", "loop", "loop-start", "loop-end", "list-operator"),
    *("document-extractor", "human-input", "trigger-webhook", "trigger-schedule", "trigger-plugin", "datasource"),
    *("knowledge-index", ""),
}

every_file = pytest.mark.parametrize("path", OWN_FILES, ids=[path.stem for path in OWN_FILES])


def test_there_is_a_file_of_every_version_mode_and_node_type():
    apps = [read(path.read_bytes()) for path in OWN_FILES]
    kinds = Counter(node["data"].get("type") for app in apps for node in app.nodes)

    assert len(apps) >= 40
    assert {app.version for app in apps} >= VERSIONS
    assert any("version" not in app.document for app in apps)
    assert {app.mode for app in apps} == MODES
    assert set(kinds) >= NODE_TYPES
    assert {kind for kind, _ in REGISTRY} >= NODE_TYPES - {""}


@every_file
def test_it_has_no_errors(path: Path):
    report = check(read(path.read_bytes()))

    assert [problem.message for problem in report.errors] == []


@every_file
def test_it_compiles_and_has_a_form(path: Path):
    app = compile(read(path.read_bytes()))

    assert len(app.form()) == len(app.inputs)
    assert all(len(field) == 1 for field in app.form())


@every_file
def test_its_export_is_stable(path: Path):
    exported = write(read(path.read_bytes()))

    assert write(read(exported)) == exported


@every_file
def test_its_document_survives_the_export(path: Path):
    app = read(path.read_bytes())

    assert read(write(app, include_secrets=True)).nodes == [_travelled(node) for node in app.nodes]


@every_file
def test_it_is_drawn_with_a_handle_for_every_line(path: Path):
    picture = canvas(read(path.read_bytes()))

    handles = {(node.id, handle.id) for node in picture.nodes for handle in node.handles}
    assert {(line.source, line.handle) for line in picture.edges} <= handles


_BLANKED = ("webhook_url", "webhook_debug_url", "subscription_id")


def _travelled(node: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {
        key: "" if key in _BLANKED else value for key, value in node["data"].items() if key != "credential_id"
    }
    if data.get("type") == "trigger-schedule" and "config" in data:
        data["config"] = {
            "mode": "visual",
            "frequency": "daily",
            "visual_config": {"time": "12:00 AM", "on_minute": 0, "weekdays": ["sun"], "monthly_days": [1]},
            "timezone": "UTC",
        }
    if data.get("type") == "agent" and "tools" in data.get("agent_parameters", {}):
        parameters = data["agent_parameters"]
        tools = [{k: v for k, v in tool.items() if k != "credential_id"} for tool in parameters["tools"]["value"]]
        data["agent_parameters"] = {**parameters, "tools": {**parameters["tools"], "value": tools}}
    return {**node, "data": data}
