"""OpenAPI documents (2.0, 3.0, 3.1) as operations: where each is, what it takes, how that is written.

Sources: the OpenAPI Specification 2.0, 3.0.4 and 3.1.1 of the OpenAPI Initiative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast
from urllib.parse import urljoin, urlsplit

import msgspec

from tidemill.ports import ToolParameter, ToolSpec
from tidemill.tools.json_schema import References, SchemaRefused, merged, parameter, parameters_of
from tidemill.tools.openapi_text import DocumentRefused, parsed

MAX_OPERATIONS: Final = 1_000
METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
READ_ONLY: Final = frozenset({"get", "head", "options"})
WHOLE_BODY: Final = "body"
# Media types in the order in which one is chosen when an operation takes several.
_BODIES: Final = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
# These are the request's own business, whatever a document says.
_RESERVED_HEADERS: Final = frozenset({"accept", "content-type", "authorization", "host", "content-length"})

Place: TypeAlias = Literal["path", "query", "header", "cookie"]
_STYLES: Final[Mapping[str, str]] = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_OLD_STYLES: Final = {"ssv": "spaceDelimited", "pipes": "pipeDelimited", "tsv": "tabDelimited"}


class WireParameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter outside the body. `style` and `explode` as OpenAPI 3 means them; `is_json`: its value is JSON."""

    name: str
    place: Place
    style: str
    explode: bool
    is_required: bool
    is_json: bool = False


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an operation. `names` are its fields; empty when the argument `body` is all of it."""

    media_type: str
    names: tuple[str, ...] = ()
    integers: frozenset[str] = frozenset()


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `server` is the address that `path` is appended to."""

    spec: ToolSpec
    method: str
    server: str
    path: str
    parameters: tuple[WireParameter, ...] = ()
    body: Body | None = None


class ApiDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document as read. `operations` by tool name, in the document's order."""

    title: str
    description: str
    version: str
    operations: dict[str, Operation]


def read_document(text: str, *, provider: str = "", source_url: str = "", base_url: str = "") -> ApiDocument:
    """Read a document from its JSON or YAML text. Executes nothing and fetches nothing.

    Args:
        text: The document.
        provider: What the tools' specs name as their provider.
        source_url: Where the text was fetched; servers given without a host are taken from there.
        base_url: Used in place of the servers that the document names.

    Raises:
        DocumentRefused: It cannot be read, is of another kind, has references out of itself, or is too large.
    """
    document = parsed(text)
    version = str(document.get("swagger") or document.get("openapi") or "")
    if not (version.startswith(("3.0", "3.1")) or version == "2.0"):
        told = f"of version {version}" if version else "no OpenAPI document"
        raise DocumentRefused(f"This is {told}. Give an OpenAPI document of version 2.0, 3.0 or 3.1.")
    try:
        reader = _Reader(document, References(document), provider, source_url, base_url, is_old=version == "2.0")
        operations = {operation.spec.name: operation for operation in reader.operations()}
    except SchemaRefused as error:
        raise DocumentRefused(str(error)) from error
    if not operations:
        raise DocumentRefused("The document describes no operation. Give one with `paths`.")
    info = _mapping(document.get("info"))
    return ApiDocument(
        title=str(info.get("title") or ""),
        description=str(info.get("description") or ""),
        version=version,
        operations=operations,
    )


