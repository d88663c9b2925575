"""What every request can reach of the process: typed dependencies on `app.state`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from tidemill.kit.crypto import Vault
from tidemill.kit.settings import Settings


def _vault(connection: HTTPConnection) -> Vault:
    return connection.app.state.vault


def _settings(connection: HTTPConnection) -> Settings:
    return connection.app.state.settings


CurrentVault = Annotated[Vault, Depends(_vault)]
CurrentSettings = Annotated[Settings, Depends(_settings)]
