"""`ports.Sandbox`: which interpreter a program gets, and what its answer means."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tidemill.adapters.sandbox.allowed import are_tame, is_same_everywhere
from tidemill.adapters.sandbox.fast import FastPath, Undecided
from tidemill.adapters.sandbox.limits import MEGABYTE, Limits
from tidemill.adapters.sandbox.packages import Packages, imported_names
from tidemill.adapters.sandbox.pool import ProcessPool, too_much_memory
from tidemill.adapters.sandbox.process import SandboxProcess
from tidemill.adapters.sandbox.runtime import RUNTIME, Language, Runtime
from tidemill.ports import CodeFailed, CodeLimits, CodeRequest

# What the engine maps for the next program, used or not. Bombs between two looks at a process end at this.
_ADDRESS_SPACE_BYTES: Final = 1024 * MEGABYTE
_MISSING: Final = re.compile(r"^ModuleNotFoundError: No module named '([^'.]+)")


# How the libraries that reach for the network find that there is none.
_UNREACHED: Final = re.compile(
    r"^(?:NotImplementedError|URLError|\w*ConnectionError|\w*Timeout\w*|OSError|gaierror|BlockingIOError)\b"
)
_ASKS_NETWORK: Final = frozenset(
    {"requests", "urllib", "urllib3", "http", "httpx", "aiohttp", "socket", "smtplib", "ftplib"}
)


class CodeSandbox:
    """Runs programs; close it to end its processes. Belongs to one event loop; nothing starts before the first run.

    Args:
        folder: For what is made once and used by all runs.
        packages: A folder of further Python packages, filled by the administrator.
        has_fast_path: Whether programs known to behave the same may run in the small interpreter.
        runtime: The folder of the interpreter's build.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits | None = None,
        *,
        packages: Path | None = None,
        has_fast_path: bool = True,
        runtime: Path = RUNTIME,
    ) -> None:
        self._bounds = limits or Limits()
        self._runtime = Runtime(
            folder,
            memory_bytes=self._bounds.memory_bytes,
            output_chars=self._bounds.output_chars,
            packages=packages,
            build=runtime,
        )
        self._folder = folder
        self._packages = Packages(packages)
        self._fast = FastPath(self._bounds) if has_fast_path else None
        self._pools = {
            # Its memory is bounded by the interpreter itself.
            "python3": ProcessPool(self._bounds, lambda: self._start("python")),
            "javascript": ProcessPool(
                self._bounds,
                lambda: self._start("javascript"),
                growth_bytes=self._bounds.memory_bytes + _ADDRESS_SPACE_BYTES,
            ),
        }

    @property
    def limits(self) -> CodeLimits:
        return self._bounds.values

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of full interpreters there are now."""
        return tuple(pid for pool in self._pools.values() for pid in pool.pids)

    @property
    def busy(self) -> int:
        """How many full interpreters run a program now."""
        return sum(pool.busy for pool in self._pools.values())

    async def run(self, request: CodeRequest) -> Any:
        """What `main` returned, as JSON data. Raises `CodeFailed`."""
        inputs = self._encoded(request.inputs)
        if self._fast is not None and is_fast(request):
            outcome = await self._fast.run(request.code, request.inputs)
            if not isinstance(outcome, Undecided):
                return outcome
        return await self.run_fully(request, inputs)

    async def run_fully(self, request: CodeRequest, inputs: str = "") -> Any:
        """The same, always in the full interpreter."""
        message: dict[str, Any] = {
            "id": uuid4().hex,
            "code": request.code,
            "inputs": inputs or self._encoded(request.inputs),
        }
        if request.language == "python3":
            message["files"] = await self._packages.files_for(request.code)
        return self._decoded(request, await self._pools[request.language].run(message))

    async def close(self) -> None:
        """End all processes."""
        if self._fast is not None:
            await self._fast.close()
        for pool in self._pools.values():
            await pool.close()

    async def _start(self, language: Language) -> SandboxProcess:
        command = await self._runtime.ready(language)
        return await SandboxProcess.start(
            command,
            environment=self._runtime.environment(),
            folder=self._folder,
            output_chars=self._bounds.output_chars,
        )

    def _encoded(self, inputs: dict[str, Any]) -> str:
        try:
            text = json.dumps(inputs, allow_nan=False)
        except ValueError as error:
            raise CodeFailed("An input of the code holds a number that is not finite.") from error
        except RecursionError as error:
            raise CodeFailed("An input of the code is nested too deeply.") from error
        if len(text) > self._bounds.input_chars:
            raise CodeFailed("The code's inputs are too large. Pass on less data.")
        return text

    def _decoded(self, request: CodeRequest, reply: dict[str, Any]) -> Any:
        if "excess" in reply:
            raise CodeFailed(
                f"The code returned {reply['excess']} characters of JSON; the limit is {self._bounds.output_chars}. "
                "Return less, or raise TIDEMILL_SANDBOX_OUTPUT."
            )
        if "broken" in reply:
            raise CodeFailed(f"The code broke its interpreter: {reply['broken']}.")
        if "error" in reply:
            raise self._failure(request, str(reply["error"]))
        try:
            return json.loads(reply["result"])
        except RecursionError as error:
            raise CodeFailed("The code returned data that is nested too deeply.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise CodeFailed("The code returned something that is not JSON data.") from error

    def _failure(self, request: CodeRequest, message: str) -> CodeFailed:
        if request.language == "python3" and message.startswith("MemoryError"):
            return too_much_memory(self._bounds)
        if missing := _MISSING.match(message):
            return CodeFailed(f"{message}. {self._packages.advice(missing[1])}")
        if _UNREACHED.match(message) and _ASKS_NETWORK & imported_names(request.code):
            return CodeFailed(f"{message}. Code has no network: send requests with an HTTP request node.")
        return CodeFailed(message)


def is_fast(request: CodeRequest) -> bool:
    """Whether the small interpreter may be asked first."""
    return request.language == "python3" and is_same_everywhere(request.code) and are_tame(request.inputs)