class _Reader:
    """Walks one document. `is_old`: it is of version 2.0."""

    def __init__(
        self,
        document: Mapping[str, Any],
        references: References,
        provider: str,
        source_url: str,
        base_url: str,
        *,
        is_old: bool,
    ) -> None:
        self._document = document
        self._references = references
        self._provider = provider
        self._source_url = source_url
        self._base_url = base_url
        self._is_old = is_old
        self._names: set[str] = set()

    def operations(self) -> Iterator[Operation]:
        for path, raw in _mapping(self._document.get("paths")).items():
            item = self._references.follow(raw)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    if len(self._names) >= MAX_OPERATIONS:
                        raise DocumentRefused(
                            f"The document has more than {MAX_OPERATIONS} operations. Leave those that are needed."
                        )
                    yield self._operation(str(path), method, item, item[method])

    def _operation(self, path: str, method: str, item: Mapping[str, Any], found: Mapping[str, Any]) -> Operation:
        raw = [
            self._references.follow(entry)
            for entry in (*_list(item.get("parameters")), *_list(found.get("parameters")))
        ]
        # What the operation says replaces what its path says of the same parameter.
        named = {(str(entry.get("in")), str(entry.get("name"))): entry for entry in raw if entry.get("name")}
        wire: list[WireParameter] = []
        told: dict[str, ToolParameter] = {}
        for (place, name), entry in named.items():
            if place not in _STYLES or (place == "header" and name.lower() in _RESERVED_HEADERS):
                continue
            wire.append(self._wire(name, cast(Place, place), entry))
            _add(told, self._parameter(name, entry, is_required=place == "path" or entry.get("required") is True))
        body, fields = self._old_body(list(named.values()), found) if self._is_old else self._body(found)
        for field in fields:
            _add(told, field)
        name = self._name(path, method, found)
        summary = str(found.get("summary") or found.get("description") or "")
        return Operation(
            spec=ToolSpec(
                provider=self._provider,
                name=name,
                label=name,
                description=str(found.get("description") or summary)[:2_000],
                parameters=tuple(told.values()),
                is_read_only=method in READ_ONLY,
            ),
            method=method.upper(),
            server=self._server(item, found),
            path=path,
            parameters=tuple(wire),
            body=body,
        )

    def _name(self, path: str, method: str, found: Mapping[str, Any]) -> str:
        """The operation's id, or one made of path and method as app files have it."""
        given = str(found.get("operationId") or "")
        name = given or f"{re.sub(r'[^a-zA-Z0-9_-]', '', path) or 'root'}_{method}"
        unique, number = name, 2
        while unique in self._names:
            unique, number = f"{name}_{number}", number + 1
        self._names.add(unique)
        return unique

    def _wire(self, name: str, place: Place, entry: Mapping[str, Any]) -> WireParameter:
        style = str(entry.get("style") or _STYLES[place])
        explode = entry.get("explode") is True if "explode" in entry else style in ("form", "deepObject")
        if self._is_old:
            form = str(entry.get("collectionFormat") or "csv")
            style = _OLD_STYLES.get(form, _STYLES[place])
            explode = form == "multi"
        return WireParameter(
            name=name,
            place=place,
            style=style,
            explode=explode,
            is_required=place == "path" or entry.get("required") is True,
            is_json=isinstance(entry.get("content"), dict),
        )

    def _parameter(self, name: str, entry: Mapping[str, Any], *, is_required: bool) -> ToolParameter:
        if isinstance(content := entry.get("content"), dict):
            schema = _mapping(next(iter(content.values()), None)).get("schema")
        else:
            schema = entry if self._is_old else entry.get("schema")
        expanded = self._references.expand(schema if schema is not None else {"type": "string"})
        return parameter(name, expanded, is_required=is_required, description=str(entry.get("description") or ""))

    # ------------------------------------------------------------ bodies

    def _body(self, found: Mapping[str, Any]) -> tuple[Body | None, tuple[ToolParameter, ...]]:
        request = self._references.follow(found.get("requestBody"))
        content = request.get("content")
        if not isinstance(content, dict) or not content:
            return None, ()
        media_type = _chosen([str(name) for name in content])
        schema = self._references.expand(_mapping(content.get(media_type)).get("schema"))
        return _body_of(media_type, schema, is_required=request.get("required") is True)

    def _old_body(
        self, entries: Sequence[Mapping[str, Any]], found: Mapping[str, Any]
    ) -> tuple[Body | None, tuple[ToolParameter, ...]]:
        consumes = [str(name) for name in _list(found.get("consumes") or self._document.get("consumes"))]
        for entry in entries:
            if entry.get("in") == "body":
                schema = self._references.expand(entry.get("schema"))
                media_type = _chosen(consumes) if consumes else _BODIES[0]
                return _body_of(media_type, schema, is_required=entry.get("required") is True)
        form = [entry for entry in entries if entry.get("in") == "formData"]
        if not form:
            return None, ()
        has_file = any(entry.get("type") == "file" for entry in form)
        fields = tuple(
            self._parameter(str(entry["name"]), entry, is_required=entry.get("required") is True) for entry in form
        )
        media_type = _BODIES[2] if has_file or consumes == [_BODIES[2]] else _BODIES[1]
        integers = frozenset(str(entry["name"]) for entry in form if entry.get("type") == "integer")
        return Body(media_type=media_type, names=tuple(field.name for field in fields), integers=integers), fields

    # ------------------------------------------------------------ servers

    def _server(self, item: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        if self._base_url:
            return self._base_url.rstrip("/")
        address = self._old_server() if self._is_old else self._new_server(item, found)
        whole = urljoin(self._source_url, address) if self._source_url else address
        if urlsplit(whole).scheme not in ("http", "https"):
            raise DocumentRefused(
                f"The document's server `{address[:200]}` is no whole address. Give the server's address beside it."
            )
        return whole.rstrip("/")

    def _old_server(self) -> str:
        host = str(self._document.get("host") or "")
        base = str(self._document.get("basePath") or "/")
        schemes = [str(scheme) for scheme in _list(self._document.get("schemes"))]
        scheme = "https" if "https" in schemes or not schemes else schemes[0]
        return f"{scheme}://{host}/{base.strip('/')}" if host else base

    def _new_server(self, item: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        servers = next(
            (given for owner in (found, item, self._document) if (given := _list(owner.get("servers")))), [{}]
        )
        server = _mapping(servers[0])
        address = str(server.get("url") or "/")
        for name, variable in _mapping(server.get("variables")).items():
            address = address.replace(f"{{{name}}}", str(_mapping(variable).get("default") or ""))
        return address


def _body_of(
    media_type: str, schema: Mapping[str, Any], *, is_required: bool
) -> tuple[Body, tuple[ToolParameter, ...]]:
    whole = merged(schema)
    fields = _writable(whole)
    is_form = media_type in _BODIES[1:3]
    if not fields or not (is_form or is_json(media_type)):
        told = parameter(WHOLE_BODY, whole or {"type": "string"}, is_required=is_required)
        return Body(media_type=media_type), (told,)
    integers = frozenset(name for name, item in _mapping(whole.get("properties")).items() if _is_integer(item))
    return Body(media_type=media_type, names=tuple(field.name for field in fields), integers=integers), fields


def _writable(schema: Mapping[str, Any]) -> tuple[ToolParameter, ...]:
    properties = {
        name: item
        for name, item in _mapping(schema.get("properties")).items()
        if isinstance(item, dict) and item.get("readOnly") is not True
    }
    return parameters_of({**schema, "properties": properties})


def _is_integer(schema: Any) -> bool:
    kind = schema.get("type") if isinstance(schema, dict) else None
    return kind == "integer" or (isinstance(kind, list) and "integer" in kind and "number" not in kind)


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON, by itself or by its suffix."""
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _chosen(media_types: Sequence[str]) -> str:
    known = [name for kind in _BODIES for name in media_types if name.partition(";")[0].strip().lower() == kind]
    return next(iter(known or [name for name in media_types if is_json(name)] or media_types))


def _add(told: dict[str, ToolParameter], added: ToolParameter) -> None:
    """An argument of the same name in two places is one argument that goes to both."""
    present = told.get(added.name)
    if present is None:
        told[added.name] = added
    elif added.is_required and not present.is_required:
        told[added.name] = msgspec.structs.replace(present, is_required=True)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
