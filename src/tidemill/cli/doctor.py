"""`tidemill doctor`."""

from __future__ import annotations

import json
import sys

import typer

from tidemill.adapters.sandbox import what_runs_code
from tidemill.cli.loops import run_loop
from tidemill.cli.options import AsJson, Data, new_app, read_settings
from tidemill.kit.settings import Settings
from tidemill.kit.startup import Check, check_all
from tidemill.main import open_database
from tidemill.migrations.schema import fault_of
from tidemill.ports import CodeFailed

app = new_app()


@app.command()
def doctor(data: Data = None, as_json: AsJson = False) -> None:
    """Check everything a start needs. Each fault is the line that `serve` would end with; exit 2 if there is one."""
    settings = read_settings(data)
    checks = run_loop(_examine(settings))
    code, can_run_code = _code_nodes(settings)
    if as_json:
        told = [*map(_told, checks), {"name": "code nodes", "ok": can_run_code, "message": code, "mend": None}]
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for check in checks:
            if check.fault is None:
                print(f"ok    {check.name}: {check.message}")
            else:
                print(check.fault, file=sys.stderr)
        # A start does without: this is no reason to fail.
        print(f"ok    code nodes: {code}" if can_run_code else f"note  code nodes: {code}")
        for warning in settings.warnings():
            print(warning, file=sys.stderr)
    if any(check.fault for check in checks):
        raise typer.Exit(2)


async def _examine(settings: Settings) -> list[Check]:
    found = {check.name: check for check in await check_all(settings)}
    if not found["data folder"].is_ok:
        # What lies in the folder cannot be better than the folder: one fault, told once.
        if not settings.opendal_fs_root:
            del found["storage"]
        if settings.db_type == "sqlite":
            del found["database"]
    checks = list(found.values())
    if "database" in found and found["database"].is_ok:
        checks.insert(checks.index(found["database"]) + 1, await _check_tables(settings))
    return checks


def _code_nodes(settings: Settings) -> tuple[str, bool]:
    try:
        return what_runs_code(settings), True
    except CodeFailed as error:
        return str(error), False


async def _check_tables(settings: Settings) -> Check:
    database = open_database(settings)
    try:
        async with database.engine.connect() as connection:
            fault = await connection.run_sync(fault_of, settings)
    finally:
        await database.close()
    return Check("tables", fault.message if fault else "The database is Tidemill's, or empty.", fault)


def _told(check: Check) -> dict[str, str | bool | None]:
    mend = check.fault.mend if check.fault else None
    return {"name": check.name, "ok": check.is_ok, "message": check.message, "mend": mend}
