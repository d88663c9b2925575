"""Yahoo Finance, by the addresses its own pages use: Yahoo has no open interface and may change or refuse them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, Provider, asked, json_data, optional, text
from tidemill.tools.web import BROWSER, ask_json, objects, part, words

API: Final = "https://query1.finance.yahoo.com"
MAX_SEGMENTS: Final = 15
_HEADERS: Final = {"User-Agent": BROWSER}

PROVIDER = Provider("yahoo", "Yahoo Finance", "Prices and news of shares.", aliases=("yahoo_finance", "yfinance"))


def _day(written: str, default: datetime) -> int:
    if not written.strip():
        return int(default.timestamp())
    try:
        return int(datetime.strptime(written.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise ToolFailed(f"{written[:40]!r} is not a date. Write it as 2025-01-31.") from error


async def _chart(call: ToolCall, symbol: str, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    url = f"{API}/v8/finance/chart/{quote(symbol.strip(), safe='')}"
    found = await ask_json(call, "Yahoo Finance", url, query=query, headers=_HEADERS)
    result = part(found, "chart", "result", 0)
    if not isinstance(result, dict):
        said = words(found, "chart", "error", "description") or "no such symbol"
        raise ToolFailed(f"Yahoo Finance has nothing for {symbol[:40]!r}: {said}.")
    return result


@PROVIDER.tool(
    "yahoo_finance_analytics",
    "Analytics",
    "Gives averages, highest and lowest prices and volumes of a share over parts of a period.",
    asked("symbol", "Symbol of the share, such as AAPL."),
    optional("start_date", "First day, such as 2024-01-01."),
    optional("end_date", "Last day, such as 2024-12-31."),
)
async def yahoo_finance_analytics(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    query = [
        ("period1", str(_day(arguments.text("start_date"), datetime(1970, 1, 2, tzinfo=UTC)))),
        ("period2", str(_day(arguments.text("end_date"), datetime.now(UTC)))),
        ("interval", "1d"),
    ]
    result = await _chart(call, arguments.text("symbol"), query)
    rows = _rows(result)
    if not rows:
        raise ToolFailed("Yahoo Finance has no prices in that period. Choose a longer one.")
    summary = _segments(rows)
    yield json_data({"segments": summary})
    yield text(json.dumps(summary, ensure_ascii=False))


def _rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a day; days without trade have nulls and are left out."""
    names = ("open", "high", "low", "close", "volume")
    columns = [part(result, "indicators", "quote", 0, name) for name in names]
    moments = part(result, "timestamp")
    rows: list[dict[str, Any]] = []
    if not all(isinstance(column, list) for column in (moments, *columns)):
        return rows
    for moment, *values in zip(moments, *columns, strict=False):
        if all(isinstance(value, (int, float)) for value in (moment, *values)):
            day = datetime.fromtimestamp(moment, UTC).date().isoformat()
            rows.append({"day": day, **dict(zip(names, values, strict=True))})
    return rows


def _segments(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    count = min(MAX_SEGMENTS, len(rows))
    size = len(rows) // count
    found: list[dict[str, Any]] = []
    for index in range(count):
        part = rows[index * size : (index + 1) * size if index < count - 1 else None]
        segment: dict[str, Any] = {"Start Date": part[0]["day"], "End Date": part[-1]["day"]}
        for name in ("close", "volume", "open", "high", "low"):
            values = [row[name] for row in part]
            segment[f"Average {name.title()}"] = sum(values) / len(values)
            segment[f"Max {name.title()}"] = max(values)
            segment[f"Min {name.title()}"] = min(values)
        found.append(segment)
    return found


@PROVIDER.tool(
    "yahoo_finance_news",
    "News",
    "Gives news about a share.",
    asked("symbol", "Symbol of the share, such as AAPL."),
)
async def yahoo_finance_news(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    symbol = arguments.text("symbol").strip()
    query = [("q", symbol), ("newsCount", "10"), ("quotesCount", "0")]
    found = await ask_json(call, "Yahoo Finance", f"{API}/v1/finance/search", query=query, headers=_HEADERS)
    news = objects(found, "news")
    if not news:
        yield text(f"There is nothing about {symbol}.")
        return
    for item in news:
        yield json_data({name: item.get(name, "") for name in ("title", "publisher", "link", "providerPublishTime")})
    yield text(
        "\n".join(f"{words(item, 'title')} ({words(item, 'publisher')}): {words(item, 'link')}" for item in news)
    )


@PROVIDER.tool(
    "yahoo_finance_ticker",
    "Ticker",
    "Gives the last price of a share and what else Yahoo says of it.",
    asked("symbol", "Symbol of the share, such as AAPL."),
)
async def yahoo_finance_ticker(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    result = await _chart(call, arguments.text("symbol"), [("range", "1d"), ("interval", "1d")])
    meta = part(result, "meta")
    if not isinstance(meta, dict):
        raise ToolFailed("Yahoo Finance answered in a form that is not known. Try again later.")
    facts: dict[str, Any] = {name: value for name, value in meta.items() if isinstance(value, (str, int, float))}
    yield json_data(facts)
    yield text(json.dumps(facts, ensure_ascii=False))
