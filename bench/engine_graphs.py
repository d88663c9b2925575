#!/usr/bin/env python3
"""Dify-DSL workflows for engine benchmarks.

    engine_graphs.py chain 50 > chain50.yml
    engine_graphs.py all --out graphs/          the standard set, one file each

As a library: `chain(50)` gives the DSL as a dict, `dumps(...)` as YAML (JSON, a subset of
YAML, when PyYAML is not installed). Every graph starts from one text variable `x` and ends
in one output `out`; EXPECT says what `out` must be for x = "a", so that a benchmark can check
that the engine did the work. Nothing here needs a model, a network or (save `code` and
`iteration` with source="code") a code sandbox.
"""

# pyright: basic
from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from graph_builder import Graph, Selector


def chain(n: int = 50, kind: str = "mixed") -> dict[str, Any]:
    """start, n nodes one after the other, end.  kind: template | aggregator | mixed (alternating)."""
    g = Graph(f"chain-{kind}-{n}")
    g.start()
    prev, sel = "start", ("start", "x")
    for i in range(n):
        if kind == "aggregator" or (kind == "mixed" and i % 2):
            node = g.aggregator(f"n{i}", sel)
        else:
            node = g.template(f"n{i}", "{{ v }}", v=sel)
        g.edge(prev, node)
        prev, sel = node, (node, "output")
    g.edge(prev, g.end(sel))
    return g.dsl()


def fanout(k: int = 50, depth: int = 1) -> dict[str, Any]:
    """start -> k parallel branches of `depth` template nodes -> one template that joins them -> end."""
    g = Graph(f"fanout-{k}x{depth}")
    g.start()
    ends: list[Selector] = []
    for b in range(k):
        prev, sel = "start", ("start", "x")
        for d in range(depth):
            node = g.template(f"b{b}_{d}", "{{ v }}" + str(b % 10), v=sel)
            g.edge(prev, node)
            prev, sel = node, (node, "output")
        ends.append(sel)
    text = "".join(f"{{{{ v{i} }}}}" for i in range(k))
    join = g.template("join", text, "", **{f"v{i}": s for i, s in enumerate(ends)})
    for s in ends:
        g.edge(s[0], join)
    g.edge(join, g.end((join, "output")))
    return g.dsl()


def if_tree(depth: int = 5) -> dict[str, Any]:
    """A full binary tree of if-else nodes; only one of the 2^depth leaves runs, an aggregator takes its value."""
    g = Graph(f"if-tree-{depth}")
    g.start()
    leaves: list[str] = []

    def grow(path: str, parent: str, handle: str) -> None:
        if len(path) == depth:
            leaf = g.template(f"leaf_{path}", "{{ v }}-" + path, v=("start", "x"))
            g.edge(parent, leaf, handle)
            leaves.append(leaf)
            return
        node = g.if_else(f"if_{path or 'root'}", ("start", "x"), "a" if len(path) % 2 == 0 else "zzz")
        g.edge(parent, node, handle)
        grow(path + "1", node, "true")
        grow(path + "0", node, "false")

    grow("", "start", "source")
    agg = g.aggregator("agg", *((x, "output") for x in leaves))
    for x in leaves:
        g.edge(x, agg)
    g.edge(agg, g.end((agg, "output")))
    return g.dsl()


def iteration(m: int = 100, parallel: int = 0, source: str = "input", body: int = 1) -> dict[str, Any]:
    """Iteration over m items, `body` template nodes each; parallel > 0: that many at a time.

    source "input": the list is `list` of the start variable `items`, a JSON object; "code": a code node
    makes it (needs the sandbox)."""
    g = Graph(f"iteration-{m}-{f'par{parallel}' if parallel else 'seq'}")
    items = {"variable": "items", "label": "items", "type": "json_object", "required": False}
    g.start(*([items] if source == "input" else []))
    prev, sel = "start", ("start", "items", "list")
    if source == "code":
        listing = f"def main(x):\n    return {{'result': [x + str(i) for i in range({m})]}}"
        prev = g.code("list", listing, "array[string]", x=("start", "x"))
        g.edge("start", prev)
        sel = ("list", "result")
    it = g.node(
        "iter",
        "iteration",
        iterator_selector=list(sel),
        iterator_input_type="array[string]",
        output_selector=[f"t{body - 1}", "output"],
        output_type="array[string]",
        is_parallel=bool(parallel),
        parallel_nums=parallel or 10,
        error_handle_mode="terminated",
        flatten_output=False,
        start_node_id="iterstart",
        height=200,
        width=600,
    )
    g.edge(prev, it)
    g.node("iterstart", "iteration-start", it, "custom-iteration-start")
    p, s = "iterstart", ("iter", "item")
    for i in range(body):
        t = g.template(f"t{i}", "{{ v }}!", it, v=s)
        g.edge(p, t, parent=it)
        p, s = t, (t, "output")
    join = g.template("join", "{{ v | length }}", v=("iter", "output"))
    g.edge(it, join)
    g.edge(join, g.end((join, "output")))
    return g.dsl()


def loop(rounds: int = 50) -> dict[str, Any]:
    """A loop of so many rounds over one template node."""
    g = Graph(f"loop-{rounds}")
    g.start()
    lp = g.node(
        "loop",
        "loop",
        loop_count=rounds,
        break_conditions=[],
        logical_operator="and",
        error_handle_mode="terminated",
        loop_variables=[{"id": "lv", "label": "acc", "var_type": "string", "value_type": "constant", "value": "a"}],
        start_node_id="loopstart",
        height=200,
        width=600,
    )
    g.edge("start", lp)
    g.node("loopstart", "loop-start", lp, "custom-loop-start")
    t = g.template("t", "{{ v }}", lp, v=("loop", "acc"))
    g.edge("loopstart", t, parent=lp)
    join = g.template("join", "{{ v }}", v=("loop", "acc"))
    g.edge(lp, join)
    g.edge(join, g.end((join, "output")))
    return g.dsl()


