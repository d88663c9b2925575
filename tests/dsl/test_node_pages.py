"""Every node type that runs has a page, and the example on it is an app that can run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tidemill.dsl import check, compile, read

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "nodes"
LIST = PAGES.parent / "nodes.md"
# Told on the page of the type they belong to.
TOLD_WITH = {
    "iteration-start": "iteration",
    "loop-start": "loop",
    "loop-end": "loop",
    "variable-assigner": "variable-aggregator",
}
SECTIONS = ["## Fields", "## Outputs", "## Errors", "## Example"]
every_page = pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)


def listed(status: str) -> set[str]:
    return set(re.findall(rf"^\| `([a-z-]+)` \| {status} \|", LIST.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_type_that_runs_has_a_page_and_no_page_is_of_another():
    wanted = {TOLD_WITH.get(kind, kind) for kind in listed("runs")}

    assert {page.stem for page in PAGES.glob("*.md")} == wanted


@pytest.mark.parametrize(("kind", "page"), TOLD_WITH.items())
def test_a_type_without_a_page_is_told_on_that_of_another(kind: str, page: str):
    assert f"`{kind}`" in (PAGES / f"{page}.md").read_text(encoding="utf-8")


@every_page
def test_it_tells_fields_outputs_errors_and_an_example(page: Path):
    text = page.read_text(encoding="utf-8")

    assert [section for section in SECTIONS if section not in text] == []


@every_page
def test_its_examples_are_apps_without_an_error(page: Path):
    examples = re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    assert examples
    for example in examples:
        app = read(example)
        assert [problem.message for problem in check(app).errors] == []
        kinds = {planned.type for planned in compile(app).graph.walk()}
        assert page.stem in kinds or app.mode in ("chat", "agent-chat", "completion")
