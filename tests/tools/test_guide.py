"""The guide names every tool, its parameters and where its keys come from; the node's page has a whole app."""

import re
from pathlib import Path

from tidemill.dsl import compile, read
from tidemill.tools import builtin

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_guide_lists_the_tools_with_their_parameters_and_credentials():
    guide = (DOCS / "guide" / "tools.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in guide.splitlines() if line.startswith("| `")}

    for provider in builtin.providers():
        if provider.name == "builtin":
            continue
        section = guide.partition(f"### `{provider.name}`:")[2].partition("\n### ")[0]
        assert section, provider.name
        assert all(f"`{field.environment}`" in section for field in provider.credential_fields)
        for tool in provider.tools.values():
            assert all(f"`{parameter.name}`" in rows[tool.spec.name] for parameter in tool.spec.parameters)


def test_the_example_of_the_node_s_page_is_a_whole_app():
    (example,) = EXAMPLE.findall((DOCS / "reference" / "nodes" / "tool.md").read_text(encoding="utf-8"))

    assert "tool" in {node.type for node in compile(read(example.encode())).graph.nodes.values()}
