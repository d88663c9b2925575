"""Build hook: puts the console and the interpreter of code nodes into wheels, archives and editable installs.

`TIDEMILL_CONSOLE` decides what happens: `auto` (the default) builds what is missing or changed and lets the
installation succeed when that fails; `require` fails with it (releases, CI); `skip` leaves things as they are.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "scripts"))

import console_build
import sandbox_build


class ArtefactBuildHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        """Node comes from a wheel when there is something to build and nothing to build it with."""
        if self._needs_console() or self._needs_sandbox():
            return [] if console_build.system_node() else [console_build.NODE_WHEEL]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        root = Path(self.root)
        if self._needs_console():
            try:
                console_build.build(root, self.app.display_info)
            except console_build.BuildFailed as error:
                if _wish() == "require":
                    raise
                console_build.record_failure(root, str(error))
                self.app.display_warning(f"The console could not be built, the API works without it: {error}")
        if self._needs_sandbox():
            try:
                sandbox_build.build(root, self.app.display_info)
            except console_build.BuildFailed as error:
                if _wish() == "require":
                    raise
                self.app.display_warning(f"Code nodes will not run until it is mended: {error}")

    def _needs_console(self) -> bool:
        return _wish() != "skip" and not console_build.is_current(Path(self.root))

    def _needs_sandbox(self) -> bool:
        return _wish() != "skip" and not sandbox_build.is_current(Path(self.root))


def _wish() -> str:
    return os.environ.get("TIDEMILL_CONSOLE", "auto")
