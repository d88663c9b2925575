"""What the toolbox keeps secret: how it is completed, told apart and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tidemill.domains.toolbox.errors import ToolRefused
from tidemill.domains.toolbox.schemas import Auth

_NEEDED = {
    "none": (),
    "header": ("name", "value"),
    "query": ("name", "value"),
    "bearer": ("value",),
    "basic": ("username", "password"),
}
_SECRET = ("value", "password")


def auth_secrets(auth: Auth, stored: Mapping[str, Any]) -> dict[str, str]:
    """The credentials of an OpenAPI tool; a secret left empty keeps the stored one. Raises `ToolRefused`."""
    kept = stored if stored.get("auth_type") == auth.type else {}
    found = {"auth_type": str(auth.type)}
    for name in _NEEDED[auth.type]:
        value = str(getattr(auth, name)).strip() or (str(kept.get(name, "")) if name in _SECRET else "")
        if not value:
            raise ToolRefused(f"Authorization by {auth.type} needs {name}. Fill it in.", params=f"auth.{name}")
        if any(ord(character) < 32 for character in value):
            raise ToolRefused(f"{name} of the authorization holds a line break. Take it out.", params=f"auth.{name}")
        found[name] = value
    return found


def completed(given: Mapping[str, str], stored: Mapping[str, Any]) -> dict[str, str]:
    """Headers or variables by name; one with an empty value keeps the stored value."""
    return {name: value or str(stored.get(name, "")) for name, value in given.items()}


def hint_of(secrets: Mapping[str, Any]) -> str:
    """The end of the longest secret, to tell keys apart; of a short one it would tell too much."""
    values = [str(secrets[name]) for name in ("value", "password") if secrets.get(name)]
    for group in ("headers", "env"):
        values += [str(value) for value in dict[str, Any](secrets.get(group) or {}).values()]
    longest = max(values, key=len, default="")
    return f"…{longest[-4:]}" if len(longest) >= 12 else "…" if longest else ""


def shown_address(url: str, command: str) -> str:
    """An address as lists show it: a path or query often holds the key."""
    if command:
        return command
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else ""
