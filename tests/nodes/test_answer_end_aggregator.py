"""Answer, end and variable aggregator (reference `workflow-dsl.md`, 5.2, 5.3, 5.13)."""

from typing import Any

import pytest

from tidemill.engine.node import REGISTRY
from tidemill.engine.templates import TextSegment, VariableSegment
from tidemill.engine.testing import inspect_node, run_node
from tidemill.engine.values import File
from tidemill.nodes.answer import Answer
from tidemill.nodes.end import End
from tidemill.nodes.variable_aggregator import VariableAggregator

IMAGE = File(type="image", transfer_method="remote_url", filename="a.png", url="https://a.example/a.png")
TEXT = File(type="document", transfer_method="remote_url", filename="b.txt", url="https://a.example/b.txt")


async def test_an_answer_is_markdown_and_lists_every_file_it_shows():
    config = {"answer": "See {{#n.items#}}\n{{#n.one#}} {{#n.files#}}", "variables": []}
    values = {("n", "items"): ["x", "y"], ("n", "one"): IMAGE, ("n", "files"): [TEXT, IMAGE]}

    output = await run_node(Answer, config, values=values)

    assert output["answer"] == (
        "See - x\n- y\n![a.png](https://a.example/a.png) "
        "[b.txt](https://a.example/b.txt)\n![a.png](https://a.example/a.png)"
    )
    assert output["files"] == [IMAGE, TEXT, IMAGE]


async def test_a_reference_to_nothing_shows_its_bare_name():
    assert await run_node(Answer, {"answer": "a {{#n.gone#}} b"}) == {"answer": "a n.gone b", "files": []}


async def test_an_answer_says_its_segments_in_order():
    node = Answer.parse("n", {"answer": "Hi {{#a.text#}}!"})

    assert node.response() == (TextSegment("Hi "), VariableSegment(("a", "text")), TextSegment("!"))
    assert node.reads() == (("a", "text"),)


async def test_an_end_gives_null_for_what_does_not_exist():
    config = {
        "outputs": [
            {"variable": "a", "value_selector": ["n", "a"], "value_type": "String"},
            {"variable": "b", "value_selector": ["n", "gone"]},
            {"variable": "c", "value_selector": None},
        ]
    }

    assert await run_node(End, config, values={("n", "a"): [1]}) == {"a": [1], "b": None, "c": None}


def test_an_end_shows_its_variables_on_lines_of_their_own():
    config = {"outputs": [{"variable": name, "value_selector": ["n", name]} for name in "ab"]}

    assert End.parse("e", config).response() == (
        VariableSegment(("n", "a")),
        TextSegment("\n"),
        VariableSegment(("n", "b")),
    )


@pytest.mark.parametrize(
    ("values", "output"),
    [
        ({("b", "x"): 2, ("a", "x"): 1}, {"output": 1}),
        ({("b", "x"): 2}, {"output": 2}),
        ({("a", "x"): "", ("b", "x"): 2}, {"output": ""}),
        ({("a", "x"): None, ("b", "x"): 2}, {"output": None}),
        ({}, {}),
    ],
)
async def test_the_first_variable_in_the_list_that_exists_is_passed_on(values: Any, output: Any):
    config = {"output_type": "any", "variables": [["a", "x"], ["b", "x"]]}

    assert await run_node(VariableAggregator, config, values=values) == output


async def test_groups_are_objects_under_their_names():
    group = {"output_type": "string", "groupId": "1"}
    config = {
        "variables": [["a", "x"]],
        "advanced_settings": {
            "group_enabled": True,
            "groups": [
                {**group, "group_name": "G1", "variables": [["a", "x"], ["b", "x"]]},
                {**group, "group_name": "G2", "variables": [["c", "x"]]},
            ],
        },
    }

    output, seen = await inspect_node(VariableAggregator, config, values={("b", "x"): 7})

    assert output == {"G1": {"output": 7}}
    assert seen.inputs == {"x": 7}


async def test_groups_that_are_switched_off_are_ignored():
    config = {"variables": [["a", "x"]], "advanced_settings": {"group_enabled": False, "groups": [{"group_name": "G"}]}}

    assert await run_node(VariableAggregator, config, values={("a", "x"): 1}) == {"output": 1}


def test_the_old_type_name_means_the_same_node():
    assert REGISTRY["variable-assigner", "1"] is VariableAggregator


def test_an_aggregator_reads_its_candidates():
    grouped = {"advanced_settings": {"group_enabled": True, "groups": [{"group_name": "g", "variables": [["a", "x"]]}]}}

    assert VariableAggregator.parse("n", {"variables": [["b", "x"]]}).reads() == (("b", "x"),)
    assert VariableAggregator.parse("n", grouped).reads() == (("a", "x"),)
