"""Draws charts. Runs in a worker process only, where the library may be heavy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from xml.etree import ElementTree

from tidemill.ports import ToolFailed

MAX_VALUES: Final = 1_000
SVG: Final = "http://www.w3.org/2000/svg"

ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def draw(kind: str, values: Sequence[float], labels: Sequence[str], title: str) -> bytes:
    """An SVG picture of a bar, line or pie chart.

    Raises:
        ToolFailed: A pie of nothing, or of negative parts.
    """
    import pygal
    from pygal.style import Style

    # No script and no remote font: the picture has to show the same where neither is allowed.
    style = Style(
        background="#ffffff",
        plot_background="#ffffff",
        font_family="system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif",
        title_font_size=18,
        label_font_size=12,
        legend_font_size=12,
        value_font_size=12,
        colors=("#2563eb", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#14b8a6", "#ec4899", "#84cc16", "#64748b"),
    )
    options: dict[str, Any] = {
        "js": [],
        "style": style,
        "title": title or None,
        "width": 800,
        "height": 500,
        "disable_xml_declaration": False,
        "print_values": len(values) <= 20,
        "no_prefix": True,
    }
    if kind == "pie":
        return _pie(pygal.Pie(**options), values, labels)
    chart: Any = pygal.Bar(**options) if kind == "bar" else pygal.Line(**options)
    chart.show_legend = False
    if labels:
        chart.x_labels = list(labels)
        chart.x_label_rotation = 30 if len(labels) > 8 or max(map(len, labels)) > 10 else 0
    chart.add("", [_plain(value) for value in values])
    return _without_script(chart.render())


def _pie(chart: Any, values: Sequence[float], labels: Sequence[str]) -> bytes:
    if min(values) < 0 or sum(values) <= 0:
        raise ToolFailed("A pie needs parts that are not negative, and at least one that is not 0.")
    for index, value in enumerate(values):
        chart.add(labels[index] if labels else str(index + 1), _plain(value))
    return _without_script(chart.render())


def _without_script(picture: bytes) -> bytes:
    """The library's picture less the settings it writes for its own script, which is not there."""
    tree = ElementTree.fromstring(picture)  # noqa: S314 - written by the library a moment ago
    for parent in tree.iter():
        for child in [child for child in parent if child.tag == f"{{{SVG}}}script"]:
            parent.remove(child)
    return ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True)


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value
