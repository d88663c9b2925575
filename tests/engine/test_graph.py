from __future__ import annotations

import pytest

from engine.probes import edges, node
from tidemill.engine.errors import GraphInvalid
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec
from tidemill.engine.plan import Plan


def problems_of(nodes: list[NodeSpec], *lines: str) -> list[str]:
    with pytest.raises(GraphInvalid) as caught:
        Graph.build(nodes, edges(*lines))
    return caught.value.problems


def plan_of(nodes: list[NodeSpec], *lines: str) -> Plan:
    graph = Graph.build(nodes, edges(*lines))
    return graph.plan(graph.roots[0])


def test_two_nodes_with_one_id_are_refused():
    assert problems_of([node("a", "begin"), node("a", "copy")]) == [
        "Two nodes have the id a. Give one of them another."
    ]


def test_an_edge_to_a_missing_node_is_named():
    assert problems_of([node("a", "begin")], "a > gone") == [
        "The edge from a to gone ends at the node gone, which does not exist."
    ]


def test_a_cycle_is_named_without_what_comes_after_it():
    nodes = [node("s", "begin"), node("a", "copy"), node("b", "copy"), node("after", "copy")]

    (problem,) = problems_of(nodes, "s > a > b > a", "b > after")

    assert '"a" (a), "b" (b) form a cycle' in problem
    assert "after" not in problem


def test_a_graph_without_a_start_is_refused():
    assert problems_of([node("a", "copy")]) == ["The app has no start: add a start node or a trigger."]


def test_a_container_without_start_is_refused():
    nodes = [node("s", "begin"), node("box", "repeat", start="nowhere")]

    assert problems_of(nodes, "s > box") == ['The container "box" (box) has no start node inside.']


def test_an_edge_across_a_containers_border_is_refused():
    nodes = [node("s", "begin"), node("box", "repeat", start="in"), node("in", "copy", "box")]

    (problem,) = problems_of(nodes, "s > box", "s > in")

    assert problem == 'The edge from "s" (s) to "in" (in) crosses the border of a container.'


def test_wrong_configurations_are_all_told_at_once():
    nodes = [node("s", "begin"), node("a", "work", fail_times="x"), node("b", "write")]

    problems = problems_of(nodes, "s > a", "s > b")

    assert len(problems) == 3
    assert problems[0].startswith('Node "a" (a), fail_times: ')
    assert {problem.split(":")[0] for problem in problems[1:]} == {'Node "b" (b), target', 'Node "b" (b), source'}


def test_nesting_is_limited():
    nodes = [node("s", "begin")]
    parent = None
    for depth in range(52):
        nodes.append(node(f"c{depth}", "repeat", parent, start=f"c{depth + 1}"))
        parent = f"c{depth}"
    nodes.append(node("c52", "copy", parent))

    assert any("nested deeper than 50 levels" in problem for problem in problems_of(nodes, "s > c0"))


def test_a_repeated_edge_counts_once():
    plan = plan_of([node("s", "begin"), node("a", "copy")], "s > a", "s > a")

    assert plan.in_degree == [0, 1]


def test_a_parent_that_does_not_exist_counts_as_none():
    graph = Graph.build([node("s", "begin"), node("a", "copy", "ghost")], edges("s > a"))

    assert set(graph.nodes) == {"s", "a"}


def test_what_a_root_cannot_reach_is_not_planned():
    nodes = [node("s", "begin"), node("t", "begin"), node("a", "copy"), node("b", "copy")]

    graph = Graph.build(nodes, edges("s > a", "t > b", "t > a"))

    assert [planned.id for planned in graph.plan("s").nodes] == ["s", "a"]
    assert graph.plan("s").in_degree == [0, 1]
    assert graph.plan("t") is graph.plan("t")


def test_walk_visits_every_level():
    nodes = [node("s", "begin"), node("box", "repeat", start="in"), node("in", "copy", "box")]

    graph = Graph.build(nodes, edges("s > box"))

    assert [planned.id for planned in graph.walk()] == ["s", "box", "in"]


def test_an_unknown_type_loads():
    graph = Graph.build([node("s", "begin"), NodeSpec(id="x", type="from-the-future", data={})], [EdgeSpec("s", "x")])

    assert graph.nodes["x"].type == "from-the-future"
