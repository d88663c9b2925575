"""What happens around the call of a tool, whoever calls it: arguments are cast, messages become outputs.

Used by the tool node, by agents and by the toolbox's test call. Rules: reference `workflow-dsl.md`, section 5.11.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import Usage, add_usage
from tidemill.engine.node import Context
from tidemill.engine.values import File, Value, as_file, is_number, plain, to_text
from tidemill.ports import ToolCall, ToolFailed, ToolMessage, ToolParameter, ToolSpec

_TRUE: Final = frozenset({"true", "yes", "y", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "n", "off", "0", ""})
_JSON_TYPES: Final = {
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
    "model-selector": "object",
    "app-selector": "object",
}


class ToolParameterError(ToolFailed):
    """An argument is missing or cannot be read as the type its tool declares. Trying again cannot help."""

    def __init__(self, message: str) -> None:
        super().__init__(message, error_type="ToolParameterError")


# ---------------------------------------------------------------- arguments


def cast_arguments(spec: ToolSpec, given: Mapping[str, Value]) -> dict[str, Value]:
    """The arguments of one call: cast to their declared types, defaults filled in, unknown names and nulls left out.

    Raises:
        ToolParameterError: Required ones are missing, all of them named, or one does not fit its type.
    """
    arguments: dict[str, Value] = {}
    missing: list[str] = []
    for parameter in spec.parameters:
        value = given.get(parameter.name)
        if _is_absent(parameter, value):
            value = parameter.default
        if value is not None:
            arguments[parameter.name] = _cast(spec, parameter, value)
        elif parameter.is_required:
            missing.append(parameter.name)
    if missing:
        names = ", ".join(missing)
        raise ToolParameterError(f"The tool {spec.name} needs a value for {names}. Set it in the tool's parameters.")
    return arguments


def _is_absent(parameter: ToolParameter, value: Value) -> bool:
    if value is None:
        return True
    # A form left empty holds an empty text; only for texts is that a value.
    return value == "" and parameter.type not in ("string", "secret-input", "any")


def _cast(spec: ToolSpec, parameter: ToolParameter, value: Value) -> Value:
    match parameter.type:
        case "string" | "secret-input":
            return to_text(value)
        case "select":
            return _option(spec, parameter, to_text(value))
        case "number":
            return _number(spec, parameter, value)
        case "boolean":
            return _boolean(spec, parameter, value)
        case "file" | "files":
            return _files(spec, parameter, value)
        case "array":
            return _array(value)
        case "object" | "model-selector" | "app-selector":
            return _object(spec, parameter, value)
        case "any":
            return value


def _refusal(spec: ToolSpec, parameter: ToolParameter, wanted: str, value: Value) -> ToolParameterError:
    shown = json.dumps(plain(value), ensure_ascii=False, default=str)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return ToolParameterError(f"The parameter {parameter.name} of the tool {spec.name} must be {wanted}, not {shown}.")


def _option(spec: ToolSpec, parameter: ToolParameter, text: str) -> str:
    if parameter.options and text not in parameter.options:
        folded = {option.casefold(): option for option in parameter.options}
        if text.casefold() not in folded:
            raise _refusal(spec, parameter, f"one of {', '.join(parameter.options)}", text)
        return folded[text.casefold()]
    return text


def _number(spec: ToolSpec, parameter: ToolParameter, value: Value) -> int | float:
    if isinstance(value, bool):
        return int(value)
    if is_number(value):
        return value
    if isinstance(value, str):
        text = value.strip()
        for read in cast("tuple[Callable[[str], int | float], ...]", (int, float)):
            try:
                return read(text)
            except ValueError:
                continue
    raise _refusal(spec, parameter, "a number", value)


def _boolean(spec: ToolSpec, parameter: ToolParameter, value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if is_number(value):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in _TRUE | _FALSE:
        return value.strip().lower() in _TRUE
    raise _refusal(spec, parameter, "true or false", value)


def _files(spec: ToolSpec, parameter: ToolParameter, value: Value) -> Value:
    found = [as_file(item) for item in (value if isinstance(value, list) else [value])]
    files = [file for file in found if file is not None]
    if len(files) != len(found):
        raise _refusal(spec, parameter, "a file", value)
    if parameter.type == "files":
        return cast("list[Any]", files)
    if len(files) != 1:
        raise ToolParameterError(
            f"The parameter {parameter.name} of the tool {spec.name} takes one file, and {len(files)} were given."
        )
    return files[0]


def _array(value: Value) -> list[Any]:
    """A list as it is; a JSON list read; anything else a list of one."""
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
        return read if isinstance(read, list) else [read]
    return [value]


def _object(spec: ToolSpec, parameter: ToolParameter, value: Value) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise _refusal(spec, parameter, "a JSON object", value) from error
    if isinstance(value, dict):
        return value
    raise _refusal(spec, parameter, "a JSON object", value)


# ---------------------------------------------------------------- what a model is told


def json_schema(spec: ToolSpec, *, fixed: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The JSON schema of the parameters that a model fills in: of the form "llm", and not among `fixed`.

    Files are left out: a model cannot write one.
    """
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in spec.parameters:
        if parameter.form != "llm" or parameter.name in fixed or parameter.type in ("file", "files"):
            continue
        properties[parameter.name] = parameter_schema(parameter)
        if parameter.is_required and parameter.default is None:
            required.append(parameter.name)
    return {"type": "object", "properties": properties, "required": required}


