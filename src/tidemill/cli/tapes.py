"""Cassettes as the commands write and read them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidemill.adapters.cassette import Cassette, CassetteInvalid, cassette_of, read, write
from tidemill.adapters.recording import recorded
from tidemill.adapters.scrubbing import is_secret_name
from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import read_file
from tidemill.dsl import AppFile
from tidemill.engine.events import Event

# Shorter values of the environment are no credentials, and would be found everywhere.
MIN_SECRET_CHARS = 8


def environment_secrets(environment: Mapping[str, str]) -> frozenset[str]:
    """The credentials among environment variables, by their names."""
    return frozenset(
        value
        for name, value in environment.items()
        if len(value) >= MIN_SECRET_CHARS and is_secret_name(name.replace("_", "-").lower())
    )


def recording(ports: dict[type, object]) -> dict[type, object]:
    """The ports of a run on the command line, with every outside call told to its journal."""
    return recorded(ports, secrets=environment_secrets(os.environ), max_bytes=0)


def save_cassette(
    path: Path, events: Sequence[Event], app: AppFile, *, models: dict[str, Any] | None = None
) -> Cassette:
    """Write the cassette of a run, whole or not at all."""
    cassette = cassette_of(
        events,
        app={"name": app.name, "mode": app.mode},
        recorded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        models=models,
    )
    fresh = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(write(cassette))
        os.replace(fresh, path)
    except OSError as error:
        raise CommandFailed(f"The cassette cannot be written to {path}: {error.strerror}.") from error
    return cassette


def load_cassette(path: Path) -> Cassette:
    """Read a cassette. Ends the command when the file is none."""
    try:
        return read(read_file(str(path)))
    except CassetteInvalid as error:
        raise CommandFailed(f"{path} cannot be played: {error}. Record it again.") from error
