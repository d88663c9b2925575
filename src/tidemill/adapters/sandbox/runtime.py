"""The files that programs run on: Deno, the Python interpreter's build, and what is made of them once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

from tidemill.ports import CodeFailed

Language = Literal["python", "javascript"]

HERE: Final = Path(__file__).parent
RUNTIME: Final = HERE / "runtime"
PROGRAMS: Final = HERE / "deno"
BUILT: Final = "VERSION"  # scripts/sandbox_build.py writes it last
BUILD_COMMAND: Final = "python3 start.py sandbox"
PAGE_BYTES: Final = 65536

# The host reads these; workers, where programs run, have no permission at all.
_FLAGS: Final = (
    "--quiet",
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--cached-only",
    "--unstable-worker-options",
)


class Runtime:
    """Where everything is. Nothing is looked for before the first program asks for it.

    Args:
        folder: What is made once is kept there: the interpreter's saved memory, the time zones, Deno's cache.
        packages: The administrator's packages, or None.
        build: The folder that `scripts/sandbox_build.py` fills.
    """

    def __init__(
        self, folder: Path, *, memory_bytes: int, output_chars: int, packages: Path | None = None, build: Path
    ) -> None:
        self._folder = folder
        self._build = build
        self._pages = memory_bytes // PAGE_BYTES
        self._memory_bytes = memory_bytes
        self._output_chars = output_chars
        self._packages = packages
        self._making = asyncio.Lock()

    @cached_property
    def deno(self) -> str:
        """Path of the executable. Raises `CodeFailed`."""
        try:
            # Only whoever runs code needs it, and some platforms have no such wheel.
            from deno import find_deno_bin

            return find_deno_bin()
        except (ImportError, FileNotFoundError) as error:
            raise CodeFailed(
                "Code nodes need Deno, which is not installed here. Install it with: pip install deno"
            ) from error

    @cached_property
    def version(self) -> str:
        """Version of the interpreter's build. Raises `CodeFailed` when it is not there."""
        try:
            return (self._build / BUILT).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CodeFailed(
                f"Code nodes need the Python runtime, which was not built with this installation. Run: {BUILD_COMMAND}"
            ) from error

    def command(self, language: Language, **options: Any) -> list[str]:
        """The command line of a process."""
        readable = [HERE, self._folder, *((self._packages,) if self._packages else ())]
        told = {
            "kind": language,
            "runtime": str(self._build),
            "packages": str(self._packages or ""),
            "pages": self._pages,
            "maxOutput": self._output_chars,
            **options,
        }
        if language == "python":
            # No text becomes JavaScript code there, whatever a program gets hold of.
            engine = "--v8-flags=--disallow-code-generation-from-strings,--max-old-space-size=256"
        else:
            engine = f"--v8-flags=--max-old-space-size={self._memory_bytes // (1024 * 1024)}"
        allowed = "--allow-read=" + ",".join(str(path).replace(",", ",,") for path in readable)
        return [self.deno, "run", *_FLAGS, engine, allowed, str(PROGRAMS / "host.js"), json.dumps(told)]

    def environment(self) -> Mapping[str, str]:
        """Nothing of this process's environment, but what Windows cannot start a program without."""
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "SYSTEMDRIVE") if name in os.environ}
        own = {"NO_COLOR": "1", "TZ": "UTC", "DENO_NO_UPDATE_CHECK": "1", "DENO_DIR": str(self._folder / "deno")}
        return {**kept, **own}

    async def ready(self, language: Language) -> list[str]:
        """The command line of a process, after making what it needs. Raises `CodeFailed`."""
        if language == "javascript":
            await asyncio.to_thread(self._make_folder)
            return self.command("javascript")
        async with self._making:
            snapshot, zones = await asyncio.to_thread(self._prepare)
            if not await asyncio.to_thread(_is_whole, snapshot):
                await self._save_snapshot(snapshot, zones)
        return self.command("python", snapshot=str(snapshot), zones=str(zones))

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CodeFailed(
                f"The folder {self._folder} for the sandbox cannot be written: {error.strerror}."
            ) from error

    def _prepare(self) -> tuple[Path, Path]:
        self._make_folder()
        try:
            zones = self._folder / f"tzdata-{version_of('tzdata')}.zip"
        except PackageNotFoundError as error:
            raise CodeFailed("Code nodes need the package tzdata. Install it with: pip install tzdata") from error
        if not zones.is_file():
            _replace(zones, _zipped("tzdata"))
        return self._snapshot, zones

    @cached_property
    def _snapshot(self) -> Path:
        digest = hashlib.sha256(self.version.encode())
        for path in (PROGRAMS / "runner.py", PROGRAMS / "python_worker.js"):
            digest.update(path.read_bytes())
        return self._folder / f"python-{digest.hexdigest()[:16]}.snapshot"

    async def _save_snapshot(self, snapshot: Path, zones: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            *self.command("python", snapshot="", zones=str(zones)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self.environment(),
            cwd=self._folder,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0 or len(output) < PAGE_BYTES:
            raise CodeFailed(f"The Python runtime does not start. Build it again: {BUILD_COMMAND}")
        await asyncio.to_thread(self._keep_snapshot, snapshot, output[4:])

    def _keep_snapshot(self, snapshot: Path, data: bytes) -> None:
        for old in self._folder.glob("*.snapshot*"):
            old.unlink(missing_ok=True)
        _replace(snapshot, data)
        _replace(_digest_file(snapshot), hashlib.sha256(data).hexdigest().encode())


def _digest_file(snapshot: Path) -> Path:
    return snapshot.with_name(f"{snapshot.name}.sha256")


def _is_whole(snapshot: Path) -> bool:
    """An interpreter restored from half its memory would not fail, but hang."""
    try:
        return _digest_file(snapshot).read_text() == hashlib.sha256(snapshot.read_bytes()).hexdigest()
    except OSError:
        return False


def _replace(path: Path, data: bytes) -> None:
    """Write whole or not at all, whoever else does the same."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(path)


def _zipped(package: str) -> bytes:
    """An installed package of files as an importable archive."""
    spec = find_spec(package)
    assert spec is not None  # noqa: S101 - its version was known
    assert spec.origin is not None  # noqa: S101
    root = Path(spec.origin).parent
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(root.parent).as_posix())
    return buffer.getvalue()
