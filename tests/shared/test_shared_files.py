"""The real app files beside the project: all are read, checked, compiled, drawn and written back unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.conftest import FILES
from tidemill.dsl import canvas, check, compile, read, write

PATHS = sorted(FILES.glob("*.yml"))
every_file = pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])


def test_the_files_are_there():
    assert len(PATHS) >= 71


@every_file
def test_it_has_no_errors_and_compiles(path: Path):
    app = read(path.read_bytes())

    assert [problem.message for problem in check(app).errors] == []
    assert compile(app).graph.nodes


@every_file
def test_its_export_is_stable_and_keeps_every_node(path: Path):
    app = read(path.read_bytes())
    exported = write(app, include_secrets=True)

    assert write(read(exported), include_secrets=True) == exported
    assert [node["id"] for node in read(exported).nodes] == [node["id"] for node in app.nodes]
    assert read(exported).edges == app.edges


@every_file
def test_it_is_drawn_without_overlap(path: Path):
    boxes = [node for node in canvas(read(path.read_bytes())).nodes if node.category != "note"]

    assert [
        (left.id, right.id)
        for index, left in enumerate(boxes)
        for right in boxes[index + 1 :]
        if left.parent_id == right.parent_id
        and left.position.x < right.position.x + right.width
        and right.position.x < left.position.x + left.width
        and left.position.y < right.position.y + right.height
        and right.position.y < left.position.y + left.height
    ] == []
