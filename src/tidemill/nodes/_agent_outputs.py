"""The outputs that an agent is bound to give: what it is told of them, and what its answer is worth.

Rules: reference `workflow-dsl.md`, section 5.12 (`declared_outputs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from pydantic import Field

from tidemill.engine.values import File, Value
from tidemill.llm.reasoning import split_reasoning
from tidemill.nodes._schema import JsonUnreadable, read_json
from tidemill.nodes._shapes import LooseMapping, LooseText, Shape

OutputType = Literal["string", "number", "object", "array", "boolean", "file"]
_PYTHON: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "file": (File,),
}


class OutputRetry(Shape):
    enabled: bool = False
    max_retries: int = Field(default=0, ge=0, le=10)
    retry_interval_ms: int = Field(default=0, ge=0, le=60_000)


class OutputFailure(Shape):
    retry: OutputRetry = OutputRetry()
    on_failure: Literal["stop", "default_value", "fail_branch"] = "stop"
    default_value: Any = None


class DeclaredOutput(Shape):
    id: str = ""
    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    type: OutputType = "string"
    description: LooseText = ""
    required: bool = True
    file: LooseMapping = Field(default_factory=dict)
    array_item: LooseMapping = Field(default_factory=dict)
    check: LooseMapping = Field(default_factory=dict)
    failure_strategy: OutputFailure = OutputFailure()

    @property
    def wants_check(self) -> bool:
        return self.type == "file" and self.check.get("enabled") is True and bool(self.check.get("prompt"))

    def value_schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        schema: dict[str, Any] = {"type": self.type}
        if self.description:
            schema["description"] = self.description
        if self.type == "array" and self.array_item.get("type"):
            schema["items"] = {"type": self.array_item["type"]}
        return schema


class Fault(msgspec.Struct, frozen=True):
    """An output that an answer does not have as declared. One clause."""

    output: DeclaredOutput
    clause: str


def described(outputs: Sequence[DeclaredOutput]) -> str:
    """What the agent is told of the outputs it must give."""
    values = [output for output in outputs if output.type != "file"]
    files = [output for output in outputs if output.type == "file"]
    parts: list[str] = []
    if values:
        schema = {
            "type": "object",
            "properties": {output.name: output.value_schema() for output in values},
            "required": [output.name for output in values if output.required],
        }
        text = msgspec.json.encode(schema).decode()
        parts.append(
            "When you are done, answer with one JSON object and nothing else. "
            f"It must be valid against this JSON schema:\n{text}"
        )
    for output in files:
        extensions = ", ".join(map(str, output.file.get("extensions") or ())) or "any kind"
        parts.append(f"Make a file with your tools ({extensions}): {output.description or output.name}")
    return "\n\n".join(parts)


def read_outputs(
    outputs: Sequence[DeclaredOutput], text: str, files: Sequence[File]
) -> tuple[dict[str, Value], list[Fault]]:
    """The declared values in an answer and its files, and what is wrong with them."""
    told = _object(text) if any(output.type != "file" for output in outputs) else {}
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    left = list(files)
    for output in outputs:
        value: Any
        if output.type == "file":
            value = next((file for file in left if _is_wanted(output, file)), None)
            if value is not None:
                left.remove(value)
        else:
            value = None if told is None else told.get(output.name)
        values[output.name] = value
        clause = "the answer is no JSON object" if told is None and output.type != "file" else _clause(output, value)
        if clause and not (value is None and not output.required):
            faults.append(Fault(output, clause))
    return values, faults


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = read_json(split_reasoning(text)[0].strip())
    except JsonUnreadable:
        return None
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    return value if isinstance(value, dict) else None


def _clause(output: DeclaredOutput, value: Any) -> str:
    if value is None:
        return "it is missing" if output.type != "file" else "no such file was made"
    if not _is_of(output.type, value):
        return f"it must be of type {output.type}"
    item_type = str(output.array_item.get("type") or "")
    if output.type == "array" and item_type in _PYTHON and not all(_is_of(item_type, item) for item in value):
        return f"its items must be of type {item_type}"
    return ""


def _is_of(kind: str, value: Any) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _PYTHON[kind])


def _is_wanted(output: DeclaredOutput, file: File) -> bool:
    extensions = {str(item).lower().lstrip(".") for item in output.file.get("extensions") or ()}
    kinds = {str(item).lower() for item in output.file.get("mime_types") or ()}
    if extensions and file.extension.lower().lstrip(".") not in extensions:
        return False
    return not kinds or file.mime_type.lower() in kinds
