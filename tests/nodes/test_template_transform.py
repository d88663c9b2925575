"""Texts from Jinja templates (reference `workflow-dsl.md`, 5.9)."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tidemill.adapters.templates import SafeTemplates
from tidemill.engine.errors import NodeFailed
from tidemill.engine.testing import inspect_node, run_node
from tidemill.nodes.template_transform import TemplateTransform
from tidemill.ports import Templates


@pytest_asyncio.fixture
async def ports() -> AsyncIterator[dict[type, object]]:
    templates = SafeTemplates()
    yield {Templates: templates}
    await templates.close()


def named(*names: str) -> list[dict[str, object]]:
    return [{"variable": name, "value_selector": ["n", name]} for name in names]


async def test_it_renders_the_named_values(ports: dict[type, object]):
    config = {"template": "{{ a }} {{ b.c[1] }}{% for x in b.c %} {{ x }}{% endfor %}", "variables": named("a", "b")}
    values = {("n", "a"): "Ada", ("n", "b"): {"c": [1, 2]}}

    output, seen = await inspect_node(TemplateTransform, config, values=values, ports=ports)

    assert output.output == "Ada 2 1 2"
    assert seen.inputs == {"a": "Ada", "b": {"c": [1, 2]}}


async def test_a_missing_variable_is_none(ports: dict[type, object]):
    config = {"template": "{{ a }}|{% if a %}{{ a }}{% endif %}", "variables": named("a")}

    assert (await run_node(TemplateTransform, config, ports=ports)).output == "None|"


@pytest.mark.parametrize(
    ("template", "message"),
    [("{{ a", "could not be rendered"), ("{{ 'x' * 400001 }}", "400001 characters; the limit is 400000")],
)
async def test_a_template_that_fails_fails_the_node(ports: dict[type, object], template: str, message: str):
    with pytest.raises(NodeFailed, match=message) as failure:
        await run_node(TemplateTransform, {"template": template}, ports=ports)

    assert failure.value.is_retryable is False


def test_it_reads_its_variables():
    assert TemplateTransform.parse("n", {"template": "", "variables": named("a")}).reads() == (("n", "a"),)
