"""The reference page of node types says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from dsl.samples import fixture
from tidemill.dsl import compile
from tidemill.engine.node import REGISTRY
from tidemill.nodes._unavailable import Unavailable

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "nodes.md"


def test_the_page_of_node_types_lists_each_with_its_status():
    assert compile(fixture("chat-simple")).graph.nodes  # Node types register when the package is used.
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (runs|kept) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))

    ours = {kind: cls for (kind, _), cls in REGISTRY.items() if cls.__module__.startswith("tidemill.nodes.")}
    assert listed == {kind: "kept" if issubclass(cls, Unavailable) else "runs" for kind, cls in ours.items()}
