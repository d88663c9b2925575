"""`tidemill run`."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tidemill.cli import tapes
from tidemill.cli.failure import CommandFailed
from tidemill.cli.forms import waits_for
from tidemill.cli.options import Data, new_app, read_app_file, read_settings, split_pair
from tidemill.cli.running import Job, execute
from tidemill.cli.show import Screen, result, show_end

app = new_app()

SUCCEEDED = ("succeeded", "partial-succeeded")
WAITS = 3


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="APP.yml", help="The app file.", show_default=False)],
    inputs: Annotated[
        list[str] | None, typer.Option("-i", "--input", metavar="NAME=VALUE", help="An input; VALUE may be @FILE.")
    ] = None,
    query: Annotated[str, typer.Option("--query", metavar="TEXT", help="The message of a chat app.")] = "",
    files: Annotated[list[Path] | None, typer.Option("--file", metavar="PATH", help="A file sent with it.")] = None,
    conversation: Annotated[
        str, typer.Option("--conversation", metavar="ID", help="Remember what was said under this id.")
    ] = "",
    model: Annotated[
        str, typer.Option("--model", metavar="PROVIDER/NAME", help="Use this model wherever the app names one.")
    ] = "",
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FROM=TO", help="Use one model (PROVIDER/NAME) or provider for another."),
    ] = None,
    window: Annotated[
        int, typer.Option("--window", metavar="N", min=0, help="Context window of a model nobody knows.")
    ] = 0,
    env: Annotated[
        list[str] | None, typer.Option("--env", metavar="NAME=VALUE", help="An environment variable of the app.")
    ] = None,
    answers: Annotated[
        list[str] | None,
        typer.Option(
            "--answer", metavar="NODE=ACTION[,FIELD=VALUE...]", help="The answer to a form of a human input node."
        ),
    ] = None,
    save_cassette: Annotated[
        Path | None,
        typer.Option("--save-cassette", metavar="FILE", help="Keep the run's outside calls, for `tidemill test`."),
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="Print every event as a JSON line, as it happens.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    data: Data = None,
) -> None:
    """Run an app file with no server, and print its answer or outputs.

    Models come from the environment (OPENAI_API_KEY, OPENAI_BASE_URL, ANTHROPIC_API_KEY, GEMINI_API_KEY,
    OLLAMA_HOST and their like); demo/demo needs nothing. Forms of human input nodes are answered by --answer, else
    asked for on the terminal. Exit 0: succeeded, 1: the run failed, 2: bad file or arguments, 3: the run waits for
    a form.
    """
    source = read_app_file(file)
    job = Job(
        app=source,
        inputs=[split_pair(word, "-i") for word in inputs or []],
        query=query,
        files=files or [],
        conversation=conversation,
        model=model,
        maps=maps or [],
        window=window or None,
        environment=dict(split_pair(word, "--env") for word in env or []),
        settings=read_settings(data),
        answers=answers or [],
    )
    is_workflow = source.mode == "workflow"
    streams = not events and not as_json and not is_workflow and sys.stdout.isatty()
    screen = Screen(shows_events=events, shows_text=streams, keeps=save_cassette is not None)
    if save_cassette is not None:
        job = replace(job, around=tapes.recording)
    finished = asyncio.run(execute(job, screen))
    if save_cassette is not None:
        tapes.save_cassette(save_cassette, screen.events, source)
    if as_json:
        print(json.dumps(result(finished, is_workflow=is_workflow), ensure_ascii=False, indent=None if events else 2))
    elif not events and (screen.paused is None or finished.answer):
        show_end(finished, screen, is_workflow=is_workflow)
    if screen.paused is not None:
        raise CommandFailed(waits_for(screen.paused), exit_code=WAITS)
    if finished.status not in SUCCEEDED:
        raise typer.Exit(1)
