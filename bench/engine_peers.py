"""The engines `engine_bench.py` knows by name: no engine at all, and what other people's packages offer.

The packages are not ours to install: an engine whose package is missing raises ImportError when it is made.
"""

# pyright: basic
from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Annotated, Any, Protocol, TypedDict

import jinja2
import yaml

Values = dict[tuple[str, ...], Any]


class Engine(Protocol):
    def load(self, text: str) -> Any:
        """Parse and compile; once per published workflow."""
        ...

    def start(self, workflow: Any, inputs: Mapping[str, Any]) -> Any:
        """Whatever one run needs before it can go."""
        ...

    def go(self, run: Any) -> Mapping[str, Any]:
        """Outputs of the end node."""
        ...


class CannotRun(Exception):
    """The engine, or this bench's use of it, has no way to run the graph."""


class Graphon:
    def __init__(self) -> None:
        self.dsl = import_module("graphon.dsl")

    def load(self, text: str) -> Any:
        self.dsl.inspect(text)  # parse, normalise, plan
        return text

    def start(self, workflow: Any, inputs: Mapping[str, Any]) -> Any:
        return self.dsl.loads(workflow, start_inputs=inputs, workflow_id="bench")

    def go(self, run: Any) -> Mapping[str, Any]:
        last = deque(run.run(), maxlen=1)  # the last event has the outputs
        out = getattr(last[0], "outputs", None) if last else None
        if out is None:
            raise RuntimeError(repr(last)[:400])
        return dict(out)


class GraphonParsed(Graphon):
    """graphon with the YAML parse taken out of every run: what a host that keeps the parsed DSL pays."""

    def load(self, text: str) -> Any:
        return yaml.safe_load(text)

    def start(self, workflow: Any, inputs: Mapping[str, Any]) -> Any:
        importer: Any = import_module("graphon.dsl.importer")
        keep = importer._parse_yaml
        importer._parse_yaml = lambda _: copy.copy(workflow)
        try:
            return super().start("", inputs)
        finally:
            importer._parse_yaml = keep


def plan(text: str) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    graph = yaml.safe_load(text)["workflow"]["graph"]
    return {n["id"]: n["data"] for n in graph["nodes"]}, graph["edges"]


def node_function(node_id: str, d: Mapping[str, Any]) -> Callable[[Values], Values]:
    """A node's own work: from the values so far to its outputs."""
    kind = d["type"]
    if kind == "template-transform":
        template = jinja2.Environment().from_string(d["template"])
        named = [(v["variable"], tuple(v["value_selector"])) for v in d["variables"]]
        return lambda vals: {(node_id, "output"): template.render({k: vals[s] for k, s in named})}
    if kind == "variable-aggregator":
        selectors = [tuple(s) for s in d["variables"]]
        return lambda vals: {(node_id, "output"): next((vals[s] for s in selectors if s in vals), None)}
    if kind == "end":
        named = [(o["variable"], tuple(o["value_selector"])) for o in d["outputs"]]
        return lambda vals: {("end", k): vals[s] for k, s in named}
    if kind in ("start", "if-else"):
        return lambda vals: {}
    raise CannotRun(f"no function for a node of type {kind}")


def route(d: Mapping[str, Any]) -> Callable[[Values], str]:
    """The handle an if-else node leaves by."""
    condition = d["cases"][0]["conditions"][0]
    selector, word = tuple(condition["variable_selector"]), condition["value"]
    return lambda vals: "true" if word in vals[selector] else "false"


def start_values(inputs: Mapping[str, Any]) -> Values:
    return {("start", k): v for k, v in inputs.items()}


class Inline:
    """No engine: the nodes' own work in topological order (the cost floor)."""

    def load(self, text: str) -> Any:
        nodes, edges = plan(text)
        functions = {k: node_function(k, d) for k, d in nodes.items()}
        routes = {k: route(d) for k, d in nodes.items() if d["type"] == "if-else"}
        out: dict[str, list[tuple[str, str]]] = {}
        incoming = dict.fromkeys(nodes, 0)
        for e in edges:
            out.setdefault(e["source"], []).append((e["sourceHandle"], e["target"]))
            incoming[e["target"]] += 1
        order: list[str] = []
        todo = [n for n, k in incoming.items() if not k]
        while todo:
            n = todo.pop(0)
            order.append(n)
            for _, t in out.get(n, ()):
                incoming[t] -= 1
                if not incoming[t]:
                    todo.append(t)
        return order, functions, routes, out

    def start(self, workflow: Any, inputs: Mapping[str, Any]) -> Any:
        return workflow, start_values(inputs)

    def go(self, run: Any) -> Mapping[str, Any]:
        (order, functions, routes, out), vals = run
        live = {"start"}
        for n in order:
            if n in live:
                vals.update(functions[n](vals))
                leaves_by = routes[n](vals) if n in routes else "source"
                for handle, t in out.get(n, ()):
                    if handle == leaves_by:
                        live.add(t)
        return {"out": vals[("end", "out")]}


