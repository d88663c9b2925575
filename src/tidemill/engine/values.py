"""Values of a run: what they may be, their types, their text forms, and the pool that holds them.

Rules: reference `workflow-dsl.md`, sections 3.1 to 3.6.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeGuard

import msgspec

from tidemill.engine.errors import ValueMismatch

Selector: TypeAlias = tuple[str, ...]
FileKind: TypeAlias = Literal["image", "document", "audio", "video", "custom"]
TransferMethod: TypeAlias = Literal["remote_url", "local_file", "tool_file", "datasource_file"]
TextForm: TypeAlias = Literal["text", "markdown", "log"]

_SEAL: Final = re.compile("\0(?:\0|s(\\d+);)")
FILE_MARK: Final = "__dify__file__"


class Missing(Enum):
    """The one value that means "no such variable"; `None` is a value of its own."""

    MISSING = "missing"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A reference to a file; the bytes stay in storage.

    `extension` has its leading dot (".png"); `size_bytes` is -1 when unknown. `url` is where a reader
    can fetch it now (signed for stored files); `related_id` is the storage's id.
    """

    type: FileKind
    transfer_method: TransferMethod
    id: str | None = None
    remote_url: str | None = None
    related_id: str | None = None
    filename: str = ""
    extension: str = ""
    mime_type: str = ""
    size_bytes: int = -1
    url: str = ""

    def attribute(self, name: str) -> Value | Missing:
        """The attribute a selector may name (`type`, `size`, `name`, ...)."""
        match name:
            case "type":
                return self.type
            case "size":
                return self.size_bytes
            case "name":
                return self.filename
            case "mime_type":
                return self.mime_type
            case "transfer_method":
                return self.transfer_method
            case "url":
                return self.url or self.remote_url or ""
            case "extension":
                return self.extension
            case "related_id":
                return self.related_id
            case _:
                return MISSING

    def to_wire(self) -> dict[str, Any]:
        """The JSON form that outputs, events and clients carry."""
        return {
            "dify_model_identity": FILE_MARK,
            "id": self.id,
            "tenant_id": None,
            "type": self.type,
            "transfer_method": self.transfer_method,
            "remote_url": self.remote_url,
            "related_id": self.related_id,
            "filename": self.filename,
            "extension": self.extension,
            "mime_type": self.mime_type,
            "size": self.size_bytes,
            "url": self.url,
        }

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> File:
        """Read what `to_wire` wrote."""
        size = data.get("size")
        return cls(
            type=data.get("type", "custom"),
            transfer_method=data.get("transfer_method", "remote_url"),
            id=data.get("id"),
            remote_url=data.get("remote_url"),
            related_id=data.get("related_id"),
            filename=data.get("filename") or "",
            extension=data.get("extension") or "",
            mime_type=data.get("mime_type") or "",
            size_bytes=size if isinstance(size, int) else -1,
            url=data.get("url") or "",
        )


# JSON plus files. Recursive aliases are not understood alike by checkers and msgspec, so the inner
# containers are left open; `kind_of` says what a value really is.
Value: TypeAlias = str | int | float | bool | File | list[Any] | dict[str, Any] | None


class ValueType(str, Enum):
    """Declared and inferred types of variables."""

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    OBJECT = "object"
    SECRET = "secret"
    FILE = "file"
    NONE = "none"
    ANY = "any"
    GROUP = "group"
    ARRAY_ANY = "array[any]"
    ARRAY_STRING = "array[string]"
    ARRAY_NUMBER = "array[number]"
    ARRAY_OBJECT = "array[object]"
    ARRAY_FILE = "array[file]"
    ARRAY_BOOLEAN = "array[boolean]"

    @property
    def is_array(self) -> bool:
        return self.value.startswith("array[")

    @property
    def is_number(self) -> bool:
        return self in (ValueType.NUMBER, ValueType.INTEGER, ValueType.FLOAT)

    @property
    def element(self) -> ValueType:
        """The type of an array's items; ANY for everything else."""
        return ValueType(self.value[6:-1]) if self.is_array else ValueType.ANY


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether `value` is a number; a boolean is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def kind_of(value: Value) -> ValueType:
    """Infer the type of a raw value."""
    match value:
        case None:
            return ValueType.NONE
        case bool():
            return ValueType.BOOLEAN
        case str():
            return ValueType.STRING
        case int():
            return ValueType.INTEGER
        case float():
            return ValueType.FLOAT
        case File():
            return ValueType.FILE
        case dict():
            return ValueType.FILE if value.get("dify_model_identity") == FILE_MARK else ValueType.OBJECT
        case list():
            return _kind_of_list(value)


