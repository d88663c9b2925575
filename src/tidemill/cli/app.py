"""`tidemill app`: apps of a data folder or a server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tidemill import dsl
from tidemill.adapters.models import ModelArgumentInvalid, parse_ref
from tidemill.cli.apps import find_app, find_same, list_all
from tidemill.cli.console_client import Console, open_console
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import AsJson, Data, Server, Token, new_app, read_app_file, read_file, split_pair
from tidemill.llm.presets import resolve
from tidemill.llm.types import ModelRef

app = new_app(help="Import, list, publish, export and delete apps.", no_args_is_help=True)

AppArgument = Annotated[str, typer.Argument(metavar="APP", help="An app's id or name.", show_default=False)]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The app file.", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="Its name here; else the file's.")] = "",
    publish: Annotated[bool, typer.Option("--publish", help="Publish it, so that its API serves it.")] = False,
    key: Annotated[bool, typer.Option("--key", help="Make an API key and print it.")] = False,
    maps: Annotated[
        list[str] | None, typer.Option("--map", metavar="FROM=TO", help="Use one model or provider for another.")
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Import a file of a newer version all the same.")] = False,
    as_json: AsJson = False,
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Import an app file. The app of the same name and mode, if there is one, gets it as its new draft."""
    app_file = read_app_file(file)
    content = read_file(str(file)).decode(errors="replace")
    if maps:
        mapping = dict(_mapping(word) for word in maps)
        content = dsl.write(dsl.map_models(app_file, mapping), include_secrets=True)

    async def work() -> dict[str, Any]:
        async with open_console(data, server, token) as console:
            same = await find_same(console, name or app_file.name, app_file.mode)
            body = {"content": content, "name": name or None, "app_id": same["id"] if same else None}
            outcome = await console.post("/apps/import", body)
            if outcome["status"] == "pending":
                outcome = await _confirmed(console, outcome, confirm=confirm)
            return await _finish(console, outcome, publish=publish, key=key, is_update=same is not None)

    result = asyncio.run(work())
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        _tell(result)


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None, server: Server = "", token: Token = "") -> None:
    """List the apps, newest first."""

    async def work() -> list[dict[str, Any]]:
        async with open_console(data, server, token) as console:
            return await list_all(console)

    apps = asyncio.run(work())
    if as_json:
        print(json.dumps(apps, ensure_ascii=False, indent=2))
        return
    for row in apps:
        state = "changed" if row["has_unpublished_changes"] else "published"
        print(f"{row['id']}  {row['mode']:<13}  {state if row['is_published'] else 'draft':<9}  {row['name']}")


@app.command()
def publish(
    app_name: AppArgument,
    note: Annotated[str, typer.Option("--note", help="What this version changes.")] = "",
    as_json: AsJson = False,
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Make an app's draft what its callers reach."""

    async def work() -> dict[str, Any]:
        async with open_console(data, server, token) as console:
            found = await find_app(console, app_name)
            return await console.post(f"/apps/{found['id']}/publish", {"note": note})

    version = asyncio.run(work())
    print(json.dumps(version) if as_json else f"Published as version {version['number']}.")


@app.command()
def cassette(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run.", show_default=False)],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it.")] = None,
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Write a run's outside calls with their answers as a cassette for `tidemill test`, without secrets."""

    async def work() -> str:
        async with open_console(data, server, token) as console:
            return await console.text(f"/runs/{quote(run_id, safe='')}/cassette")

    _put(asyncio.run(work()), output)


@app.command()
def export(
    app_name: AppArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it.")] = None,
    include_secrets: Annotated[bool, typer.Option("--include-secrets", help="With secret variables.")] = False,
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Write an app's draft as an app file, to standard output or a file."""

    async def work() -> str:
        async with open_console(data, server, token) as console:
            found = await find_app(console, app_name)
            return await console.text(f"/apps/{found['id']}/export", include_secrets=str(include_secrets).lower())

    _put(asyncio.run(work()), output)


def _put(text: str, output: Path | None) -> None:
    """Write to a file, or to standard output."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{output} cannot be written: {(error.strerror or 'unknown reason').lower()}.") from error


@app.command()
def delete(app_name: AppArgument, data: Data = None, server: Server = "", token: Token = "") -> None:
    """Delete an app with its versions, keys, runs and conversations."""

    async def work() -> str:
        async with open_console(data, server, token) as console:
            found = await find_app(console, app_name)
            await console.delete(f"/apps/{found['id']}")
            return str(found["name"])

    print(f"Deleted {asyncio.run(work())}.")


async def _confirmed(console: Console, outcome: Mapping[str, Any], *, confirm: bool) -> dict[str, Any]:
    if not confirm:
        raise CommandFailed(
            f"The file is of the version {outcome['imported_dsl_version']}, newer than "
            f"{outcome['current_dsl_version']}: some of it may not be understood. "
            "Use --confirm to import it all the same."
        )
    return await console.post(f"/apps/import/{outcome['import_id']}/confirm")


async def _finish(
    console: Console, outcome: Mapping[str, Any], *, publish: bool, key: bool, is_update: bool
) -> dict[str, Any]:
    row = outcome["app"]
    version = await console.post(f"/apps/{row['id']}/publish", {"note": ""}) if publish else None
    issued = await console.post(f"/apps/{row['id']}/keys", {"name": "command line"}) if key else None
    return {
        "app_id": row["id"],
        "mode": row["mode"],
        "version": outcome["imported_dsl_version"],
        "key": issued["secret"] if issued else None,
        "name": row["name"],
        "status": outcome["status"],
        "is_update": is_update,
        "published_version": version["number"] if version else None,
        "missing_models": row["missing_models"],
        "warnings": [problem["message"] for problem in outcome["report"]["warnings"]],
    }


def _tell(result: Mapping[str, Any]) -> None:
    done = "Updated" if result["is_update"] else "Imported"
    print(f"{done} {result['name']} ({result['mode']}), id {result['app_id']}")
    if result["published_version"]:
        print(f"Published as version {result['published_version']}")
    if result["key"]:
        print(f"Key (shown once): {result['key']}")
    for warning in result["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)


def _mapping(word: str) -> tuple[tuple[str, str] | str, ModelRef]:
    """`FROM=TO`: FROM is a provider or PROVIDER/NAME, TO is PROVIDER/NAME."""
    source, target = split_pair(word, "--map")
    try:
        reference = parse_ref(target)
        if resolve(source) is not None and source.count("/") in (0, 2):
            return source, reference
        known = parse_ref(source)
    except ModelArgumentInvalid as error:
        raise CommandFailed(str(error)) from error
    return (known.provider, known.name), reference
