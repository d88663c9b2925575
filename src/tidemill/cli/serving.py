"""How the server is started: checks first, then one process or several, then one line with the address."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import urllib.request
import webbrowser
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Literal, TypedDict

import uvicorn
from fastapi import FastAPI

import tidemill
from tidemill import __version__
from tidemill.domains.workspaces import service as workspaces
from tidemill.domains.workspaces.service import SetupGate, setup_gate
from tidemill.kit.db import Database
from tidemill.kit.settings import Settings, load, with_secret_key
from tidemill.kit.startup import check_data_folder, check_port, require_start
from tidemill.main import create_app, open_database
from tidemill.migrations.schema import bring_up_to_date

if TYPE_CHECKING:
    # Most of what a start imports: a fault of the settings is told before it.
    from tidemill.domains.conversations.desk import Desk

FACTORY = "tidemill.cli.serving:create_app_of_process"
GRACE_S = 10
POLL_S = 0.1


class ServerOptions(TypedDict):
    """What we tell uvicorn, however many processes there are."""

    host: str
    port: int
    log_level: str
    access_log: bool
    ws: Literal["none"]
    server_header: bool
    timeout_graceful_shutdown: int


def server_options(settings: Settings) -> ServerOptions:
    return {
        "host": settings.host,
        "port": settings.port,
        "log_level": "warning",
        "access_log": False,
        "ws": "none",
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_S,
    }


async def prepare(settings: Settings) -> tuple[Settings, bool]:
    """Check everything a start needs and bring the database up to date; tells whether there is an owner yet.

    Raises:
        StartFault: The first thing that is wrong.
    """
    await require_start(settings)
    settings = with_secret_key(settings)
    database = open_database(settings)
    try:
        await bring_up_to_date(database, settings)
        async with database.session() as db:
            return settings, await workspaces.is_set_up(db)
    finally:
        await database.close()


async def serve_one(settings: Settings, *, opens: bool) -> bool:
    """Serve in this process until a signal ends it; False when the server could not begin.

    The application's start is run here and not by uvicorn, whose way to tell that one failed is a trace.

    Raises:
        StartFault, BusUnavailable: Something a start needs is wrong.
    """
    check_data_folder(settings)
    check_port(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        database: Database = app.state.database
        async with database.session() as db:
            is_set_up = await workspaces.is_set_up(db)
        code = code_to_show(settings, app.state.setup_gate, is_set_up=is_set_up)
        config = uvicorn.Config(app, lifespan="off", **server_options(settings))
        desk: Desk = app.state.desk
        server = AnnouncedServer(config, settings, code=code, opens=opens, wind_down=desk.wind_down)
        await server.serve()
    return server.started


def code_to_show(settings: Settings, gate: SetupGate, *, is_set_up: bool) -> str:
    """The one-time code of the first-run page, while it is needed and nobody chose it."""
    return "" if is_set_up or settings.init_password.get_secret_value() else gate.code


class AnnouncedServer(uvicorn.Server):
    """Says where it answers, once it does, and ends quietly."""

    def __init__(
        self,
        config: uvicorn.Config,
        settings: Settings,
        *,
        code: str,
        opens: bool,
        wind_down: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._wind_down = wind_down
        self._settings = settings
        self._code = code
        self._opens = opens

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            announce(self._settings, port, code=self._code, opens=self._opens)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn waits for the answers under way: streams end when their runs have been left to others.
        await self._wind_down()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Begin to stop on the first signal. uvicorn's own way raises it again, before what runs has been ended."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def announce(settings: Settings, port: int, *, code: str, opens: bool) -> None:
    """Print the address, the data folder and, where one is asked for, the first-run code: three lines at most."""
    host = "localhost" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - shown, not bound
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}{settings.path_prefix}/"
    print(f"Tidemill {__version__} answers at {settings.console_web_url or url}")
    print(f"Data: {settings.home}")
    if code:
        print(f"The first-run page asks for this code: {code}")
    sys.stdout.flush()
    if opens and _has_screen():
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _has_screen() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def serve_processes(settings: Settings, *, is_set_up: bool, opens: bool, reload: bool) -> None:
    """Serve with several processes, or with one that is started again when the sources change."""
    gate = setup_gate(settings)
    code = code_to_show(settings, gate, is_set_up=is_set_up)
    os.environ["TIDEMILL_HOME"] = str(settings.home)
    os.environ["TIDEMILL_HOST"] = settings.host
    os.environ["TIDEMILL_PORT"] = str(settings.port)
    if gate.needs_code:
        # Every process has to ask for the same code.
        os.environ["INIT_PASSWORD"] = gate.code
    threading.Thread(target=_announce_when_up, args=(settings, code, opens), daemon=True).start()
    uvicorn.run(
        FACTORY,
        factory=True,
        workers=None if reload else settings.workers,
        reload=reload,
        reload_dirs=[str(Path(tidemill.__file__).parent)] if reload else None,
        **server_options(settings),
    )


def _announce_when_up(settings: Settings, code: str, opens: bool) -> None:
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - asked, not bound
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}{settings.path_prefix}/healthz"
    pause = threading.Event()
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                break
        except OSError:
            pause.wait(POLL_S)
    announce(settings, settings.port, code=code, opens=opens)


def create_app_of_process() -> FastAPI:
    """The application of one of several processes: its settings come from the environment that `serve` prepared."""
    home = os.environ.get("TIDEMILL_HOME")
    app = create_app(load(home=Path(home) if home else None))
    opened = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(own: FastAPI) -> AsyncGenerator[None]:
        async with opened(own):
            desk: Desk = own.state.desk
            _wind_down_on_signals(desk)
            yield

    app.router.lifespan_context = lifespan
    return app


def _wind_down_on_signals(desk: Desk) -> None:
    """End streams as soon as uvicorn is told to stop: it waits for them, and cuts off those that take too long."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)

        def handle(number: int, frame: FrameType | None, before: object = before) -> None:
            loop.call_soon_threadsafe(_begin, desk.wind_down())
            if callable(before):
                before(number, frame)

        signal.signal(number, handle)


def _begin(winding_down: Coroutine[None, None, None]) -> None:
    task = asyncio.get_running_loop().create_task(winding_down, name="wind down")
    _winding_down.add(task)
    task.add_done_callback(_winding_down.discard)


_winding_down: set[asyncio.Task[None]] = set()
