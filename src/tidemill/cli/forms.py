"""Forms of human input nodes on the command line: answered by `--answer`, asked for on a terminal, or left open."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tidemill.cli.failure import CommandFailed
from tidemill.cli.local_files import LocalFiles
from tidemill.cli.options import split_pair
from tidemill.dsl import CompiledApp
from tidemill.engine.errors import NodeFailed
from tidemill.engine.events import RunPaused
from tidemill.engine.graph import Graph
from tidemill.engine.plan import PlanNode
from tidemill.engine.values import Value, plain
from tidemill.nodes._form import (
    FILE_FIELDS,
    Action,
    AnswerInvalid,
    FormInput,
    check_values,
    empty_values,
    find_action,
)
from tidemill.nodes.human_input import TIMEOUT_HANDLE
from tidemill.ports import HumanAnswer, HumanForm, OpenForm

TYPE: Final = "human-input"
_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Given:
    """One `--answer`: the action, and the fields it fills in."""

    action: str
    fields: dict[str, str]


def read_answers(words: Sequence[str], compiled: CompiledApp) -> dict[str, Given]:
    """The answers by node id. Ends the command when one names no human input node of the app."""
    nodes = {node.id: node for node in _nodes_of(compiled.graph)}
    by_title = {node.title: node.id for node in nodes.values()}
    answers: dict[str, Given] = {}
    for word in words:
        name, rest = split_pair(word, "--answer")
        node_id = name if name in nodes else by_title.get(name)
        if node_id is None:
            known = ", ".join(nodes) or "none"
            raise CommandFailed(f'--answer: the app has no human input node "{name}". It has: {known}.')
        answers[node_id] = _given(rest)
    return answers


def _nodes_of(graph: Graph) -> list[PlanNode]:
    found = [node for node in graph.nodes.values() if node.type == TYPE]
    for inner in graph.children.values():
        found += _nodes_of(inner)
    return found


def _given(word: str) -> Given:
    """Read `ACTION[,field=value...]`; a part without a name belongs to the value before it."""
    action, *parts = word.split(",")
    fields: dict[str, str] = {}
    last = ""
    for part in parts:
        if (match := _FIELD.fullmatch(part)) is not None:
            last = match[1]
            fields[last] = match[2]
        elif last:
            fields[last] += f",{part}"
        else:
            raise CommandFailed(f'--answer takes NODE=ACTION,field=value; "{part}" has no equals sign.')
    return Given(action.strip(), fields)


class TerminalHumans:
    """Implements `ports.Humans` for one run of the command line.

    Args:
        answers: What `--answer` gives, by node id.
        ask: Shows a question and returns what is typed; None where nobody sits at a terminal.
    """

    def __init__(self, answers: dict[str, Given], files: LocalFiles, *, ask: Callable[[str], str] | None) -> None:
        self._answers = answers
        self._files = files
        self._ask = ask
        self._turn = asyncio.Lock()

    async def ask(self, place: str, form: HumanForm) -> HumanAnswer | OpenForm:
        given = self._answers.get(form.node_id)
        try:
            if given is None:
                if self._ask is None:
                    return OpenForm(form_id=place, token="", expires_at=form.expires_at)
                async with self._turn:
                    given = await _in_thread(partial(_question, form, self._ask))
            return self._answer(place, form, given)
        except AnswerInvalid as error:
            sentence = f"{form.node_title}: {error}"
            raise NodeFailed(sentence, error_type="HumanInputNodeError", is_retryable=False) from error

    def _answer(self, place: str, form: HumanForm, given: Given) -> HumanAnswer:
        if given.action == TIMEOUT_HANDLE:
            return HumanAnswer(form_id=place, content=form.content, is_timeout=True)
        action = find_action([Action.model_validate(item) for item in form.actions], given.action)
        values = check_values(_inputs(form), self._values(form, given))
        return HumanAnswer(form_id=place, content=form.content, action_id=action.id, values=plain(values))

    def _values(self, form: HumanForm, given: Given) -> dict[str, Any]:
        """Every field: as given, else by its default, else empty."""
        values: dict[str, Value] = {**empty_values(_inputs(form)), **_defaults(form)}
        kinds = {item.output_variable_name: item.type for item in _inputs(form)}
        for name, word in given.fields.items():
            if name not in kinds:
                raise AnswerInvalid(f'The form has no field "{name}". Its fields: {", ".join(kinds) or "none"}.')
            values[name] = self._file_values(kinds[name], word) if kinds[name] in FILE_FIELDS else word
        return values

    def _file_values(self, kind: str, word: str) -> Value:
        paths = [Path(path.removeprefix("@")).expanduser() for path in word.split(";") if path]
        files = [self._files.add(path) for path in paths]
        return files if kind == "file-list" else next(iter(files), None)


def _question(form: HumanForm, ask: Callable[[str], str]) -> Given:
    """Have somebody fill in the form."""
    print(f"\n{form.node_title}\n\n{form.content}\n", file=sys.stderr)
    fields: dict[str, str] = {}
    defaults = _defaults(form)
    for item in _inputs(form):
        hint = ", ".join(item.options) if item.type == "select" else defaults.get(item.output_variable_name, "")
        typed = ask(f"{item.output_variable_name}{f' [{hint}]' if hint else ''}: ")
        if typed:
            fields[item.output_variable_name] = typed
    actions = {str(action["id"]): str(action["title"]) for action in form.actions}
    shown = ", ".join(f"{name} ({title})" if title != name else name for name, title in actions.items())
    while (chosen := ask(f"{shown}: ").strip()) not in actions:
        print(f'There is no action "{chosen}".', file=sys.stderr)
    return Given(chosen, fields)


def ask_on_terminal(question: str) -> str:
    """A line typed by whoever sits there. Raises `AnswerInvalid` when nothing more will come."""
    print(question, end="", file=sys.stderr, flush=True)
    # Past the buffer: at the program's end it may not be held by a thread that still waits for a line.
    line = os.read(sys.stdin.fileno(), 1 << 16)
    if not line:
        raise AnswerInvalid("the input ended before the form was answered.")
    return line.decode(sys.stdin.encoding or "utf-8", "replace").rstrip("\r\n")


async def _in_thread(work: Callable[[], Given]) -> Given:
    """Like `asyncio.to_thread`, in a thread that does not keep a stopped program from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Given] = loop.create_future()

    def end(given: Given | None, error: AnswerInvalid | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        elif given is not None:
            future.set_result(given)

    def run() -> None:
        try:
            given, error = work(), None
        except AnswerInvalid as refused:
            given, error = None, refused
        loop.call_soon_threadsafe(end, given, error)

    threading.Thread(target=run, daemon=True, name="terminal").start()
    return await future


def waits_for(paused: RunPaused) -> str:
    """What to say of a run that ended at open forms."""
    lines = ["The run waits for a person, and there is no terminal to ask on. Answer with:"]
    for reason in paused.reasons:
        actions = "|".join(str(action["id"]) for action in reason.get("actions", []))
        fields = "".join(f",{item['output_variable_name']}=..." for item in reason.get("inputs", []))
        word = f"{reason.get('node_id')}={actions or TIMEOUT_HANDLE}{fields}"
        lines.append(f"  --answer '{word}'   ({reason.get('node_title')})")
    return "\n".join(lines)


def _inputs(form: HumanForm) -> list[FormInput]:
    return [FormInput.model_validate(item) for item in form.inputs]


def _defaults(form: HumanForm) -> dict[str, str]:
    return {item["output_variable_name"]: item["default"]["value"] for item in form.inputs if item.get("default")}
