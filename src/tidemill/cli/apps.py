"""Finding apps by what people call them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tidemill.cli.console_client import Console
from tidemill.cli.failure import CommandFailed

PAGE = "100"


async def list_all(console: Console, query: str = "") -> list[dict[str, Any]]:
    """Every app whose name or description holds `query`, newest first."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await console.get("/apps", query=query, limit=PAGE, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next_cursor"] or ""
        if not cursor:
            return found


async def find_same(console: Console, name: str, mode: str) -> dict[str, Any] | None:
    """The oldest app of this name and mode."""
    same = [row for row in await list_all(console, name) if row["name"] == name and row["mode"] == mode]
    return same[-1] if same else None


async def find_app(console: Console, word: str) -> dict[str, Any]:
    """The app of this id or name. Ends the command when there is none, or more than one."""
    if _is_id(word):
        return await console.get(f"/apps/{word}")
    named = [row for row in await list_all(console, word) if row["name"] == word]
    if len(named) != 1:
        count = "no app" if not named else f"{len(named)} apps"
        raise CommandFailed(f"There is {count} named {word}. Name it by its id: tidemill app list")
    return named[0]


def _is_id(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True