def code(n: int = 10) -> dict[str, Any]:
    """A chain of n code nodes (needs the platform's sandbox)."""
    g = Graph(f"code-{n}")
    g.start()
    prev, sel = "start", ("start", "x")
    for i in range(n):
        c = g.code(f"c{i}", "def main(v):\n    return {'result': v}", v=sel)
        g.edge(prev, c)
        prev, sel = c, (c, "result")
    g.edge(prev, g.end(sel))
    return g.dsl()


def small() -> dict[str, Any]:
    """start -> if-else -> two variable-aggregators -> variable-aggregator -> end.

    The platform benchmark without a model; no template node, because on Dify that costs a sandbox call."""
    g = Graph("small")
    g.start()
    c = g.if_else("cond", ("start", "x"), "a")
    g.edge("start", c)
    yes = g.aggregator("yes", ("start", "x"))
    no = g.aggregator("no", ("start", "x"))
    g.edge(c, yes, "true")
    g.edge(c, no, "false")
    a = g.aggregator("agg", (yes, "output"), (no, "output"))
    g.edge(yes, a)
    g.edge(no, a)
    g.edge(a, g.end((a, "output")))
    return g.dsl()


def llm(
    model: str = "mock-200tok-0ms",
    provider: str = "langgenius/openai/openai",
    mode: str = "workflow",
    chat: bool = False,
) -> dict[str, Any]:
    """start -> llm -> end (or, as a chatflow, answer): the platform benchmark with a model."""
    g = Graph("llm-" + model, "advanced-chat" if chat or mode == "advanced-chat" else mode)
    if g.mode == "advanced-chat":
        g.node("start", "start", variables=[])
        n = g.llm("llm", "{{#sys.query#}}", model, provider)
    else:
        g.start()
        n = g.llm("llm", "{{#start.x#}}", model, provider)
    g.edge("start", n)
    g.edge(n, g.end((n, "text")))
    return g.dsl()


KINDS: dict[str, Callable[..., dict[str, Any]]] = {
    f.__name__: f for f in (chain, fanout, if_tree, iteration, loop, code, small, llm)
}
STANDARD: dict[str, Callable[[], dict[str, Any]]] = {
    "chain50": lambda: chain(50),
    "chain200": lambda: chain(200),
    "chain50_template": lambda: chain(50, "template"),
    "chain50_aggregator": lambda: chain(50, "aggregator"),
    "chain200_template": lambda: chain(200, "template"),
    "chain200_aggregator": lambda: chain(200, "aggregator"),
    "fanout50": lambda: fanout(50),
    "fanout10x10": lambda: fanout(10, 10),
    "if_tree5": lambda: if_tree(5),
    "iter100_seq": lambda: iteration(100),
    "iter100_par10": lambda: iteration(100, 10),
    "loop50": lambda: loop(50),
    "code10": lambda: code(10),
    "small": small,
    "llm": llm,
    "chatflow": lambda: llm(chat=True),
}
EXPECT = {
    "chain50": "a",
    "chain200": "a",
    "chain50_template": "a",
    "chain50_aggregator": "a",
    "chain200_template": "a",
    "chain200_aggregator": "a",
    "fanout50": "".join(f"a{i % 10}" for i in range(50)),
    "if_tree5": "a-10101",
    "iter100_seq": "100",
    "iter100_par10": "100",
    "loop50": "a",
    "code10": "a",
    "small": "a",
}
NODES_RUN = {
    "chain50": 52,
    "chain200": 202,
    "chain50_template": 52,
    "chain50_aggregator": 52,
    "chain200_template": 202,
    "chain200_aggregator": 202,
    "fanout50": 53,
    "fanout10x10": 103,
    "if_tree5": 9,
    "iter100_seq": 204,
    "iter100_par10": 204,
    "loop50": 104,
    "code10": 12,
    "small": 5,
    "llm": 3,
    "chatflow": 3,
}


def nodes_run(name: str) -> int:
    """Node executions of one run of a standard graph (for a cost per node)."""
    return NODES_RUN[name]


def dumps(dsl: dict[str, Any]) -> str:
    try:
        import yaml  # optional: where a peer is measured, PyYAML may be missing
    except ImportError:
        return json.dumps(dsl, ensure_ascii=False, indent=1)
    return yaml.safe_dump(dsl, allow_unicode=True, sort_keys=False)


def main() -> None:
    ap = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ap.add_argument("kind", choices=[*sorted(KINDS), "all"])
    ap.add_argument("args", nargs="*", help="of the generator, in order")
    ap.add_argument("--out", default="graphs", help="folder, with `all`")
    a = ap.parse_args()
    if a.kind == "all":
        os.makedirs(a.out, exist_ok=True)
        for name, f in STANDARD.items():
            with open(os.path.join(a.out, name + ".yml"), "w") as fh:
                fh.write(dumps(f()))
        print("\n".join(STANDARD))
    else:
        sys.stdout.write(dumps(KINDS[a.kind](*[int(x) if x.lstrip("-").isdigit() else x for x in a.args])))


if __name__ == "__main__":
    main()
