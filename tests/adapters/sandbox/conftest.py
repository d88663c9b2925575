from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tidemill.adapters.sandbox import CodeSandbox, Limits
from tidemill.ports import CodeFailed, CodeRequest

Run = Callable[..., Awaitable[Any]]
Open = Callable[..., CodeSandbox]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of everything that sandboxes make once; shared, so that the interpreter is loaded once."""
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture
async def opened(made_once: Path) -> AsyncIterator[Open]:
    """Opens sandboxes that are closed at the end of the test."""
    sandboxes: list[CodeSandbox] = []

    def open_one(**options: Any) -> CodeSandbox:
        bounds: dict[str, Any] = {name: options.pop(name) for name in list(options) if name in Limits.__struct_fields__}
        sandboxes.append(CodeSandbox(made_once, msgspec.structs.replace(Limits(processes=1), **bounds), **options))
        return sandboxes[-1]

    yield open_one
    for sandbox in sandboxes:
        await sandbox.close()


async def python(sandbox: CodeSandbox, code: str, **inputs: Any) -> Any:
    return await sandbox.run(CodeRequest(language="python3", code=code, inputs=inputs))


async def javascript(sandbox: CodeSandbox, code: str, **inputs: Any) -> Any:
    return await sandbox.run(CodeRequest(language="javascript", code=code, inputs=inputs))


async def failure(running: Awaitable[Any]) -> str:
    """The sentence a run ends with."""
    try:
        result = await running
    except CodeFailed as error:
        return str(error)
    raise AssertionError(f"The run ended well: {result!r}")
