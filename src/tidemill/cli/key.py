"""`tidemill key`: the keys with which programs call an app."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

from tidemill.cli.apps import find_app
from tidemill.cli.console_client import open_console
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import AppName, AsJson, Data, Server, Token, new_app

app = new_app(help="Create and revoke the keys of an app.", no_args_is_help=True)


@app.command()
def create(
    app_name: AppName,
    name: Annotated[str, typer.Option("--name", help="What the key is for.")] = "",
    value: Annotated[str, typer.Option("--value", metavar="app-...", help="Keep a key that clients have.")] = "",
    as_json: AsJson = False,
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Create a key and print its secret, once."""

    async def work() -> dict[str, Any]:
        async with open_console(data, server, token) as console:
            found = await find_app(console, app_name)
            return await console.post(f"/apps/{found['id']}/keys", {"name": name, "value": value or None})

    issued = asyncio.run(work())
    print(json.dumps({"id": issued["key"]["id"], "key": issued["secret"]}) if as_json else issued["secret"])


@app.command("list")
def list_(
    app_name: AppName, as_json: AsJson = False, data: Data = None, server: Server = "", token: Token = ""
) -> None:
    """List an app's keys, without their secrets."""

    async def work() -> list[dict[str, Any]]:
        async with open_console(data, server, token) as console:
            found = await find_app(console, app_name)
            return await console.get(f"/apps/{found['id']}/keys")

    keys = asyncio.run(work())
    if as_json:
        print(json.dumps(keys, ensure_ascii=False, indent=2))
        return
    for row in keys:
        print(f"{row['id']}  …{row['hint']}  {row['last_used_at'] or 'never used'}  {row['name']}")


@app.command()
def revoke(
    app_name: AppName,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, or its last characters.", show_default=False)],
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Revoke a key. It stops working at once."""

    async def work() -> None:
        async with open_console(data, server, token) as console:
            found = await find_app(console, app_name)
            keys = await console.get(f"/apps/{found['id']}/keys")
            matching = [row for row in keys if row["id"] == key or (key and row["hint"] and key.endswith(row["hint"]))]
            if len(matching) != 1:
                raise CommandFailed(f"{len(matching)} keys of the app match. Name one by its id: tidemill key list")
            await console.delete(f"/apps/{found['id']}/keys/{matching[0]['id']}")

    asyncio.run(work())
    print("Revoked.")
