"""Where a run begins: the inputs it takes, and what they may be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from tidemill.engine.errors import InputInvalid
from tidemill.engine.node import Context, Node
from tidemill.engine.values import FileKind, Value, is_number
from tidemill.nodes._files import FileRefused, FileRules, check_file, read_file
from tidemill.nodes._schema import SchemaInvalid, SchemaViolated, check
from tidemill.nodes._shapes import LooseList, Settings, Shape

InputType = Literal[
    "text-input",
    "paragraph",
    "string",
    "select",
    "number",
    "checkbox",
    "file",
    "file-list",
    "json_object",
    "external_data_tool",
]
_TEXTS = frozenset({"text-input", "paragraph", "string", "select"})
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


class InputVariable(Shape):
    """One field of the form that starts a run."""

    variable: str
    label: str = ""
    type: InputType = "text-input"
    required: bool = False
    max_length: int | None = None
    options: LooseList = Field(default_factory=list)
    default: Any = None
    hide: bool = False
    placeholder: str = ""
    hint: str = ""
    unit: str = ""
    allowed_file_types: LooseList = Field(default_factory=list)
    allowed_file_extensions: LooseList = Field(default_factory=list)
    allowed_file_upload_methods: LooseList = Field(default_factory=list)
    json_schema: Any = None

    @field_validator("max_length", mode="before")
    @classmethod
    def _blank_is_no_limit(cls, value: object) -> object:
        return None if value == "" or value == 0 else value

    @property
    def file_rules(self) -> FileRules:
        kinds: tuple[FileKind, ...] = tuple(self.allowed_file_types)
        return FileRules(
            kinds=kinds,
            extensions=tuple(str(extension).lower().lstrip(".") for extension in self.allowed_file_extensions),
            methods=tuple(self.allowed_file_upload_methods),
        )


class Config(Settings):
    variables: tuple[InputVariable, ...] = ()


class Start(Node[Config, dict[str, Value]]):
    type = "start"
    title = "Start"
    is_inline = True
    is_root = True

    async def run(self, ctx: Context) -> dict[str, Value]:
        # The pool was made with the validated inputs and copies of the system variables under this node's id.
        outputs = dict(ctx.pool.outputs_of(self.id))
        ctx.record(inputs=outputs)
        return outputs


def validate_inputs(variables: Sequence[InputVariable], raw: Mapping[str, Any]) -> dict[str, Value]:
    """Check what a caller sent against the form; unknown inputs are dropped.

    Raises:
        InputInvalid: Something required is missing, or a value is not what its field takes.
    """
    return {variable.variable: _validated(variable, raw.get(variable.variable)) for variable in variables}


def _validated(variable: InputVariable, value: Any) -> Value:
    if isinstance(value, str):
        value = value.replace("\x00", "")
    if _is_missing(variable, value):
        return _default(variable)
    match variable.type:
        case "text-input" | "paragraph" | "string":
            return _text(variable, value)
        case "select":
            return _choice(variable, value)
        case "number":
            return _number(variable, value)
        case "checkbox":
            return _boolean(value)
        case "file":
            return _file(variable, value)
        case "file-list":
            return _files(variable, value)
        case "json_object":
            return _object(variable, value)
        case "external_data_tool":
            return value


def _is_missing(variable: InputVariable, value: Any) -> bool:
    if value is None:
        return True
    if value == "":
        # An empty text is a text; for the other types the form was left blank.
        return variable.required or variable.type not in ("text-input", "paragraph", "string")
    return variable.required and variable.type == "file-list" and value == []


def _default(variable: InputVariable) -> Value:
    name = variable.variable
    if variable.required:
        raise InputInvalid(f"`{name}` is required in input form", variable=name)
    if variable.type == "select":
        return str(variable.default or "")
    if variable.default is not None and variable.default != "":
        return _validated(variable.model_copy(update={"default": None}), variable.default)
    return "" if variable.type in _TEXTS else None


def _refuse(variable: InputVariable, claim: str) -> InputInvalid:
    return InputInvalid(f"`{variable.variable}` in input form {claim}", variable=variable.variable)


def _text(variable: InputVariable, value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(variable, "must be a string")
    if variable.max_length and len(value) > variable.max_length:
        raise _refuse(variable, f"must be less than {variable.max_length} characters")
    return value


def _choice(variable: InputVariable, value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(variable, "must be a string")
    options = [str(option) for option in variable.options]
    if value not in options:
        raise _refuse(variable, f"must be one of the following: {options}")
    return value


def _number(variable: InputVariable, value: Any) -> int | float:
    if is_number(value):
        return value
    if isinstance(value, str):
        try:
            return float(value) if "." in value else int(value)
        except ValueError as error:
            raise _refuse(variable, "must be a valid number") from error
    raise _refuse(variable, "must be a valid number")


def _boolean(value: Any) -> Value:
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else value
    return bool(value) if is_number(value) and value in (0, 1) else value


def _file(variable: InputVariable, value: Any) -> Value:
    try:
        file = read_file(value)
        check_file(file, variable.file_rules)
    except FileRefused as error:
        raise _refuse(variable, f"must be a file: {error}") from error
    return file


def _files(variable: InputVariable, value: Any) -> Value:
    if not isinstance(value, (list, tuple)):
        raise _refuse(variable, "must be a list of files")
    if variable.max_length and len(value) > variable.max_length:
        raise _refuse(variable, f"must be a list of at most {variable.max_length} files")
    return [_file(variable, item) for item in value]


def _object(variable: InputVariable, value: Any) -> Value:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise _refuse(variable, "must be a JSON object") from error
    if not isinstance(value, dict):
        raise _refuse(variable, "must be a JSON object")
    schema = _schema(variable)
    if schema is not None:
        try:
            check(schema, value)
        except (SchemaInvalid, SchemaViolated) as error:
            raise _refuse(variable, f"is not acceptable. {error}") from error
    return value


def _schema(variable: InputVariable) -> Any:
    schema = variable.json_schema
    if not isinstance(schema, str):
        return schema or None
    try:
        return json.loads(schema) if schema.strip() else None
    except ValueError as error:
        raise _refuse(variable, "has a JSON schema that is not JSON") from error
