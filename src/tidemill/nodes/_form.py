"""The form that a person fills in: its fields and actions, and what may be answered.

Rules: reference `workflow-dsl.md`, section 5.20. The node makes forms, the server and the command line check answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field

from tidemill.engine.values import File, FileKind, Value, to_text
from tidemill.nodes._files import FileRefused, FileRules, check_file
from tidemill.nodes._shapes import LooseList, Shape

FILE_FIELDS: Final = frozenset({"file", "file-list"})
MAX_TEXT: Final = 100_000
_PLACEHOLDER: Final = re.compile(r"\{\{#\$output\.([A-Za-z_][A-Za-z0-9_]*)#\}\}")


class AnswerInvalid(ValueError):
    """What was filled in does not fit the form. One sentence; `field` is the field at fault, if it is one."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Source(Shape):
    """A default or a list of options: literal, or from a variable."""

    type: Literal["constant", "variable"] = "constant"
    selector: LooseList = Field(default_factory=list)
    value: Any = None


class FormInput(Shape):
    type: Literal["paragraph", "select", "file", "file-list", "text-input"] = "paragraph"
    output_variable_name: str = Field(min_length=1)
    default: Source | None = Field(default=None)
    placeholder: Any = None  # The older form of `default`.
    option_source: Source | None = None
    allowed_file_types: LooseList = Field(default_factory=list)
    allowed_file_extensions: LooseList = Field(default_factory=list)
    allowed_file_upload_methods: LooseList = Field(default_factory=list)
    number_limits: int | None = None

    @property
    def options(self) -> list[str]:
        """The choices of a select field, once resolved."""
        value = self.option_source.value if self.option_source is not None else None
        return [str(option) for option in value] if isinstance(value, list) else []

    @property
    def file_rules(self) -> FileRules:
        kinds: tuple[FileKind, ...] = tuple(self.allowed_file_types)
        return FileRules(
            kinds=kinds,
            extensions=tuple(str(extension).lower().lstrip(".") for extension in self.allowed_file_extensions),
            methods=tuple(self.allowed_file_upload_methods),
        )

    @property
    def most_files(self) -> int:
        """How many files the field takes; 0 leaves it to the server."""
        if self.type == "file":
            return 1
        return self.number_limits if self.number_limits and self.number_limits > 0 else 0


class Action(Shape):
    """A button of the form; its id is the outgoing handle."""

    id: str = Field(min_length=1, max_length=20, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    title: str = Field(default="", max_length=100)
    button_style: Literal["primary", "default", "accent", "ghost"] = "default"


def find_action(actions: Sequence[Action], action_id: str) -> Action:
    """The action of this id. Raises `AnswerInvalid` naming those there are."""
    for action in actions:
        if action.id == action_id:
            return action
    known = ", ".join(action.id for action in actions) or "none"
    raise AnswerInvalid(f'The form has no action "{action_id}". Its actions: {known}.', field="action")


def require_fields(inputs: Sequence[FormInput], given: Mapping[str, Any]) -> None:
    """Raises `AnswerInvalid` unless every field of the form is among those given."""
    missing = [item.output_variable_name for item in inputs if item.output_variable_name not in given]
    if missing:
        raise AnswerInvalid(f"The form is not complete: {', '.join(missing)} missing. Fill it in.", field=missing[0])


def check_values(inputs: Sequence[FormInput], given: Mapping[str, Any]) -> dict[str, Value]:
    """The values of a filled-in form, by field; what the form does not ask for is dropped.

    Args:
        given: Texts as they were typed, files as `File`.

    Raises:
        AnswerInvalid: A field is missing, or its value is not what the field takes.
    """
    require_fields(inputs, given)
    return {item.output_variable_name: _checked(item, given[item.output_variable_name]) for item in inputs}


def empty_values(inputs: Sequence[FormInput]) -> dict[str, Value]:
    """What the fields hold when nobody answered."""
    blank: dict[str, Value] = {"file": None, "file-list": []}
    return {item.output_variable_name: blank.get(item.type, "") for item in inputs}


def filled_in(content: str, values: Mapping[str, Value]) -> str:
    """The form's text with what was filled in where its fields stand."""

    def text_of(found: re.Match[str]) -> str:
        value = values.get(found[1])
        files = value if isinstance(value, list) else [value]
        if files and all(isinstance(file, File) for file in files):
            return ", ".join(file.filename for file in files if isinstance(file, File))
        return to_text(value) if value != [] else ""

    return _PLACEHOLDER.sub(text_of, content)


def _checked(item: FormInput, value: Any) -> Value:
    match item.type:
        case "paragraph" | "text-input":
            return _text(item, value)
        case "select":
            return _choice(item, value)
        case "file":
            return _file(item, value)
        case "file-list":
            return _files(item, value)


def _refuse(item: FormInput, claim: str) -> AnswerInvalid:
    return AnswerInvalid(f"{item.output_variable_name} {claim}.", field=item.output_variable_name)


def _text(item: FormInput, value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(item, "must be text")
    if len(value) > MAX_TEXT:
        raise _refuse(item, f"must be shorter than {MAX_TEXT} characters")
    return value.replace("\0", "")


def _choice(item: FormInput, value: Any) -> str:
    if not isinstance(value, str) or value not in item.options:
        raise _refuse(item, f"must be one of: {', '.join(item.options)}")
    return value


def _file(item: FormInput, value: Any) -> File:
    if not isinstance(value, File):
        raise _refuse(item, "must be one file")
    try:
        check_file(value, item.file_rules)
    except FileRefused as error:
        raise _refuse(item, f"does not take the file {value.filename}: {error}") from error
    return value


def _files(item: FormInput, value: Any) -> Value:
    if not isinstance(value, list):
        raise _refuse(item, "must be a list of files")
    if item.most_files and len(value) > item.most_files:
        raise _refuse(item, f"takes at most {item.most_files} files")
    return [_file(item, file) for file in value]
