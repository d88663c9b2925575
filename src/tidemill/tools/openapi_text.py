"""The text of an OpenAPI document, JSON or YAML, as plain data; bounded, since anybody may have written it."""

from __future__ import annotations

import json
from typing import Any, Final

import yaml

MAX_CHARS: Final = 3_000_000
MAX_NESTING: Final = 200


class DocumentRefused(ValueError):
    """A document that is no OpenAPI document, or one that cannot be used. One sentence."""


def parsed(text: str) -> dict[str, Any]:
    """The data of a document's text. Raises `DocumentRefused`."""
    if len(text) > MAX_CHARS:
        raise DocumentRefused(f"The document is longer than {MAX_CHARS} characters. Take out what is not needed.")
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DocumentRefused(f"The document is neither JSON nor YAML: {reason}. Correct it.") from error
    if not isinstance(document, dict):
        raise DocumentRefused("This is no OpenAPI document. Give one of version 2.0, 3.0 or 3.1.")
    return document


class _PlainLoader(yaml.CSafeLoader):
    """Builds plain JSON data: dates stay texts."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(text: str) -> Any:
    # The loader recurses in C, where too deep a text ends the process; the parser does not.
    depth = 0
    for event in yaml.parse(text, _PlainLoader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > MAX_NESTING:
                raise ValueError(f"it is nested more than {MAX_NESTING} deep")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
    return yaml.load(text, _PlainLoader)  # noqa: S506 - a safe loader, by another name
