"""The models that commands without a server use: those of the environment."""

from __future__ import annotations

import os
from collections.abc import Sequence

from aiohttp import ClientSession

from tidemill.adapters.models import EnvironmentModels, ModelArgumentInvalid
from tidemill.cli.failure import CommandFailed


def open_models(
    http: ClientSession, *, model: str = "", maps: Sequence[str] = (), window: int | None = None
) -> EnvironmentModels:
    """The models of this environment; a `--model` or `--map` that names none ends the command."""
    try:
        return EnvironmentModels(http, os.environ, model=model or None, maps=maps, window=window)
    except ModelArgumentInvalid as error:
        raise CommandFailed(str(error)) from error
