from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from support.model_server import ModelServer, model_server, model_server_process

__all__ = ["ModelServer", "http", "model_server", "model_server_process"]


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session
