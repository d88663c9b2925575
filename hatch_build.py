"""Build hook: puts the built console into wheels, source distributions and editable installs.

`TIDEMILL_CONSOLE` decides what happens: `auto` (the default) builds when the sources changed and lets the
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


class ConsoleBuildHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        """Node comes from a wheel when there is something to build and nothing to build it with."""
        if self._is_needed() and console_build.system_node() is None:
            return [console_build.NODE_WHEEL]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        if not self._is_needed():
            return
        root = Path(self.root)
        try:
            console_build.build(root, self.app.display_info)
        except console_build.BuildFailed as error:
            if _wish() == "require":
                raise
            console_build.record_failure(root, str(error))
            self.app.display_warning(f"The console could not be built, the API works without it: {error}")

    def _is_needed(self) -> bool:
        return _wish() != "skip" and not console_build.is_current(Path(self.root))


def _wish() -> str:
    return os.environ.get("TIDEMILL_CONSOLE", "auto")
