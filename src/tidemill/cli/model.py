"""`tidemill model`: providers, models and defaults of a workspace."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

from tidemill.adapters.models import ModelArgumentInvalid, parse_ref
from tidemill.cli.console_client import open_console
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import AsJson, Data, Server, Token, new_app, split_pair
from tidemill.llm.presets import PRESETS, Preset, resolve
from tidemill.llm.types import ModelRef

app = new_app(help="Add, list and test models, and choose the default ones.", no_args_is_help=True)

Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="One of: " + ", ".join(PRESETS), show_default=False)]
Credentials = Annotated[
    list[str] | None, typer.Option("--credential", metavar="NAME=VALUE", help="Such as api_key=... or base_url=...")
]
Kind = Annotated[str, typer.Option("--kind", help="chat, embedding, ...")]


@app.command()
def add(
    provider: Provider,
    credentials: Credentials = None,
    models: Annotated[list[str] | None, typer.Option("--model", metavar="NAME", help="A model to add.")] = None,
    window: Annotated[int, typer.Option("--window", metavar="N", min=0, help="Its context window in tokens.")] = 0,
    max_output: Annotated[int, typer.Option("--max-output", metavar="N", min=0, help="Its longest answer.")] = 0,
    kind: Kind = "chat",
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Set up a provider, and add models that are not known by name. Credentials are stored encrypted."""
    preset = _preset(provider)
    given = dict(split_pair(word, "--credential") for word in credentials or [])
    facts = {"kind": kind, "window_tokens": window or None, "max_output_tokens": max_output or None}

    async def work() -> None:
        async with open_console(data, server, token) as console:
            if given or not models:
                await console.put(f"/model-providers/{preset.id}/credentials", {"credentials": given})
            for name in models or []:
                await console.post(f"/model-providers/{preset.id}/models", {"name": name, **facts})

    asyncio.run(work())
    added = f" with {', '.join(models)}" if models else ""
    print(f"{preset.names.en} is set up{added}.")


@app.command("list")
def list_(
    kind: Kind = "chat", as_json: AsJson = False, data: Data = None, server: Server = "", token: Token = ""
) -> None:
    """List the models that can be used now."""

    async def work() -> list[dict[str, Any]]:
        async with open_console(data, server, token) as console:
            return await console.get("/models", kind=kind)

    models = asyncio.run(work())
    if as_json:
        print(json.dumps(models, ensure_ascii=False, indent=2))
        return
    for row in models:
        mark = "  default" if row["is_default"] else ""
        print(f"{row['provider']}/{row['name']}  window {row['window_tokens']}{mark}")


@app.command("test")
def try_model(
    model: Annotated[str, typer.Argument(metavar="PROVIDER[/NAME]", help="What to try.", show_default=False)],
    credentials: Credentials = None,
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Try a provider, or one of its models, with a live call. Stores nothing. Exit 1 when it does not answer."""
    is_provider = resolve(model) is not None and model.count("/") in (0, 2)
    provider, name = (model, None) if is_provider else _reference(model)
    preset = _preset(provider)
    given = dict(split_pair(word, "--credential") for word in credentials or [])

    async def work() -> dict[str, Any]:
        async with open_console(data, server, token) as console:
            return await console.post(f"/model-providers/{preset.id}/test", {"credentials": given, "model": name})

    result = asyncio.run(work())
    if not result["ok"]:
        raise CommandFailed(str(result["message"]), exit_code=1)
    print(f"{result['message']} ({result['latency_ms']} ms)")


@app.command()
def default(
    model: Annotated[str, typer.Argument(metavar="PROVIDER/NAME", help="The model.", show_default=False)],
    kind: Kind = "chat",
    data: Data = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Choose the model that is used where an app names none."""
    provider, name = _reference(model)
    body = {"kind": kind, "provider": _preset(provider).id, "name": name}

    async def work() -> None:
        async with open_console(data, server, token) as console:
            await console.put("/models/default", body)

    asyncio.run(work())
    print(f"{model} is the default for {kind}.")


def _preset(provider: str) -> Preset:
    preset = resolve(provider)
    if preset is None:
        raise CommandFailed(f"There is no provider {provider}. There are: {', '.join(PRESETS)}.")
    return preset


def _reference(model: str) -> tuple[str, str]:
    try:
        reference: ModelRef = parse_ref(model)
    except ModelArgumentInvalid as error:
        raise CommandFailed(str(error)) from error
    return reference.provider, reference.name