def _merge(a: dict[Any, Any], b: dict[Any, Any]) -> dict[Any, Any]:
    return {**a, **b}


class State(TypedDict):
    vals: Annotated[dict[Any, Any], _merge]


class LangGraph:
    def __init__(self) -> None:
        self.lib = import_module("langgraph.graph")

    def load(self, text: str) -> Any:
        nodes, edges = plan(text)
        g = self.lib.StateGraph(State)
        for k, d in nodes.items():
            f = node_function(k, d)
            g.add_node(k, lambda s, f=f: {"vals": f(s["vals"])})
        g.add_edge(self.lib.START, "start")
        choices = {k: route(d) for k, d in nodes.items() if d["type"] == "if-else"}
        for k, choose in choices.items():
            targets = {e["sourceHandle"]: e["target"] for e in edges if e["source"] == k}
            g.add_conditional_edges(k, lambda s, choose=choose: choose(s["vals"]), targets)
        into: dict[str, list[str]] = {}
        for e in edges:
            if e["source"] not in choices:
                into.setdefault(e["target"], []).append(e["source"])
        for t, sources in into.items():
            if len(sources) == 1 or choices:
                for s in sources:
                    g.add_edge(s, t)
            else:
                g.add_edge(sources, t)
        g.add_edge("end", self.lib.END)
        return g.compile()

    def start(self, workflow: Any, inputs: Mapping[str, Any]) -> Any:
        return workflow, {"vals": start_values(inputs)}

    def go(self, run: Any) -> Mapping[str, Any]:
        app, state = run
        return {"out": app.invoke(state, {"recursion_limit": 10000})["vals"][("end", "out")]}


class LangGraphAsync(LangGraph):
    def go(self, run: Any) -> Mapping[str, Any]:
        app, state = run
        return {"out": asyncio.run(app.ainvoke(state, {"recursion_limit": 10000}))["vals"][("end", "out")]}


def _step(f: Callable[[Values], Values]) -> Callable[[Any], Awaitable[None]]:
    async def step(ctx: Any) -> None:
        ctx.state.update(f(ctx.state))

    return step


class PydanticGraph:
    """Chains only: one step per node, joined by edges."""

    def __init__(self) -> None:
        self.builder = import_module("pydantic_graph").GraphBuilder

    def load(self, text: str) -> Any:
        nodes, edges = plan(text)
        if any(d["type"] == "if-else" for d in nodes.values()) or len(edges) != len(nodes) - 1:
            raise CannotRun("chains only")
        g = self.builder(state_type=dict, input_type=type(None), output_type=type(None))
        prev = g.start_node
        for k, d in nodes.items():
            added = g.step(_step(node_function(k, d)), node_id=k)
            g.add(g.edge_from(prev).to(added))
            prev = added
        g.add(g.edge_from(prev).to(g.end_node))
        return g.build()

    def start(self, workflow: Any, inputs: Mapping[str, Any]) -> Any:
        return workflow, start_values(inputs)

    def go(self, run: Any) -> Mapping[str, Any]:
        graph, vals = run
        asyncio.run(graph.run(state=vals))
        return {"out": vals[("end", "out")]}


BUILT_IN: dict[str, Callable[[], Engine]] = {
    "graphon": Graphon,
    "graphon_parsed": GraphonParsed,
    "langgraph": LangGraph,
    "langgraph_async": LangGraphAsync,
    "pydantic_graph": PydanticGraph,
    "inline": Inline,
}


def engine_of(name: str) -> Engine:
    """A built-in engine, or the object (a class is called) that `module:attribute` names."""
    if name in BUILT_IN:
        return BUILT_IN[name]()
    module, _, attribute = name.partition(":")
    found = getattr(import_module(module), attribute)
    return found() if isinstance(found, type) else found