def _kind_of_list(items: list[Any]) -> ValueType:
    if not items:
        return ValueType.ARRAY_ANY
    kinds = {kind_of(item) for item in items}
    if kinds <= {ValueType.INTEGER, ValueType.FLOAT}:
        return ValueType.ARRAY_NUMBER
    if len(kinds) == 1:
        return {
            ValueType.STRING: ValueType.ARRAY_STRING,
            ValueType.OBJECT: ValueType.ARRAY_OBJECT,
            ValueType.FILE: ValueType.ARRAY_FILE,
            ValueType.BOOLEAN: ValueType.ARRAY_BOOLEAN,
        }.get(kinds.pop(), ValueType.ARRAY_ANY)
    return ValueType.ARRAY_ANY


def zero_of(kind: ValueType) -> Value:
    """The empty value of a type: what `clear` writes."""
    if kind.is_array:
        return []
    if kind.is_number:
        return 0
    match kind:
        case ValueType.STRING | ValueType.SECRET:
            return ""
        case ValueType.BOOLEAN:
            return False
        case ValueType.OBJECT:
            return {}
        case _:
            return None


def fits(value: Value, kind: ValueType) -> bool:
    """Whether `value` may be stored in a variable declared as `kind`."""
    actual = kind_of(value)
    if kind is ValueType.ANY or actual is kind:
        return True
    if kind is ValueType.NUMBER:
        return actual in (ValueType.INTEGER, ValueType.FLOAT)
    if kind is ValueType.SECRET:
        return actual is ValueType.STRING
    if kind.is_array and isinstance(value, list):
        return kind is ValueType.ARRAY_ANY or all(fits(item, kind.element) for item in value)
    return False


def coerce(value: Value, kind: ValueType) -> Value:
    """Return `value` as a variable of type `kind` holds it.

    Raises:
        ValueMismatch: The value does not have that type; the message names both.
    """
    if value is None and not kind.is_number:
        return None
    if fits(value, kind):
        return value
    raise ValueMismatch(f"A value of type {kind_of(value).value} was given where {kind.value} is declared.")


# ---------------------------------------------------------------- text forms


def plain(value: Value) -> Any:
    """The value as JSON data: files become their wire form. Containers are copied only where needed."""
    match value:
        case File():
            return value.to_wire()
        case list():
            return [plain(item) for item in value] if _holds_file(value) else value
        case dict():
            return {key: plain(item) for key, item in value.items()} if _holds_file(value.values()) else value
        case _:
            return value


def _holds_file(items: Iterable[Any]) -> bool:
    for item in items:
        if isinstance(item, File):
            return True
        if isinstance(item, list) and _holds_file(item):
            return True
        if isinstance(item, dict) and _holds_file(item.values()):
            return True
    return False


def as_file(value: object) -> File | None:
    """The file that `value` is, whether held as `File` or as its wire form."""
    if isinstance(value, File):
        return value
    if isinstance(value, dict) and value.get("dify_model_identity") == FILE_MARK:
        return File.from_wire(value)
    return None


def revived(value: Any) -> Value:
    """JSON data as values of a run: the wire forms of files become files again."""
    match value:
        case dict():
            file = as_file(value)
            return file if file is not None else {key: revived(item) for key, item in value.items()}
        case list():
            return [revived(item) for item in value]
        case _:
            return value


def to_json(value: Value, *, indent: int | None = None) -> str:
    """JSON text of a value: one line with ", " and ": ", non-ASCII kept, files in their wire form."""
    return json.dumps(plain(value), ensure_ascii=False, indent=indent)


