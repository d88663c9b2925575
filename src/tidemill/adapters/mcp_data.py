"""What MCP servers declare and answer, as plain data."""

from __future__ import annotations

from typing import Any

import msgspec


class McpDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as its server declares it. The schemas are the server's own, not looked at yet."""

    name: str
    title: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None = None
    is_read_only: bool = False


class McpPart(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an answer: a `text`, the `data` of a file, or the `url` of one."""

    text: str = ""
    data: bytes | None = None
    url: str = ""
    name: str = ""
    mime_type: str = ""


class McpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool answered. With `is_error` the parts say what went wrong."""

    is_error: bool
    parts: tuple[McpPart, ...]
    structured: Any = None
