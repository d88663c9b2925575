"""`tidemill serve`, the default command."""

from __future__ import annotations

from typing import Annotated

import typer

from tidemill.cli.failure import CommandFailed
from tidemill.cli.loops import run_loop
from tidemill.cli.options import Data, new_app, read_settings
from tidemill.cli.serving import prepare, serve_one, serve_processes
from tidemill.kit.bus import BusUnavailable
from tidemill.kit.faults import StartFault

app = new_app()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    data: Data = None,
    opens: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Server processes.")] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when the Python sources change.")] = False,
) -> None:
    """Start the console and the APIs. Prints the address when it answers."""
    given = {"TIDEMILL_HOST": host, "TIDEMILL_PORT": port, "TIDEMILL_WORKERS": workers}
    settings = read_settings(data, {name: str(value) for name, value in given.items() if value is not None})
    if settings.workers > 1 and not settings.redis_host:
        raise CommandFailed("Several processes reach each other through Redis. Set REDIS_HOST, or use one worker.")
    try:
        if settings.workers > 1 or reload:
            settings, is_set_up = run_loop(prepare(settings))
            serve_processes(settings, is_set_up=is_set_up, opens=opens, reload=reload)
        elif not run_loop(serve_one(settings, opens=opens)):
            raise typer.Exit(1)
    except (StartFault, BusUnavailable) as fault:
        raise CommandFailed(str(fault)) from fault