def parameter_schema(parameter: ToolParameter) -> dict[str, Any]:
    """The JSON schema of one parameter, its own `schema` included."""
    schema: dict[str, Any] = {}
    if parameter.type != "any":
        schema["type"] = _JSON_TYPES.get(parameter.type, "string")
    if schema.get("type") == "array":
        schema["items"] = {}
    if parameter.description:
        schema["description"] = parameter.description
    if parameter.options:
        schema["enum"] = list(parameter.options)
    return {**schema, **(parameter.schema or {})}


# ---------------------------------------------------------------- the circumstances of a call


class _Ports(Mapping[type, object]):
    """What a node may ask of the outside world, as the mapping that a tool is handed."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def __getitem__(self, kind: type) -> object:
        try:
            return self._ctx.port(kind)
        except NodeFailed as failure:
            raise KeyError(kind) from failure

    def __iter__(self) -> Iterator[type]:
        return iter(())

    def __len__(self) -> int:
        return 0


def call_from(ctx: Context, *, step: str = "") -> ToolCall:
    """The circumstances of a call made by a node. `step` tells apart the calls that one execution makes.

    Run, place and step give the same key in every attempt and after a recovery.
    """
    digest = hashlib.sha256(f"{ctx.info.run_id}/{ctx.place}/{step}".encode()).hexdigest()[:32]
    return ToolCall(info=ctx.info, ports=_Ports(ctx), idempotency_key=digest)


# ---------------------------------------------------------------- results


class Collected:
    """The messages of one call, put together."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._observed: list[str] = []
        self._pieces: dict[str, list[str]] = {}
        self.files: list[File] = []
        self.json: list[Any] = []
        self.variables: dict[str, Value] = {}
        self.logs: list[ToolMessage] = []
        self.usage: Usage | None = None

    def add(self, message: ToolMessage) -> tuple[str, str] | None:
        """Take a message; returns (output, text) when it is a piece that readers may see at once."""
        if message.usage is not None:
            self.usage = message.usage if self.usage is None else add_usage(self.usage, message.usage)
        match message.kind:
            case "text":
                return self._say(message.text)
            case "link":
                if message.file is not None:
                    self.files.append(message.file)
                self._observed.append(f"Link: {message.text}\n")
                self._text.append(self._observed[-1])
                return "text", self._observed[-1]
            case "json":
                self.json.append(plain(message.data))
                self._observed.append(json.dumps(plain(message.data), ensure_ascii=False, default=str))
            case "file":
                if message.file is not None:
                    self.files.append(message.file)
                    self._observed.append(f"The file {message.file.filename} was made and is shown to the user.")
            case "variable":
                return self._vary(message)
            case "log":
                self.logs.append(message)
        return None

    def _say(self, text: str) -> tuple[str, str]:
        self._text.append(text)
        # Many tools say the same as JSON and as text: nodes want both, a model reads it once.
        if not (self.json and self._observed[-1:] == [text]):
            self._observed.append(text)
        return "text", text

    def _vary(self, message: ToolMessage) -> tuple[str, str] | None:
        if message.is_piece:
            pieces = self._pieces.setdefault(message.name, [])
            pieces.append(message.text)
            return message.name, message.text
        self.variables[message.name] = message.data
        return None

    @property
    def text(self) -> str:
        return "".join(self._text)

    def outputs(self) -> dict[str, Value]:
        """The outputs of a tool node: `text`, `files`, `json`, and every variable under its name."""
        streamed: dict[str, Value] = {name: "".join(pieces) for name, pieces in self._pieces.items()}
        return {
            "text": self.text,
            "files": list(self.files),
            "json": self.json or [{"data": []}],
            **self.variables,
            **streamed,
        }

    def observation(self) -> str:
        """The result as one text: what an agent's model is told."""
        parts = [part for part in self._observed if part]
        if not parts:
            named = {**self.variables, **{name: "".join(pieces) for name, pieces in self._pieces.items()}}
            return json.dumps(plain(named), ensure_ascii=False, default=str) if named else ""
        return "".join(parts)
