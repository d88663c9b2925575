"""What a start needs, checked one by one. `serve` stops at the first fault; `doctor` tells them all."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tidemill.kit.faults import StartFault
from tidemill.kit.settings import Settings

CONNECT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Check:
    """One line of `doctor`: what was looked at, and the fault if there is one."""

    name: str
    message: str
    fault: StartFault | None = None

    @property
    def is_ok(self) -> bool:
        return self.fault is None


async def check_all(settings: Settings, *, with_port: bool = True) -> list[Check]:
    """Every check of a start, in the order `serve` makes them."""
    steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("data folder", lambda: _in_thread(check_data_folder, settings)),
        ("storage", lambda: _in_thread(check_storage, settings)),
        ("database", lambda: check_database(settings)),
    ]
    if with_port:
        steps.append(("port", lambda: _in_thread(check_port, settings)))
    return [await _checked(name, step) for name, step in steps]


async def require_start(settings: Settings, *, with_port: bool = True) -> None:
    """Raise the first `StartFault` there is."""
    for check in await check_all(settings, with_port=with_port):
        if check.fault is not None:
            raise check.fault


def check_data_folder(settings: Settings) -> str:
    """Raise unless the data folder can be written."""
    try:
        settings.folder.create()
        _try_write(settings.home)
    except OSError as error:
        raise settings.fault(
            "home", f"the data folder cannot be written ({error.strerror})", "Choose a folder that can be, with --data."
        ) from error
    return f"{settings.home} can be written."


def check_storage(settings: Settings) -> str:
    """Raise unless files have a folder that can be written."""
    if not settings.opendal_fs_root:
        named = [field for field in ("opendal_fs_root", "opendal_scheme", "storage_type") if _is_set(settings, field)]
        if named:
            raise settings.fault(
                "opendal_fs_root",
                "the storage root is not set",
                "Set it to the folder where files are to be kept, "
                "or remove STORAGE_TYPE and OPENDAL_SCHEME to keep them in the data folder.",
                source=settings.source(named[0]),
            )
    try:
        settings.storage_root.mkdir(parents=True, exist_ok=True)
        _try_write(settings.storage_root)
    except OSError as error:
        raise settings.fault(
            "opendal_fs_root",
            f"the storage root cannot be written ({error.strerror})",
            "Name a folder that this user may write to.",
            value=str(settings.storage_root),
        ) from error
    return f"{settings.storage_root} can be written."


def check_port(settings: Settings) -> str:
    """Raise unless the server could listen."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except socket.gaierror as error:
            raise settings.fault("host", "this address is unknown", "Listen on 127.0.0.1 or 0.0.0.0.") from error
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise settings.fault(
                "port",
                f"cannot listen on {settings.host}:{settings.port} ({reason})",
                "Stop the program that uses the port, or choose another one with --port.",
            ) from error
    return f"{settings.host}:{settings.port} is free."


async def check_database(settings: Settings) -> str:
    """Raise unless the database answers and lets us in."""
    if settings.db_type == "sqlite":
        return await _in_thread(_check_sqlite, settings)
    # Only whoever uses PostgreSQL pays for its driver.
    import asyncpg

    password = settings.db_password.get_secret_value() or None
    try:
        connection = await asyncio.wait_for(
            asyncpg.connect(
                host=settings.db_host,
                port=settings.db_port,
                user=settings.db_username,
                password=password,
                database=settings.db_database,
            ),
            CONNECT_TIMEOUT_S,
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise _refused(settings, error, has_password=password is not None) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise settings.fault(
            "db_database",
            f"the server at {settings.db_host}:{settings.db_port} has no such database",
            f"Create it (createdb {settings.db_database}), or name one that exists.",
        ) from error
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        raise settings.fault(
            "db_host",
            f"no database answers at {settings.db_host}:{settings.db_port} ({_reason(error)})",
            "Start PostgreSQL there, correct DB_HOST and DB_PORT, or set DB_TYPE=sqlite.",
        ) from error
    await connection.close()
    return f"PostgreSQL answers at {settings.db_host}:{settings.db_port}."


def _refused(settings: Settings, error: Exception, *, has_password: bool) -> StartFault:
    if not has_password:
        return settings.fault(
            "db_password",
            f"no password was supplied and the server asks {settings.db_username} for one",
            f"Set DB_PASSWORD to the password of {settings.db_username}.",
        )
    return settings.fault(
        "db_password",
        f"the server refuses {settings.db_username} with this password ({_reason(error)})",
        f"Correct DB_USERNAME or DB_PASSWORD: {settings.db_username} must be able to sign in.",
    )


def _check_sqlite(settings: Settings) -> str:
    path = settings.folder.database
    try:
        connection = sqlite3.connect(path, timeout=CONNECT_TIMEOUT_S)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise settings.fault(
            "home",
            f"the database {path} cannot be opened ({error})",
            "Move that file away, or choose another data folder.",
        ) from error
    return f"{path} can be opened."


async def _checked(name: str, step: Callable[[], Awaitable[str]]) -> Check:
    try:
        return Check(name, await step())
    except StartFault as fault:
        return Check(name, fault.message, fault)


async def _in_thread(check: Callable[[Settings], str], settings: Settings) -> str:
    return await asyncio.to_thread(check, settings)


def _try_write(folder: Path) -> None:
    probe = folder / f".write-{uuid.uuid4().hex}"
    probe.write_bytes(b"")
    probe.unlink()


def _is_set(settings: Settings, field: str) -> bool:
    return settings.source(field) != "default"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing came within {CONNECT_TIMEOUT_S:.0f} s"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
