"""Writes `docs/reference/settings.md` and `.env.example`: `python -m tidemill.kit.settings_page FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tidemill.kit.settings import GROUPS, Settings, environment_name

INTRODUCTION = """# Settings

None is required. Values come from, strongest first: the command line, the environment, `.env` in the working
directory, `.env` in the data folder, the default. `tidemill config` shows every setting with its value (secrets
masked) and where it was read, and warns of names spelt wrongly. An empty value means "not set".

This page is written from the program (`python -m tidemill.kit.settings_page .`); a test compares them.
"""
EXAMPLE = """# Settings of Tidemill. None is required: remove the # of a line to change it.
# Put this file as .env into the data folder or the folder you start Tidemill in.
# What each one means: docs/reference/settings.md
"""


def page() -> str:
    """The reference page."""
    parts = [INTRODUCTION]
    for group in GROUPS:
        rows = [f"| `{name}` | {_shown_default(field)} | {field.description} |" for name, field in _of_group(group)]
        parts.append("\n".join([f"## {group}\n", "| name | default | meaning |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


def env_example() -> str:
    """The example file: every setting, commented out, with its default."""
    parts = [EXAMPLE]
    for group in GROUPS:
        lines = [f"# {name}={_default(field)}" for name, field in _of_group(group)]
        parts.append("\n".join([f"# --- {group}", *lines, ""]))
    return "\n".join(parts)


def _of_group(group: str) -> Iterator[tuple[str, FieldInfo]]:
    for field, info in Settings.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and extra["group"] == group:
            yield environment_name(field), info


def _default(info: FieldInfo) -> str:
    value = info.default
    if value is None or isinstance(value, SecretStr):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown_default(info: FieldInfo) -> str:
    return f"`{text}`" if (text := _default(info)) else ""


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "docs" / "reference" / "settings.md").write_text(page(), "utf-8")
    (folder / ".env.example").write_text(env_example(), "utf-8")
