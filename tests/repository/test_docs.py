from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import pytest

import cli_reference
import readme
import tidemill
from repository.tracked import ROOT, files
from tidemill.kit.errors import AppError
from tidemill.llm.errors import ModelError

PAGES = [path for path in files() if path.suffix == ".md"]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
ALSO = {"internal_server_error"}


T = TypeVar("T", bound=Exception)


def subclasses(kind: type[T]) -> Iterator[type[T]]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def codes() -> set[str]:
    """Every code a client can meet."""
    for module in pkgutil.walk_packages(tidemill.__path__, "tidemill."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    return {kind.code for kind in subclasses(AppError)} | {kind.code for kind in subclasses(ModelError)} | ALSO


def test_every_error_code_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    told = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))

    assert told == codes()


def test_every_node_error_type_is_documented() -> None:
    source = "".join(path.read_text() for path in (ROOT / "src" / "tidemill").rglob("*.py"))
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()

    missing = [name for name in set(re.findall(r'error_type="(\w+)"', source)) if f"`{name}`" not in page]

    assert missing == []


def test_the_page_of_commands_is_that_of_the_program() -> None:
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == cli_reference.page()


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_readme_begins_with_the_two_commands() -> None:
    assert readme.block("start") == "python3 start.py\n"
    assert readme.block("test") == "python3 start.py test\n"
    assert readme.blocks("powershell", (ROOT / "README.md").read_text()) == ["py start.py\n", "py start.py test\n"]


def test_both_readmes_give_the_same_commands() -> None:
    chinese = (ROOT / "README.zh-CN.md").read_text("utf-8")

    assert readme.blocks("bash", chinese)[0] == readme.block("start")
    assert "python3 start.py test\n" in readme.blocks("bash", chinese)
    assert "UV_DEFAULT_INDEX" in chinese
    assert "npm_config_registry" in chinese


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "NOTICE",
        "SECURITY.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        ".env.example",
        "docs/guide/getting-started.md",
        "docs/guide/getting-started.zh-CN.md",
        "docs/guide/tokens.md",
        "docs/guide/tokens.zh-CN.md",
        "docs/benchmarks.md",
    ],
)
def test_a_promised_page_is_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 200
