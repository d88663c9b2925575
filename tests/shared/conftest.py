"""The extra run over real files that live beside the project. Without them nothing here is collected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[2]
FILES = Path(os.environ.get("TIDEMILL_SHARED", ROOT.parent / "shared")) / "fixtures" / "dsl"
collect_ignore_glob = [] if FILES.is_dir() else ["test_*.py"]


def pytest_configure(config: pytest.Config) -> None:
    del config
    if not FILES.is_dir() and os.environ.get("TIDEMILL_TEST_REQUIRE") == "all":
        raise pytest.UsageError(f"TIDEMILL_TEST_REQUIRE=all, but the shared files are not at {FILES}.")
