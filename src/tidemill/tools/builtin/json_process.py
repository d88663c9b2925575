"""JSON: parts of a JSON text found by JSONPath, and changed.

Paths are RFC 9535's, and may leave out the `$` at their beginning. Functions of paths that take regular
expressions are left out: an expression could take for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, Final

from tidemill.ports import ToolCall, ToolFailed, ToolMessage, ToolParameter
from tidemill.tools.provider import Arguments, Provider, asked, json_data, optional, setting, text, variable

MAX_CHARS: Final = 10_000_000
_STEP: Final = re.compile(r"""\.?([^.\[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]""")

PROVIDER = Provider("json_process", "JSON Process", "Parses and changes JSON texts.")

_CONTENT: Final[ToolParameter] = asked("content", "The JSON text.")
_QUERY: Final[ToolParameter] = asked("query", "JSONPath of the part, such as $.items[0].name.")
_ASCII: Final[ToolParameter] = setting(
    "ensure_ascii", "Write letters outside ASCII as \\uXXXX.", type="boolean", default=True
)
_DECODE: Final[ToolParameter] = setting("value_decode", "Read the new value as JSON.", type="boolean", default=False)


def _read(arguments: Arguments, name: str = "content") -> Any:
    content = arguments.text(name).strip()
    if not content or len(content) > MAX_CHARS:
        raise ToolFailed(f"`{name}` must be a JSON text of 1 to {MAX_CHARS} characters.")
    fenced = content.removeprefix("```json").removeprefix("```").removesuffix("```") if content[0] == "`" else content
    try:
        return json.loads(fenced, strict=False)
    except (ValueError, RecursionError) as error:
        raise ToolFailed(f"`{name}` is not JSON: {error}.") from error


@cache
def _environment() -> Any:
    from jsonpath import JSONPathEnvironment

    class Environment(JSONPathEnvironment):
        """Without the functions and operators that run regular expressions."""

        def setup_function_extensions(self) -> None:
            super().setup_function_extensions()
            for name in ("match", "search"):
                self.function_extensions.pop(name, None)

    return Environment()


def _matches(query: str, data: Any) -> list[Any]:
    from jsonpath import JSONPathError

    if "=~" in query:
        raise ToolFailed("Regular expressions are not available in a JSONPath. Compare with == instead.")
    try:
        return list(_environment().finditer(query.strip(), data))
    except (JSONPathError, RecursionError) as error:
        raise ToolFailed(f"The JSONPath {query[:100]!r} cannot be used: {error}.") from error


def _written(data: Any, arguments: Arguments) -> str:
    return json.dumps(data, ensure_ascii=arguments.flag("ensure_ascii", default=True))


def _set(data: Any, match: Any, value: Any) -> Any:
    """The document with a match replaced, changed in place where it has a parent."""
    if match.parent is None:
        return value
    match.parent.obj[match.parts[-1]] = value
    return data


@PROVIDER.tool(
    "parse",
    "JSON Parse",
    "Gets the parts of a JSON text that a JSONPath names.",
    _CONTENT,
    asked("json_filter", "JSONPath of the part, such as $.items[0].name."),
    _ASCII,
    aliases=("json_parse",),
)
async def parse(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    found = [match.obj for match in _matches(arguments.text("json_filter"), _read(arguments))]
    result = found[0] if len(found) == 1 else found
    # A single value reads like Python's, as the flows that compare it expect: True, None.
    yield text(_written(result, arguments) if isinstance(result, (dict, list)) else str(result))


@PROVIDER.tool(
    "insert",
    "JSON Insert",
    "Adds a value to the parts of a JSON text that a JSONPath names.",
    _CONTENT,
    _QUERY,
    asked("new_value", "The value to add: JSON or a text."),
    _DECODE,
    setting("create_path", "Make the path when it is not there.", type="boolean", default=False),
    optional("index", "Place in a list; its end when empty.", type="number", form="form"),
    _ASCII,
    aliases=("json_insert",),
)
async def insert(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    data = _read(arguments)
    value = _value(arguments.text("new_value"))
    matches = _matches(arguments.text("query"), data)
    if not matches and arguments.flag("create_path"):
        data = _with_path(data, arguments.text("query"), value)
    for match in matches:
        if isinstance(match.obj, dict):
            if not isinstance(value, dict):
                raise ToolFailed('Only a JSON object can be added to an object. Give the new value as {"key": value}.')
            match.obj.update(value)
        elif isinstance(match.obj, list):
            place = len(match.obj) if arguments.raw("index") is None else int(arguments.number("index"))
            match.obj.insert(place, value)
        else:
            data = _set(data, match, value)
    yield text(_written(data, arguments))


def _value(written: str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return written


def _with_path(data: Any, query: str, value: Any) -> Any:
    """The document with objects and lists made along a plain path, and the value at its end."""
    steps = [
        int(index) if index else name or quoted or double
        for name, index, quoted, double in _STEP.findall(query.strip().removeprefix("$"))
    ]
    if not steps or not isinstance(data, (dict, list)):
        raise ToolFailed(f"The path {query[:100]!r} cannot be made. Use names and numbers, such as $.a.b[0].")
    current: Any = data
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        fresh: Any = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not isinstance(current, list) or step > len(current) + 1_000:
                raise ToolFailed(f"The path {query[:100]!r} cannot be made: [{step}] is not a place of a list here.")
            current.extend({} for _ in range(step + 1 - len(current)))
        elif not isinstance(current, dict):
            raise ToolFailed(f"The path {query[:100]!r} cannot be made: {step!r} is not inside an object.")
        known = current[step] if isinstance(current, list) else current.get(step)
        if following is None or not known or not isinstance(known, (dict, list)):
            current[step] = fresh
        current = current[step]
    return data


@PROVIDER.tool(
    "delete",
    "JSON Delete",
    "Takes the parts that a JSONPath names out of a JSON text.",
    _CONTENT,
    _QUERY,
    _ASCII,
    aliases=("json_delete",),
)
async def delete(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    data = _read(arguments)
    # From the last to the first: taking an item out moves those behind it.
    for match in reversed(_matches(arguments.text("query"), data)):
        if match.parent is None:
            data = None
        else:
            del match.parent.obj[match.parts[-1]]
    yield text(_written(data, arguments))


@PROVIDER.tool(
    "replace",
    "JSON Replace",
    "Replaces keys, values or parts of texts that a JSONPath names.",
    _CONTENT,
    _QUERY,
    optional("replace_pattern", "With the mode `pattern`: the characters to be replaced."),
    asked("replace_value", "What to put there."),
    setting(
        "replace_model",
        "What to replace: key, value, or pattern (characters inside texts).",
        type="select",
        options=("key", "value", "pattern"),
        default="pattern",
    ),
    _DECODE,
    _ASCII,
    aliases=("json_replace",),
)
async def replace(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    data = _read(arguments)
    mode, value = arguments.text("replace_model", "pattern"), arguments.text("replace_value")
    new: Any = _value(value) if arguments.flag("value_decode") else value
    pattern = arguments.text("replace_pattern")
    if mode == "pattern" and not pattern:
        raise ToolFailed("The mode `pattern` needs `replace_pattern`: the characters to be replaced.")
    for match in _matches(arguments.text("query"), data):
        if mode == "value":
            data = _set(data, match, new)
        elif mode == "pattern":
            if not isinstance(match.obj, str):
                raise ToolFailed("The mode `pattern` changes texts only, and the path names something else.")
            data = _set(data, match, match.obj.replace(pattern, value))
        elif match.parent is not None and isinstance(match.parent.obj, dict):
            match.parent.obj[value] = match.parent.obj.pop(match.parts[-1])
    yield text(_written(data, arguments))


# A small test graph of Dify names its tool like this; the parameter is its own.
SAMPLE = Provider("builtin", "Built-in tools", "Spelling of one old file.", aliases=("builtin tools",))


@SAMPLE.tool("json_parse", "JSON Parse", "Reads a JSON text.", asked("json_string", "The JSON text."))
async def json_parse(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    data = _read(arguments, "json_string")
    yield variable("result", data)
    yield json_data(data)
    yield text(json.dumps(data, ensure_ascii=False))
