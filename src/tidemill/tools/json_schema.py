"""JSON Schemas as parameters of tools. Local references are followed, within bounds; no other ones are.

A schema comes from whoever wrote an OpenAPI document or runs an MCP server, so nothing in it is trusted: references
may form cycles, and aliases of YAML may make a small text stand for a huge tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import unquote

from tidemill.ports import ParameterType, ToolParameter

MAX_DEPTH: Final = 12
MAX_PARTS: Final = 2_000
MAX_HOPS: Final = 16
MAX_DESCRIPTION: Final = 2_000
_MAX_WALK: Final = 500_000
# Below these keys stand values, not schemas: a "$ref" there is somebody's data.
_DATA_KEYS: Final = frozenset({"example", "examples", "default", "enum", "const"})
_TYPES: Final[Mapping[str, ParameterType]] = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
    "file": "file",
}
# What is kept of a schema: its words and numbers, lists of names, small data, and the schemas inside it.
_PLAIN: Final = (
    "type", "title", "description", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "nullable", "readOnly", "writeOnly",
    "additionalProperties",
)  # fmt: skip
_NAMES: Final = ("type", "required")
_DATA: Final = ("enum", "const", "default")
MAX_DATA: Final = 500
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE: Final = ("items", "additionalProperties", "not")

Schema = Mapping[str, Any]


class SchemaRefused(ValueError):
    """A schema that is not followed: a remote reference, one that leads nowhere, too much of it. One sentence."""


class References:
    """The local references of one document. Making it checks that there are no others.

    Raises:
        SchemaRefused: A reference leads out of the document, or the document is too large a tree.
    """

    def __init__(self, document: Any) -> None:
        self._document = document
        for reference in _references_in(document):
            if not reference.startswith("#"):
                raise SchemaRefused(
                    f"The reference `{reference[:200]}` leads out of the document, and such references are not "
                    "followed. Put what it names into the document itself."
                )

    def follow(self, part: Any) -> dict[str, Any]:
        """What a part stands for: itself, or what its `$ref` names. Raises `SchemaRefused`."""
        for _ in range(MAX_HOPS):
            if not isinstance(part, dict):
                return {}
            reference = part.get("$ref")
            if not isinstance(reference, str):
                return part
            part = self._target(reference)
        raise SchemaRefused("References of the document lead to one another without end. Correct them.")

    def expand(self, schema: Any) -> dict[str, Any]:
        """A schema with its references put in; what is recursive, too deep or too much becomes any value."""
        return _Expansion(self).expand(schema, ())

    def _target(self, reference: str) -> Any:
        found = self._document
        for step in reference.removeprefix("#").split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, dict) and key in found:
                found = found[key]
            else:
                raise SchemaRefused(f"The reference `{reference[:200]}` names nothing in the document. Correct it.")
        return found


class _Expansion:
    """One expansion: how many parts it may still have."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._left = MAX_PARTS

    def expand(self, schema: Any, path: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(schema, dict):
            return {}
        self._left -= 1
        reference = schema.get("$ref")
        key = reference if isinstance(reference, str) else ""
        found = self._references.follow(schema)
        if self._left < 0 or len(path) > MAX_DEPTH or (key and key in path):
            return {"type": found["type"]} if isinstance(found.get("type"), (str, list)) else {}
        inner = (*path, key)
        expanded = {name: found[name] for name in _PLAIN if isinstance(found.get(name), (str, int, float, bool))}
        expanded |= {name: list(found[name]) for name in _NAMES if _is_names(found.get(name))}
        expanded |= {name: found[name] for name in _DATA if name in found and _is_small(found[name])}
        properties = found.get("properties")
        if isinstance(properties, dict):
            expanded["properties"] = {str(name): self.expand(item, inner) for name, item in properties.items()}
        for name in _LISTS:
            if isinstance(found.get(name), list):
                expanded[name] = [self.expand(item, inner) for item in found[name]]
        for name in _SINGLE:
            if isinstance(found.get(name), dict):
                expanded[name] = self.expand(found[name], inner)
        return expanded


def parameters_of(schema: Schema) -> tuple[ToolParameter, ...]:
    """The parameters that an expanded schema of an object describes, in its order."""
    schema = merged(schema)
    properties = schema.get("properties")
    required = schema.get("required")
    names = set(required) if isinstance(required, list) else set[Any]()
    return tuple(
        parameter(str(name), item, is_required=name in names)
        for name, item in (properties.items() if isinstance(properties, dict) else ())
        if isinstance(item, dict)
    )


def parameter(name: str, schema: Schema, *, is_required: bool, description: str = "") -> ToolParameter:
    """One parameter from its expanded schema."""
    schema = merged(schema)
    kind = type_of(schema)
    choices = schema.get("enum")
    is_choice = kind in ("string", "number") and isinstance(choices, list) and bool(choices)
    options = tuple(str(choice) for choice in cast(list[Any], choices) if choice is not None) if is_choice else ()
    return ToolParameter(
        name=name,
        type="select" if options and kind == "string" else kind,
        label=str(schema.get("title") or name),
        description=str(description or schema.get("description") or "")[:MAX_DESCRIPTION],
        is_required=is_required,
        default=schema.get("default"),
        options=options,
        schema=dict(schema) if kind in ("array", "object", "any") or options else None,
    )


def merged(schema: Schema) -> Schema:
    """A schema with what all of its `allOf` say, and without the null that makes a value optional."""
    if isinstance(parts := schema.get("allOf"), list):
        together: dict[str, Any] = {name: value for name, value in schema.items() if name != "allOf"}
        for part in parts:
            _merge(together, merged(part) if isinstance(part, dict) else {})
        return together
    for name in ("anyOf", "oneOf"):
        choices = schema.get(name)
        if not isinstance(choices, list):
            continue
        real = [item for item in choices if isinstance(item, dict) and item.get("type") != "null"]
        if len(real) == 1 and len(choices) == 2:
            return {**{key: value for key, value in schema.items() if key != name}, **merged(real[0])}
    return schema


def type_of(schema: Schema) -> ParameterType:
    """The type of a parameter with this schema."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), None)
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else None
    if kind == "string" and schema.get("format") == "binary":
        return "file"
    if kind == "array" and isinstance(items := schema.get("items"), dict) and items.get("format") == "binary":
        return "files"
    return _TYPES.get(str(kind), "any")


def _merge(into: dict[str, Any], part: Schema) -> None:
    for name, value in part.items():
        present = into.get(name)
        if name == "properties" and isinstance(present, dict):
            into[name] = {**present, **value}
        elif name == "required" and isinstance(present, list):
            into[name] = [*present, *value]
        else:
            into.setdefault(name, value)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_small(value: Any) -> bool:
    """Whether a value is JSON of few parts: what YAML aliases repeat counts each time."""
    waiting, count = [value], 0
    while waiting:
        part = waiting.pop()
        count += 1
        if count > MAX_DATA:
            return False
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        elif not (part is None or isinstance(part, (str, int, float, bool))):
            return False
    return True


def _references_in(document: Any) -> Iterator[str]:
    """Every `$ref` of a document; a part that several places share is looked at once."""
    waiting: list[Any] = [document]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if len(seen) > _MAX_WALK:
            raise SchemaRefused("The document has too many parts. Take out what the tools do not need.")
        if isinstance(part, list):
            waiting.extend(item for item in part if isinstance(item, (dict, list)))
        elif isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                yield reference
            waiting.extend(
                value for key, value in part.items() if isinstance(value, (dict, list)) and key not in _DATA_KEYS
            )
