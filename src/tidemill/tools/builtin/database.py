"""SQL: questions to databases that the administrator named, which cannot change anything."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from tidemill.ports import DatabaseFailed, Databases, SqlRows, ToolCall, ToolFailed, ToolMessage, ToolParameter
from tidemill.tools.provider import Arguments, Provider, asked, json_data, saved, setting, text

MAX_ROWS: Final = 1_000
_FORMATS: Final = ("json", "markdown", "md", "csv", "yaml", "html", "xlsx")

PROVIDER = Provider(
    "database",
    "Database",
    "Asks databases that the administrator named, read-only.",
    aliases=("sql", "db_query", "dbutil", "databaseoperation", "sql_query"),
)

_CONNECTION: Final[ToolParameter] = setting(
    "connection", "Name of the connection, as the administrator gave it; the only one when empty.", default=""
)
_FORMAT: Final[ToolParameter] = setting("output_format", "json, markdown or csv.", default="json")


async def _ask(arguments: Arguments, call: ToolCall, statement: str) -> SqlRows:
    connection = arguments.text("connection")
    try:
        return await call.port(Databases).query(connection.strip(), statement, max_rows=MAX_ROWS)
    except DatabaseFailed as error:
        raise ToolFailed(str(error)) from error


async def _answer(found: SqlRows, form: str, call: ToolCall) -> AsyncIterator[ToolMessage]:
    records: list[dict[str, Any]] = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    form = form.lower().strip()
    if form not in _FORMATS:
        raise ToolFailed(f"{form[:20]!r} is not a format of answers. Use json, markdown or csv.")
    yield json_data({"result": records, "is_cut": found.is_cut})
    match form:
        case "csv" | "xlsx":
            data = _as_csv(found).encode("utf-8-sig")
            yield await saved(call, filename="result.csv", mime_type="text/csv", data=data)
        case "markdown" | "md" | "html":
            yield text(_as_markdown(found))
        case _:
            yield text(json.dumps(records, ensure_ascii=False))


def _as_csv(found: SqlRows) -> str:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(found.columns)
    rows.writerows(found.rows)
    return written.getvalue()


def _as_markdown(found: SqlRows) -> str:
    lines = [f"| {' | '.join(found.columns)} |", f"|{' --- |' * len(found.columns)}"]
    for row in found.rows:
        cells = ("" if cell is None else str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


@PROVIDER.tool(
    "sql_execute",
    "SQL query",
    "Runs a SQL query, which may only read, and gives its rows.",
    asked("query", "The SQL statement."),
    setting("format", "json, markdown or csv.", default="json"),
    _CONNECTION,
)
async def sql_execute(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    found = await _ask(arguments, call, arguments.text("query"))
    async for message in _answer(found, arguments.text("format"), call):
        yield message


@PROVIDER.tool(
    "sql",
    "SQL query",
    "Runs a SQL query, which may only read, and gives its rows.",
    asked("sql_string", "The SQL statement."),
    _FORMAT,
    _CONNECTION,
)
async def sql(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    found = await _ask(arguments, call, arguments.text("sql_string"))
    async for message in _answer(found, arguments.text("output_format"), call):
        yield message


@PROVIDER.tool(
    "sql_query",
    "SQL query",
    "Runs a SQL query, which may only read, and gives its rows.",
    asked("query_sql", "The SQL statement."),
    _FORMAT,
    _CONNECTION,
)
async def sql_query(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    found = await _ask(arguments, call, arguments.text("query_sql"))
    async for message in _answer(found, arguments.text("output_format"), call):
        yield message
