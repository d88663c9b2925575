"""Every app file opens on the canvas: all its nodes are there, none on top of another, and nothing complains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from browser.desk import ROOT, Desk, Looks, Server

OWN = ROOT / "tests" / "fixtures" / "dsl"
SHARED = Path(os.environ.get("TIDEMILL_SHARED", ROOT.parent / "shared")) / "fixtures" / "dsl"
FILES = [*sorted(OWN.glob("*.yml")), *sorted(SHARED.glob("*.yml"))]
PICTURES = {"deep-researcher", "claude3-code-translation", "dify-yunying-yitiaolong", "nested-containers"}

OVERLAPS = """
() => {
    const nodes = [...document.querySelectorAll(".react-flow__node")].map((node) => ({
        id: node.dataset.id,
        parent: window.parents.get(node.dataset.id) ?? null,
        box: node.getBoundingClientRect(),
    }));
    const found = [];
    for (const [at, a] of nodes.entries()) for (const b of nodes.slice(at + 1)) {
        if (a.parent !== b.parent) continue;
        const apart = a.box.right <= b.box.left || b.box.right <= a.box.left
            || a.box.bottom <= b.box.top || b.box.bottom <= a.box.top;
        if (!apart) found.push(`${a.id} and ${b.id}`);
    }
    for (const inner of nodes) {
        const frame = nodes.find((node) => node.id === inner.parent)?.box;
        const isInside = !frame || (inner.box.left >= frame.left && inner.box.right <= frame.right
            && inner.box.top >= frame.top && inner.box.bottom <= frame.bottom);
        if (!isInside) found.push(`${inner.id} is outside ${inner.parent}`);
    }
    return found;
}
"""


def _is_pipeline(file: Path) -> bool:
    return "\nkind: rag_pipeline" in f"\n{file.read_text('utf-8-sig')}"


SHOWN = """
ids => {
    const shown = [...document.querySelectorAll(".react-flow__node")].map((node) => node.dataset.id);
    return shown.length === ids.length && shown.every((id) => ids.includes(id));
}
"""


async def _wait_for_nodes(page: Page, graph: dict[str, Any]) -> None:
    """Until the canvas shows exactly these nodes."""
    await page.wait_for_function(SHOWN, arg=[node["id"] for node in graph["nodes"]], timeout=20_000)


@pytest.mark.timeout(300)
async def test_every_file_opens_without_overlap_or_complaint(browser: Browser, server: Server) -> None:
    server.own()
    files = [file for file in FILES if not _is_pipeline(file)]
    problems: list[str] = []
    async with Desk.opened(browser, server, Looks()) as desk:
        await desk.sign_in()
        await desk.open("/apps")
        for file in files:
            app_id = server.import_file(file)
            graph: dict[str, Any] = server.call("GET", f"/apps/{app_id}/graph")
            await desk.go(f"/apps/{app_id}/canvas")
            await _wait_for_nodes(desk.page, graph)
            parents = [[node["id"], node["parent_id"]] for node in graph["nodes"]]
            await desk.page.evaluate("pairs => { window.parents = new Map(pairs) }", parents)
            problems += [f"{file.name}: {line}" for line in await desk.page.evaluate(OVERLAPS)]
            if file.stem in PICTURES:
                await desk.shoot(f"canvas-{file.stem}")
        desk.assert_no_complaints()

    assert problems == []
    assert len(files) >= 40
