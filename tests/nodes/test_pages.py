"""The examples on the pages of node types are whole apps that can be checked and run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tidemill.dsl import compile, read

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "nodes"
EXAMPLE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "kind", ["question-classifier", "parameter-extractor", "knowledge-retrieval", "document-extractor"]
)
def test_the_example_of_a_page_is_a_whole_app_with_that_node(kind: str):
    (example,) = EXAMPLE.findall((PAGES / f"{kind}.md").read_text(encoding="utf-8"))

    compiled = compile(read(example.encode()))

    assert kind in {node.type for node in compiled.graph.nodes.values()}
