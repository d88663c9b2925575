"""`tidemill tool`: the tools of a workspace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tidemill.cli.apps import find_app
from tidemill.cli.console_client import Console, open_console
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import AsJson, Data, Server, Token, new_app, read_file, split_pair

app = new_app(help="Add, list, test and remove tools.", no_args_is_help=True)

Kind = Literal["openapi", "mcp", "workflow", "builtin"]
Auth = Literal["none", "header", "query", "basic", "bearer"]
_KINDS: Mapping[str, str] = {"openapi": "api", "mcp": "mcp", "workflow": "workflow"}
Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="Its name or id.", show_default=False)]


@app.command()
def add(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="openapi, mcp, workflow or builtin.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="An OpenAPI file or its URL; an MCP server's URL or command line; an app; a built-in provider.",
            show_default=False,
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="Its name here. For mcp needed.")] = "",
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    auth: Annotated[Auth, typer.Option("--auth", help="openapi: none, header, query, basic or bearer.")] = "none",
    credentials: Annotated[
        list[str] | None,
        typer.Option(
            "--credential",
            metavar="NAME=VALUE",
            help="The header or parameter; username=, password=; token=; for mcp a header; for builtin a field.",
        ),
    ] = None,
    base_url: Annotated[str, typer.Option("--base-url", help="openapi: in place of the document's servers.")] = "",
    as_json: AsJson = False,
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Add tools; those of the same kind and name are changed instead. Credentials are stored encrypted.

    An MCP server that is a program is started only if the administrator allows exactly its command line in
    TIDEMILL_MCP_STDIO_ALLOWED. A workflow has to be published.
    """
    given = [split_pair(word, "--credential") for word in credentials or []]

    async def work() -> dict[str, Any] | None:
        async with open_console(data, server, token) as console:
            if kind == "builtin":
                await console.put(f"/tools/builtin/{source}/credentials", {"credentials": dict(given)})
                return None
            body: dict[str, Any] = {"name": name, "description": description}
            if kind == "openapi":
                body |= {**_document(source), "base_url": base_url, "auth": _auth(auth, given)}
            elif kind == "mcp":
                body |= _mcp(source, name, given)
            else:
                body["app_id"] = (await find_app(console, source))["id"]
            return await _put(console, _KINDS[kind], body)

    added = asyncio.run(work())
    if as_json:
        print(json.dumps(added, ensure_ascii=False))
    elif added is None:
        print(f"The credentials of {source} are stored.")
    else:
        print(f"{added['name']} ({added['kind']}) has {len(added['tools'])} tools, id {added['id']}")


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None, server: Server = "", token: Token = "") -> None:
    """List the tools that flows and agents can call."""

    async def work() -> list[dict[str, Any]]:
        async with open_console(data, server, token) as console:
            return await console.get("/tools")

    providers = asyncio.run(work())
    if as_json:
        print(json.dumps(providers, ensure_ascii=False, indent=2))
        return
    for row in providers:
        state = "" if row["is_usable"] else f"  ({row['problem'].rstrip('.')})"
        print(f"{row['kind']:<8}  {row['name']}{state}")
        for tool in row["tools"]:
            print(f"          {tool['name']}")


@app.command("test")
def try_tool(
    provider: Provider,
    tool: Annotated[
        str, typer.Argument(metavar="[TOOL]", help="What to call; an MCP server is asked for its tools.")
    ] = "",
    inputs: Annotated[
        list[str] | None, typer.Option("-i", "--input", metavar="NAME=VALUE", help="An argument of the tool.")
    ] = None,
    as_json: AsJson = False,
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Call a tool once and print what it gives. Exit 1 when it fails."""
    arguments = dict(split_pair(word, "-i") for word in inputs or [])

    async def work() -> dict[str, Any]:
        async with open_console(data, server, token) as console:
            found = await _find(console, provider)
            place = f"builtin/{found['id']}" if found["kind"] == "builtin" else found["id"]
            return await console.post(f"/tools/{place}/test", {"tool": tool, "arguments": arguments})

    result = asyncio.run(work())
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
    elif result["ok"]:
        print(result["text"] or "\n".join(result["files"]) or json.dumps(result["data"], ensure_ascii=False))
    if not result["ok"]:
        raise CommandFailed(str(result["message"]), exit_code=1)


@app.command()
def remove(provider: Provider, data: Data = None, server: Server = "", token: Token = "") -> None:
    """Remove added tools, or the credentials of a built-in provider."""

    async def work() -> str:
        async with open_console(data, server, token) as console:
            found = await _find(console, provider)
            if found["kind"] == "builtin":
                await console.delete(f"/tools/builtin/{found['id']}/credentials")
                return f"Removed the credentials of {found['name']}."
            await console.delete(f"/tools/{found['id']}")
            return f"Removed {found['name']}."

    print(asyncio.run(work()))


async def _put(console: Console, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Add, or change what has this name already."""
    if kind == "api" and not body["name"]:
        body["name"] = (await console.post("/tools/api/examine", body))["title"]
    same = [
        row
        for row in await console.get("/tools")
        if row["kind"] == kind
        and (row["name"] == body["name"] if body["name"] else row["app_id"] == body.get("app_id"))
    ]
    if not same:
        return await console.post(f"/tools/{kind}", body)
    given = {key: value for key, value in body.items() if value not in ("", {}) and key != "app_id"}
    return await console.patch(f"/tools/{kind}/{same[0]['id']}", given)


async def _find(console: Console, word: str) -> dict[str, Any]:
    """The provider of this id or name; one that was added is meant before a built-in one."""
    rows: list[dict[str, Any]] = await console.get("/tools")
    found = next((row for row in rows if word in (row["id"], row["name"])), None)
    if found is None:
        raise CommandFailed(f"There are no tools named {word}. List what there is with: tidemill tool list")
    return found


def _document(source: str) -> dict[str, str]:
    if source.startswith(("http://", "https://")):
        return {"url": source}
    return {"document": read_file(str(Path(source))).decode(errors="replace")}


def _auth(kind: Auth, given: Sequence[tuple[str, str]]) -> dict[str, str]:
    pairs = dict(given)
    if kind in ("header", "query"):
        if len(given) != 1:
            raise CommandFailed(f"--auth {kind} takes one --credential: the {kind}'s name and value.")
        return {"type": kind, "name": given[0][0], "value": given[0][1]}
    known = {"none": (), "bearer": ("token",), "basic": ("username", "password")}[kind]
    if unknown := [name for name in pairs if name not in known]:
        fields = " and ".join(known) or "no credential"
        raise CommandFailed(f"--auth {kind} takes {fields}, not {unknown[0]}. Choose the kind with --auth.")
    return {"type": kind, **{"value" if name == "token" else name: value for name, value in pairs.items()}}


def _mcp(source: str, name: str, given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    if not name:
        raise CommandFailed("An MCP server needs a name here, by which flows call it. Give it with --name.")
    if source.startswith(("http://", "https://")):
        return {"url": source, "headers": dict(given)}
    return {"command": source, "env": dict(given)}
