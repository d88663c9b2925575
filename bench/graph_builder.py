"""Builds one Dify-DSL workflow, node by node and edge by edge, for `engine_graphs.py`."""

# pyright: basic
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

VERSION = "0.5.0"
FEATURES = {
    "file_upload": {
        "enabled": False,
        "allowed_file_types": ["image"],
        "allowed_file_extensions": [],
        "allowed_file_upload_methods": ["local_file"],
        "number_limits": 3,
        "image": {"enabled": False, "number_limits": 3, "transfer_methods": ["local_file"]},
    },
    "opening_statement": "",
    "retriever_resource": {"enabled": False},
    "sensitive_word_avoidance": {"enabled": False},
    "speech_to_text": {"enabled": False},
    "suggested_questions": [],
    "suggested_questions_after_answer": {"enabled": False},
    "text_to_speech": {"enabled": False, "language": "", "voice": ""},
}

Selector = tuple[str, ...]


def text_variables(selectors: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [{"variable": k, "value_selector": list(v), "value_type": "string"} for k, v in selectors.items()]


class Graph:
    def __init__(self, name: str, mode: str = "workflow") -> None:
        self.name, self.mode = name, mode
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, Any]] = []
        self.types: dict[str, str] = {}

    def node(self, id: str, type: str, parent: str = "", kind: str = "", **data: Any) -> str:
        d = {"type": type, "title": id, "desc": "", "selected": False, **data}
        n: dict[str, Any] = {
            "id": id,
            "type": kind or "custom",
            "data": d,
            "height": 54,
            "width": 244,
            "position": {"x": 80 + 300 * len(self.nodes), "y": 280},
            "positionAbsolute": {"x": 80 + 300 * len(self.nodes), "y": 280},
            "sourcePosition": "right",
            "targetPosition": "left",
            "selected": False,
        }
        if parent:
            n["parentId"] = parent
            it = self.types[parent] == "iteration"
            d["isInIteration" if it else "isInLoop"] = True
            d["iteration_id" if it else "loop_id"] = parent
            n["zIndex"] = 1002
        self.nodes.append(n)
        self.types[id] = type
        return id

    def edge(self, a: str, b: str, handle: str = "source", parent: str = "") -> None:
        d: dict[str, Any] = {
            "sourceType": self.types[a],
            "targetType": self.types[b],
            "isInIteration": bool(parent) and self.types[parent] == "iteration",
            "isInLoop": bool(parent) and self.types[parent] == "loop",
        }
        if parent:
            d["iteration_id" if d["isInIteration"] else "loop_id"] = parent
        edge = {
            "id": f"{a}-{handle}-{b}-target",
            "source": a,
            "target": b,
            "sourceHandle": handle,
            "targetHandle": "target",
            "type": "custom",
            "zIndex": 1002 if parent else 0,
            "data": d,
        }
        self.edges.append(edge)

    def start(self, *more: dict[str, Any]) -> str:
        x = {"variable": "x", "label": "x", "type": "paragraph", "required": False, "max_length": 100000, "options": []}
        return self.node("start", "start", variables=[x, *more])

    def template(self, id: str, template: str, parent: str = "", **selectors: Selector) -> str:
        variables = text_variables(selectors)
        return self.node(id, "template-transform", parent, template=template, variables=variables)

    def aggregator(self, id: str, *selectors: Selector, parent: str = "") -> str:
        variables = [list(s) for s in selectors]
        return self.node(id, "variable-aggregator", parent, output_type="string", variables=variables)

    def if_else(self, id: str, selector: Selector, word: str, op: str = "contains") -> str:
        condition = {
            "id": id + "-c",
            "comparison_operator": op,
            "value": word,
            "varType": "string",
            "variable_selector": list(selector),
        }
        case = {"id": "true", "case_id": "true", "logical_operator": "and", "conditions": [condition]}
        return self.node(id, "if-else", cases=[case])

    def code(self, id: str, source: str, out_type: str = "string", parent: str = "", **selectors: Selector) -> str:
        return self.node(
            id,
            "code",
            parent,
            code_language="python3",
            code=source,
            outputs={"result": {"type": out_type, "children": None}},
            variables=text_variables(selectors),
        )

    def end(self, selector: Selector) -> str:
        if self.mode == "advanced-chat":
            return self.node("answer", "answer", answer="{{#" + ".".join(selector) + "#}}", variables=[])
        return self.node("end", "end", outputs=text_variables({"out": selector}))

    def llm(self, id: str, prompt: str, model: str, provider: str, **params: Any) -> str:
        return self.node(
            id,
            "llm",
            model={"provider": provider, "name": model, "mode": "chat", "completion_params": params},
            prompt_template=[{"id": id + "-p", "role": "user", "text": prompt}],
            variables=[],
            context={"enabled": False, "variable_selector": []},
            vision={"enabled": False},
            structured_output_enabled=False,
        )

    def dsl(self) -> dict[str, Any]:
        app = {
            "description": "",
            "icon": "\U0001f916",
            "icon_background": "#FFEAD5",
            "mode": self.mode,
            "name": self.name,
            "use_icon_as_answer_icon": False,
        }
        workflow = {
            "conversation_variables": [],
            "environment_variables": [],
            "features": FEATURES,
            "graph": {"nodes": self.nodes, "edges": self.edges, "viewport": {"x": 0, "y": 0, "zoom": 1}},
        }
        return {"app": app, "dependencies": [], "kind": "app", "version": VERSION, "workflow": workflow}
