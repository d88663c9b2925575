"""Test files: their shape, and one clear sentence for what is wrong with one. Format: `docs/guide/testing.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, model_validator

from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import read_file
from tidemill.dsl import DslInvalid
from tidemill.dsl.yaml_reader import load
from tidemill.kit.spelling import nearest

_SENTENCES: Final = {
    "missing": "is missing",
    "too_short": "is empty; give at least one",
    "string_too_short": "is empty",
    "extra_forbidden": "is not known here",
    "string_type": "has to be a text",
    "list_type": "has to be a list",
    "dict_type": "has to be a mapping",
    "model_type": "has to be a mapping",
    "model_attributes_type": "has to be a mapping",
    "float_type": "has to be a number",
    "float_parsing": "has to be a number",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _text(value: Any) -> Any:
    """YAML reads an unquoted 5 as a number where a text is meant."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


Text = Annotated[str, BeforeValidator(_text)]


class Judge(_Part):
    """A model that judges a value from 0 to 1; `threshold` is the least that passes."""

    criteria: Text = Field(min_length=1)
    model: str = Field(min_length=1)
    threshold: float = Field(default=0.7, ge=0, le=1)


class Check(_Part):
    """What must hold of one value. `of` names it: `answer`, `status`, `error`, `outputs.name` or `node_id.output`."""

    of: str = "answer"
    equals: JsonValue = None
    contains: JsonValue = None
    not_contains: JsonValue = None
    regex: str | None = None
    json_schema: dict[str, Any] | None = None
    min: float | None = None
    max: float | None = None
    one_of: list[JsonValue] | None = None
    llm_judge: Judge | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Check:
        if not self.model_fields_set - {"of"}:
            raise ValueError("this expectation checks nothing; add equals, contains, regex or another check")
        return self


class Budgets(_Part):
    """What a run may use. Costs are in the currency of the models' prices; a played run has its recorded time."""

    max_cost: float | None = Field(default=None, ge=0)
    max_latency_s: float | None = Field(default=None, ge=0)
    max_tokens: int | None = Field(default=None, ge=0)


class Setting(_Part):
    """What cases have in common. `models` maps models to others; the key `*` stands for every chat model."""

    app: str = ""
    environment: dict[str, Text] = {}
    models: dict[str, str] = {}
    window: int | None = Field(default=None, ge=1)


class Case(Setting):
    """One run and what is expected of it. Paths are relative to the test file."""

    name: Text = Field(min_length=1)
    inputs: dict[str, JsonValue] = {}
    query: Text = ""
    files: list[str] = []
    conversation: dict[str, JsonValue] = {}
    answers: list[str] = []
    cassette: str = ""
    expect: list[Check] = []
    budgets: Budgets = Budgets()
    line: Annotated[int, Field(exclude=True)] = 0


class TestFile(Setting):
    """A whole file. What stands beside `cases` holds for all that do not say it themselves."""

    __test__: Final[Literal[False]] = False
    cases: list[Case] = Field(min_length=1)


def read_tests(path: Path) -> list[Case]:
    """The cases of a file, each complete. A wrong file ends the command with file, line and case."""
    content = read_file(str(path)).decode("utf-8-sig", errors="replace")
    try:
        data = load(content)
    except DslInvalid as error:
        raise CommandFailed(f"{path}: {error}") from error
    lines = _Lines(content)
    if not isinstance(data, dict):
        raise CommandFailed(f"{path}: this is no test file; it has to hold a list of `cases`.")
    try:
        file = TestFile.model_validate(data)
    except ValidationError as error:
        raise CommandFailed(_sentence(path, data, lines, error)) from error
    cases: list[Case] = []
    names: set[str] = set()
    for index, case in enumerate(file.cases):
        line = lines.of(("cases", index))
        if case.name in names:
            raise CommandFailed(f'{path}, line {line}: two cases are named "{case.name}"; give each a name of its own.')
        names.add(case.name)
        if not (case.app or file.app):
            raise CommandFailed(f'{path}, line {line}, case "{case.name}": `app` is missing. Name an app file.')
        cases.append(
            case.model_copy(
                update={
                    "app": case.app or file.app,
                    "environment": {**file.environment, **case.environment},
                    "models": {**file.models, **case.models},
                    "window": case.window or file.window,
                    "line": line,
                }
            )
        )
    return cases


def _sentence(path: Path, data: dict[str, Any], lines: _Lines, error: ValidationError) -> str:
    fault = error.errors()[0]
    place = tuple(
        part for part in fault["loc"] if not (isinstance(part, str) and part in ("list[any]", "dict[str,any]"))
    )
    where = f"{path}, line {lines.of(place)}"
    if len(place) > 1 and place[0] == "cases" and isinstance(place[1], int):
        cases = data.get("cases")
        case = cases[place[1]] if isinstance(cases, list) else None
        name = case.get("name") if isinstance(case, dict) else None
        where += f', case "{name}"' if name else f", case {place[1] + 1}"
        place = place[2:]
    field = ".".join(str(part) for part in place)
    if fault["type"] == "value_error":
        return f"{where}: {str(fault['msg']).removeprefix('Value error, ')}."
    told = _SENTENCES.get(fault["type"]) or str(fault["msg"][:1].lower() + fault["msg"][1:])
    guess = nearest(str(place[-1]), _KEYS) if fault["type"] == "extra_forbidden" and place else None
    return f"{where}: `{field or 'cases'}` {told}.{f' Did you mean `{guess.lower()}`?' if guess else ''}"


_KEYS: Final = [
    name.upper() for kind in (TestFile, Case, Check, Judge, Budgets) for name in kind.model_fields if name != "line"
]


class _Lines:
    """Where in the text a part of its data begins."""

    def __init__(self, content: str) -> None:
        self._root: yaml.Node | None = yaml.compose(content, Loader=yaml.SafeLoader)

    def of(self, place: tuple[int | str, ...]) -> int:
        """The line, from 1, of the innermost part of `place` that the text has."""
        node, line = self._root, 1
        for part in place:
            found: yaml.Node | None = None
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(part):
                        found, line = value, key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                item: yaml.Node = node.value[part]
                found, line = item, item.start_mark.line + 1
            if found is None:
                break
            node = found
        return line
