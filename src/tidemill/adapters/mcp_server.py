"""Where an MCP server is, how app files name some, and which command lines may be started as one."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import msgspec

from tidemill.ports import ToolFailed

SETTING: Final = "TIDEMILL_MCP_STDIO_ALLOWED"
MAX_SERVERS: Final = 20
Transport: TypeAlias = Literal["auto", "streamable_http", "sse"]
_TRANSPORTS: Final[Mapping[str, Transport]] = {
    "": "auto",
    "auto": "auto",
    "http": "streamable_http",
    "streamable_http": "streamable_http",
    "streamable-http": "streamable_http",
    "streamablehttp": "streamable_http",
    "sse": "sse",
}
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VARIABLE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")


class McpFailed(ToolFailed):
    """An MCP server cannot be used or refused a call. One sentence that names it."""


class McpSessionLost(McpFailed):
    """The server has forgotten the session, so the call was not made."""


class McpClosed(McpFailed):
    """The server ended the connection; whether it did what it was asked is not known."""


class McpServer(msgspec.Struct, frozen=True, kw_only=True):
    """An address, or the command line of a program that speaks on its standard streams. Times in seconds.

    `timeout_s` limits opening a session and listing tools, `call_timeout_s` one call.
    """

    name: str = ""
    url: str = ""
    command: str = ""
    transport: Transport = "auto"
    headers: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 30.0
    call_timeout_s: float = 300.0

    @property
    def label(self) -> str:
        """The server in a sentence. Addresses often hold a key, so only the host is told."""
        place = self.command.split(" ", 1)[0] if self.command else urlsplit(self.url).hostname or "an unknown host"
        return f"The MCP server {self.name or place}"


class Allowance:
    """The command lines that may be started, from the text of the setting.

    Entries are divided by `;`. Words `NAME=` before the command are environment variables that whoever adds the
    server gives values to: `GITHUB_TOKEN= npx -y @example/github-mcp`.
    """

    def __init__(self, text: str = "") -> None:
        self._variables: dict[str, frozenset[str]] = {}
        for entry in text.split(";"):
            words = entry.split()
            names: list[str] = []
            while words and (match := _VARIABLE.fullmatch(words[0])):
                names.append(match[1])
                words.pop(0)
            if words:
                self._variables[" ".join(words)] = frozenset(names)

    def arguments(self, server: McpServer) -> list[str]:
        """The words of an allowed command line. Raises `McpFailed` for every other one."""
        line = " ".join(server.command.split())
        if line not in self._variables:
            raise McpFailed(
                f"`{line[:200]}` may not be started as an MCP server. "
                f"The server's administrator can allow exactly this line in {SETTING}."
            )
        if unknown := [name for name, _ in server.env if name not in self._variables[line]]:
            raise McpFailed(
                f"The environment variable {unknown[0]} may not be set for this command. "
                f"The server's administrator can allow it with `{unknown[0]}= {line[:200]}` in {SETTING}."
            )
        return shlex.split(line, posix=os.name != "nt")


def check_server(server: McpServer) -> None:
    """Raise `McpFailed` when the address or a header cannot be one. Connects to nothing."""
    if bool(server.url) == bool(server.command):
        raise McpFailed("An MCP server has either an address or a command line. Give one of them.")
    if server.url and (urlsplit(server.url).scheme not in ("http", "https") or not urlsplit(server.url).hostname):
        raise McpFailed(f"{server.label} has no http or https address. Correct its URL.")
    for name, value in server.headers:
        if not _HEADER_NAME.fullmatch(name) or any(ord(character) < 32 for character in value):
            raise McpFailed(f"`{name[:100]}` is no header that can be sent. Correct its name or value.")


def read_servers(config: str) -> tuple[McpServer, ...]:
    """The servers that an app names itself: one address, or JSON of them by name, bare or under `mcpServers`.

    Raises:
        McpFailed: It is neither, or a server has no address.
    """
    text = config.strip()
    if not text:
        return ()
    if text.startswith(("http://", "https://")):
        return (_checked(McpServer(url=text)),)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise McpFailed(f"The configuration of MCP servers is not JSON: {error}. Correct it.") from error
    entries: Any = found.get("mcpServers", found) if isinstance(found, dict) else None
    if not isinstance(entries, dict):
        raise McpFailed("The configuration of MCP servers must be a JSON object of servers by name. Correct it.")
    if len(entries) > MAX_SERVERS:
        raise McpFailed(f"The configuration names more than {MAX_SERVERS} MCP servers. Take some out.")
    if isinstance(entries.get("url"), str):
        entries = {"": entries}
    return tuple(_checked(_server(str(name), entry)) for name, entry in entries.items() if entry)


def _server(name: str, entry: Any) -> McpServer:
    given = cast("dict[str, Any]", entry if isinstance(entry, dict) else {"url": str(entry)})
    kind = str(given.get("transport") or given.get("type") or "").lower()
    words: Sequence[Any] = given["args"] if isinstance(given.get("args"), list) else ()
    command = " ".join([str(given["command"]), *(str(word) for word in words)]) if given.get("command") else ""
    return McpServer(
        name=name,
        url="" if command else str(given.get("url") or ""),
        command=command,
        transport=_TRANSPORTS.get(kind, "auto"),
        headers=_pairs(given.get("headers")),
        env=_pairs(given.get("env")),
        timeout_s=_seconds(given.get("timeout"), 30.0, 120.0),
        call_timeout_s=_seconds(given.get("sse_read_timeout"), 300.0, 600.0),
    )


def _checked(server: McpServer) -> McpServer:
    check_server(server)
    return server


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(text)) for name, text in value.items()) if isinstance(value, dict) else ()


def _seconds(value: Any, default: float, most: float) -> float:
    return min(float(value), most) if isinstance(value, (int, float)) and value > 0 else default
