from __future__ import annotations

import pytest

from tidemill.engine.templates import TextSegment, VariableSegment, parse, render, selectors
from tidemill.engine.values import VariablePool

POOL = VariablePool({"n1": {"x": "A", "o": {"k": [1]}}, "sys": {"query": "q {{#n1.x#}}"}})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a{{#n1.x#}}b", "aAb"),
        ("{{#n1.o.k#}}", "[1]"),
        ("{{#n1.nothing#}}", "n1.nothing"),
        ("{{#gone.x.y#}}", "gone.x.y"),
        ("{{#a-b.x#}}", "{{#a-b.x#}}"),
        ("{{#n1#}}", "{{#n1#}}"),
        ("{{#n1.1x#}}", "{{#n1.1x#}}"),
        ("{{#sys.query#}}", "q {{#n1.x#}}"),
        ("{{ n1.x }}", "{{ n1.x }}"),
    ],
)
def test_references_are_replaced_once(template: str, text: str):
    assert render(template, POOL) == text


def test_a_start_nodes_copy_of_a_system_variable_resolves():
    pool = VariablePool({"1711528708197": {"sys.query": "S", "sys.files": [{"a": 1}]}})

    assert render("{{#1711528708197.sys.query#}}", pool) == "S"


def test_a_template_is_split_in_order():
    assert parse("a{{#n.x#}}{{#n.y.z#}}") == (
        TextSegment("a"),
        VariableSegment(("n", "x")),
        VariableSegment(("n", "y", "z")),
    )
    assert selectors("{{#n.x#}} {{#n.x#}}") == (("n", "x"), ("n", "x"))
