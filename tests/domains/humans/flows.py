"""App files that ask people, and how to wait for what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

APPROVE = {"id": "approve", "title": "Approve", "button_style": "primary"}
REJECT = {"id": "reject", "title": "Reject", "button_style": "default"}
COMMENT = {"type": "paragraph", "output_variable_name": "comment"}
PAGE = {"id": "w", "type": "webapp", "enabled": True, "config": {}}
MAIL = {"id": "m", "type": "email", "enabled": True, "config": {}}
Edge = tuple[str, str, str]


def node(node_id: str, kind: str, **data: Any) -> dict[str, Any]:
    return {
        "id": node_id,
        "type": "custom",
        "data": {"title": node_id, "type": kind, **data},
        "position": {"x": 0, "y": 0},
    }


def human(node_id: str = "ask", **data: Any) -> dict[str, Any]:
    form = {
        "delivery_methods": [PAGE],
        "form_content": "Draft: {{#start.x#}}. Note: {{#$output.comment#}}",
        "inputs": [COMMENT],
        "user_actions": [APPROVE, REJECT],
        "timeout": 36,
        "timeout_unit": "hour",
    }
    return node(node_id, "human-input", **{**form, **data})


def start() -> dict[str, Any]:
    field = {"variable": "x", "label": "X", "type": "text-input", "required": False, "max_length": 100}
    return node("start", "start", variables=[field])


def end(node_id: str, **outputs: Sequence[str]) -> dict[str, Any]:
    named = [{"variable": name, "value_selector": list(selector)} for name, selector in outputs.items()]
    return node(node_id, "end", outputs=named)


def document(mode: str, nodes: Sequence[Mapping[str, Any]], edges: Sequence[Edge]) -> dict[str, Any]:
    lines = [
        {"id": f"{a}-{handle}-{b}", "source": a, "target": b, "sourceHandle": handle, "targetHandle": "target"}
        for a, handle, b in edges
    ]
    return {
        "app": {"mode": mode, "name": "Approval", "description": "", "icon": "🤖", "icon_background": "#FFFFFF"},
        "kind": "app",
        "version": "0.6.0",
        "workflow": {
            "conversation_variables": [],
            "environment_variables": [],
            "features": {},
            "graph": {"nodes": list(nodes), "edges": lines},
        },
    }


def approval(**data: Any) -> dict[str, Any]:
    """start (x) -> ask -> yes | no | late."""
    nodes = [
        start(),
        human(**data),
        end("yes", comment=["ask", "comment"], action=["ask", "__action_value"]),
        end("no", comment=["ask", "comment"]),
        end("late", action=["ask", "__action_id"]),
    ]
    edges = [
        ("start", "source", "ask"),
        ("ask", "approve", "yes"),
        ("ask", "reject", "no"),
        ("ask", "__timeout", "late"),
    ]
    return document("workflow", nodes, edges)


def chatflow() -> dict[str, Any]:
    """start -> before (answer) -> ask -> after (answer)."""
    nodes = [
        start(),
        node("before", "answer", answer="One moment. ", variables=[]),
        human(form_content="They said {{#sys.query#}}. {{#$output.comment#}}"),
        node("after", "answer", answer="{{#ask.__action_value#}}: {{#ask.comment#}}", variables=[]),
    ]
    edges = [("start", "source", "before"), ("before", "source", "ask"), ("ask", "approve", "after")]
    return document("advanced-chat", nodes, edges)


def two_people() -> dict[str, Any]:
    """Two forms at once, then an end that shows both answers."""
    nodes = [
        start(),
        human("ann"),
        human("bob"),
        end("end", ann=["ann", "comment"], bob=["bob", "comment"]),
    ]
    edges = [
        ("start", "source", "ann"),
        ("start", "source", "bob"),
        ("ann", "approve", "end"),
        ("bob", "approve", "end"),
    ]
    return document("workflow", nodes, edges)


def beside_a_model(model: str) -> dict[str, Any]:
    """A form, and a model's answer in another branch."""
    llm = node(
        "llm",
        "llm",
        model={"provider": "langgenius/openai/openai", "name": model, "mode": "chat", "completion_params": {}},
        prompt_template=[{"id": "p", "role": "user", "text": "hi"}],
        context={"enabled": False, "variable_selector": []},
        vision={"enabled": False},
    )
    nodes = [start(), human(), llm, end("yes", comment=["ask", "comment"]), end("said", text=["llm", "text"])]
    edges = [
        ("start", "source", "ask"),
        ("start", "source", "llm"),
        ("ask", "approve", "yes"),
        ("llm", "source", "said"),
    ]
    return document("workflow", nodes, edges)


def for_each() -> dict[str, Any]:
    """An iteration over two texts that asks about each."""
    code = "def main():\n    return {'items': ['a', 'b']}"
    outputs = {"items": {"type": "array[string]", "children": None}}
    inner = human(form_content="About {{#each.item#}}", iteration_id="each", isInIteration=True)
    begin = node("begin", "iteration-start", iteration_id="each", isInIteration=True)
    nodes = [
        start(),
        node("list", "code", code=code, code_language="python3", variables=[], outputs=outputs),
        node(
            "each",
            "iteration",
            iterator_selector=["list", "items"],
            output_selector=["ask", "comment"],
            output_type="array[string]",
            start_node_id="begin",
            is_parallel=False,
        ),
        {**begin, "parentId": "each"},
        {**inner, "parentId": "each"},
        end("end", all=["each", "output"]),
    ]
    edges = [
        ("start", "source", "list"),
        ("list", "source", "each"),
        ("begin", "source", "ask"),
        ("each", "source", "end"),
    ]
    return document("workflow", nodes, edges)
