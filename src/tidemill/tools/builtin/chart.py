"""Charts: bars, lines and pies as SVG pictures, which show text in any script without a font of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from tidemill.ports import ToolCall, ToolFailed, ToolMessage, ToolParameter, WorkFailed, Workshop
from tidemill.tools.charts import MAX_VALUES, draw
from tidemill.tools.provider import Arguments, Provider, asked, optional, saved, setting, text

PROVIDER = Provider("chart", "Chart", "Draws charts.", aliases=("charts", "chart_generator"))

_DATA: Final[ToolParameter] = asked("data", "The numbers, separated by semicolons: 1;2.5;3.")
_TITLE: Final[ToolParameter] = setting("title", "Title of the chart.", default="")


def _numbers(written: str) -> list[float]:
    parts = [part.strip() for part in written.replace("\n", ";").replace("；", ";").strip(";").split(";")]
    if len(parts) == 1:
        parts = [part.strip() for part in parts[0].split(",")]
    try:
        numbers = [float(part) for part in parts]
    except ValueError as error:
        raise ToolFailed("`data` must be numbers separated by semicolons, such as 1;2.5;3.") from error
    if not 0 < len(numbers) <= MAX_VALUES or any(number != number or abs(number) > 1e15 for number in numbers):
        raise ToolFailed(f"A chart shows 1 to {MAX_VALUES} numbers of ordinary size.")
    return numbers


def _labels(written: str, count: int) -> list[str]:
    """One label a value; none at all when their number differs."""
    parts = [part.strip() for part in written.replace("；", ";").strip(";").split(";")] if written.strip() else []
    return [part if len(part) <= 24 else f"{part[:23]}…" for part in parts] if len(parts) == count else []


async def _drawn(kind: str, arguments: Arguments, call: ToolCall, labels: str) -> AsyncIterator[ToolMessage]:
    numbers = _numbers(arguments.text("data"))
    try:
        picture = await call.port(Workshop).run(
            draw, kind, numbers, _labels(labels, len(numbers)), arguments.text("title")[:200]
        )
    except WorkFailed as error:
        raise ToolFailed(f"The chart cannot be drawn: {error}") from error
    yield text(f"the {kind} chart is saved as an image.")
    yield await saved(call, filename=f"{kind}_chart.svg", mime_type="image/svg+xml", data=picture)


@PROVIDER.tool(
    "bar_chart",
    "Bar Chart",
    "Draws a bar chart.",
    _DATA,
    optional("x_axis", "Labels of the bars, separated by semicolons."),
    _TITLE,
    aliases=("bar",),
)
async def bar_chart(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    async for message in _drawn("bar", arguments, call, arguments.text("x_axis")):
        yield message


@PROVIDER.tool(
    "line_chart",
    "Linear Chart",
    "Draws a line chart.",
    _DATA,
    optional("x_axis", "Labels of the points, separated by semicolons."),
    _TITLE,
    aliases=("line",),
)
async def line_chart(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    async for message in _drawn("line", arguments, call, arguments.text("x_axis")):
        yield message


@PROVIDER.tool(
    "pie_chart",
    "Pie Chart",
    "Draws a pie chart.",
    _DATA,
    optional("categories", "Names of the slices, separated by semicolons."),
    _TITLE,
    aliases=("pie",),
)
async def pie_chart(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    async for message in _drawn("pie", arguments, call, arguments.text("categories")):
        yield message
