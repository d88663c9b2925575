"""`tidemill check`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from aiohttp import ClientSession

from tidemill import dsl
from tidemill.cli.environment import open_models
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import AsJson, new_app, read_app_file
from tidemill.llm.types import ModelRef

app = new_app()


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="APP.yml ...", help="App files.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Read and validate app files without running them; nothing in a file is executed.

    What cannot run yet, and models, tools or knowledge that are not at hand, are warnings. Exit 1 when a file has
    an error.
    """
    reports = asyncio.run(_reports(files))
    if as_json:
        print(json.dumps(reports, ensure_ascii=False, indent=2))
    else:
        for report in reports:
            print("\n".join(_lines(report)))
    if any(report["errors"] for report in reports):
        raise typer.Exit(1)


async def _reports(paths: Sequence[Path]) -> list[dict[str, Any]]:
    async with ClientSession() as http:
        models = open_models(http)
        return [_report(path, models.has) for path in paths]


def _report(path: Path, has_model: Callable[[ModelRef], bool]) -> dict[str, Any]:
    try:
        app_file = read_app_file(path)
        report = dsl.check(app_file, models=has_model)
    except CommandFailed as error:
        return {"file": str(path), "mode": None, "errors": [{"message": str(error), "node_id": None}], "warnings": []}
    told: dict[str, Any] = msgspec.to_builtins(report)
    return {"file": str(path), "name": app_file.name, "kind": app_file.kind, "status": app_file.import_status, **told}


def _lines(report: dict[str, Any]) -> list[str]:
    errors, warnings = report["errors"], report["warnings"]
    if report["mode"] is None:
        return [f"error  {errors[0]['message']}"]
    what = "knowledge pipeline" if report["kind"] == "rag_pipeline" else report["mode"]
    counts = [_count(report["nodes"], "node")]
    counts += [_count(len(errors), "error")] if errors else []
    counts += [_count(len(warnings), "warning")] if warnings else []
    head = f"{'error' if errors else 'ok'}  {report['file']}: {what}, version {report['version']}, {', '.join(counts)}"
    newer = ["  warning: the file is of a newer version; an import asks for a confirmation."]
    return [
        head,
        *(f"  error: {problem['message']}" for problem in errors),
        *(newer if report["status"] == "pending" else []),
        *(f"  warning: {problem['message']}" for problem in warnings),
    ]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
