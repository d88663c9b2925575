"""Fixtures for tests that talk to a real server: import them in a `conftest.py`."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import aiohttp
import pytest_asyncio

from support.installation import Installation, Person
from support.model_server import ModelServer
from support.served import Served, listening

MODELS = ("mock-5tok-0ms", "mock-50tok-20ms", "mock-hang3", "mock-err401", "mock-echo", "mock-json")


@pytest_asyncio.fixture
async def served(installation: Installation, owner: Person, model_server: ModelServer) -> AsyncGenerator[Served]:
    """A server with an owner whose workspace can use the scripted models."""
    async with listening(installation) as base, aiohttp.ClientSession() as http:
        running = Served(base, installation, owner, model_server, http)
        await running.add_models(*MODELS)
        yield running
