"""What tests of tools share: vendors played by a real local server, storage, and the real worker processes."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tidemill.adapters.http import open_sessions
from tidemill.adapters.workshop import SafeWorkshop
from tidemill.ports import Files, Http, Workshop
from tools.vendors import Bench, Keeping, Rerouted, Vendors


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    """Calls built-in tools with real ports; the hosts of vendors are those of `bench.vendors`."""
    vendors, workshop = Vendors(), SafeWorkshop()
    await vendors.start()
    sessions = await open_sessions(allow="127.0.0.1")
    files = Keeping()
    yield Bench(
        vendors=vendors,
        files=files,
        ports={Http: Rerouted(sessions.http, vendors), Files: files, Workshop: workshop},
    )
    await workshop.close()
    await sessions.close()
    await vendors.close()