def to_text(value: Value, form: TextForm = "text") -> str:
    """How a value reads inside a text.

    `text` is for prompts, URLs and bodies, `markdown` for answers, `log` for anything shown to people
    who debug. Booleans read `True`/`False` and lists like Python's, as in the files' original home.
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | int() | float():
            return str(value)
        case File():
            return _file_link(value) if form == "markdown" else ""
        case dict():
            file = as_file(value)
            if file is not None:
                return to_text(file, form)
            return to_json(value, indent=None if form == "text" else 2)
        case list():
            return _list_text(value, form)


def _list_text(items: list[Any], form: TextForm) -> str:
    kind = _kind_of_list(items)
    if form == "markdown":
        if kind is ValueType.ARRAY_FILE:
            return "\n".join(to_text(item, "markdown") for item in items)
        return "\n".join(f"- {to_text(item, 'markdown')}" for item in items)
    if kind is ValueType.ARRAY_FILE or not items:
        return ""
    if kind is ValueType.ARRAY_STRING:
        return json.dumps(items, ensure_ascii=False)
    return str(plain(items))


def _file_link(file: File) -> str:
    mark = "!" if file.type == "image" else ""
    return f"{mark}[{file.filename}]({file.url or file.remote_url or ''})"


def mask_secret(value: str) -> str:
    """A secret as logs show it: its ends, or nothing at all when it is short."""
    return "*" * 20 if len(value) <= 8 else f"{value[:6]}{'*' * 12}{value[-2:]}"


# ---------------------------------------------------------------- the pool


class VariablePool:
    """All variables of a run, by selector `(node id, name, key...)`.

    `sys`, `env`, `conversation` and `rag` are held like nodes. Declared types are known for the
    variables that can be assigned to (conversation and loop variables).
    """

    __slots__ = ("_nodes", "_own", "_types", "secrets")

    def __init__(
        self,
        nodes: Mapping[str, Mapping[str, Value]] | None = None,
        *,
        types: Mapping[Selector, ValueType] | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        self._nodes: dict[str, dict[str, Value]] = {key: dict(outputs) for key, outputs in (nodes or {}).items()}
        # Ids whose mapping nobody else holds; those of all others are copied before they are written to.
        self._own: set[str] = set(self._nodes)
        self._types: dict[Selector, ValueType] = dict(types or {})
        self.secrets: frozenset[str] = frozenset(secret for secret in secrets if secret)

    def find(self, selector: Sequence[str]) -> Value | Missing:
        """The value a selector names, or MISSING. Lists have no numeric index."""
        if len(selector) < 2:
            return MISSING
        outputs = self._nodes.get(selector[0])
        if outputs is None:
            return MISSING
        value: Value | Missing = outputs.get(selector[1], MISSING)
        rest = selector[2:]
        if value is MISSING and selector[1] == "sys" and rest:
            # Start nodes hold copies of system variables under names with a dot: "sys.query".
            value, rest = outputs.get(f"sys.{rest[0]}", MISSING), rest[1:]
        for key in rest:
            file = as_file(value)
            if file is not None:
                value = file.attribute(key)
            elif isinstance(value, dict):
                value = value.get(key, MISSING)
            else:
                return MISSING
        return value

    def type_of(self, selector: Sequence[str]) -> ValueType:
        """The declared type of a variable, else the type of what it holds now."""
        declared = self._types.get(tuple(selector[:2])) if len(selector) == 2 else None
        if declared is not None:
            return declared
        value = self.find(selector)
        return ValueType.NONE if isinstance(value, Missing) else kind_of(value)

    def put(self, node_id: str, outputs: dict[str, Value]) -> None:
        """Store a node's outputs, replacing earlier ones. The mapping is kept, not copied, and never written to."""
        self._nodes[node_id] = outputs
        self._own.discard(node_id)

    def set(self, selector: Selector, value: Value) -> None:
        """Write one variable `(node id, name)`."""
        node_id, name = selector[0], selector[1]
        if node_id not in self._own:
            self._nodes[node_id] = dict(self._nodes.get(node_id, ()))
            self._own.add(node_id)
        self._nodes[node_id][name] = value

    def declare(self, selector: Selector, kind: ValueType, value: Value) -> None:
        """Add a variable with a declared type."""
        self._types = {**self._types, selector: kind}  # forks share the mapping
        self.set(selector, value)

    def drop(self, node_ids: Iterable[str]) -> None:
        """Forget the outputs of some nodes (a loop clears its children before each round)."""
        for node_id in node_ids:
            self._nodes.pop(node_id, None)

    def outputs_of(self, node_id: str) -> Mapping[str, Value]:
        """All outputs held under one id."""
        return self._nodes.get(node_id, {})

    def fork(self) -> VariablePool:
        """A pool for one round of a container: sees everything, shares no later write.

        Nothing is copied but the list of ids: what one of the two pools writes to, it copies then.
        """
        child = VariablePool.__new__(VariablePool)
        child._nodes = dict(self._nodes)
        child._types = self._types
        child.secrets = self.secrets
        child._own = set()
        self._own.clear()
        return child

    def masked(self, text: str) -> str:
        """`text` with every secret value of the run masked, for whatever is logged or recorded."""
        for secret in self.secrets:
            if secret in text:
                text = text.replace(secret, mask_secret(secret))
        return text

    def sealed(self, text: str) -> str:
        """`text` with a place held for every secret, to be filled in again by `unsealed`."""
        text = text.replace("\0", "\0\0")
        for number, secret in enumerate(sorted(self.secrets)):
            text = text.replace(secret, f"\0s{number};")
        return text

    def unsealed(self, text: str) -> str:
        """What `sealed` was given, with the secrets of this pool."""
        secrets = sorted(self.secrets)

        def fill(found: re.Match[str]) -> str:
            if found.group(1) is None:
                return "\0"
            number = int(found.group(1))
            return secrets[number] if number < len(secrets) else ""

        return _SEAL.sub(fill, text) if "\0" in text else text
