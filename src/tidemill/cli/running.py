"""Runs an app file in this process: reads the inputs, wires the ports, drives the engine to the end."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tidemill.adapters.documents import SafeDocuments
from tidemill.adapters.http import open_sessions
from tidemill.adapters.sandbox import open_sandbox
from tidemill.adapters.templates import SafeTemplates
from tidemill.cli.environment import open_models, open_tools
from tidemill.cli.failure import CommandFailed
from tidemill.cli.forms import TerminalHumans, ask_on_terminal, read_answers
from tidemill.cli.local_files import LocalFiles
from tidemill.cli.memory import Conversation, keep_turn, open_conversation
from tidemill.cli.options import read_file
from tidemill.cli.show import Screen
from tidemill.dsl import AppFile, CompiledApp, DslInvalid, InputField
from tidemill.dsl import compile as compile_app
from tidemill.engine.errors import InputInvalid
from tidemill.engine.events import RunFinished
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Limits, Run
from tidemill.engine.values import File, Value, plain
from tidemill.kit.settings import Settings
from tidemill.ports import Documents, Files, History, Http, Humans, Models, Sandbox, Templates, Turn

USER = "cli"


@dataclass(frozen=True)
class Job:
    """What to run. `inputs` may name a file input several times; `maps` are the words of `--map`.

    `around` replaces the ports the nodes get.
    """

    app: AppFile
    inputs: Sequence[tuple[str, str]]
    query: str
    files: Sequence[Path]
    conversation: str
    model: str
    maps: Sequence[str]
    window: int | None
    environment: Mapping[str, str]
    settings: Settings
    answers: Sequence[str] = ()
    around: Callable[[dict[type, object]], dict[type, object]] | None = None
    trial: Trial | None = None


@dataclass(frozen=True)
class Trial:
    """How a test changes a run.

    `values` are inputs as JSON data, files by their paths; `system` replaces `sys` variables; `conversation` holds
    conversation variables. `after` is called while what the run used is still open, with the models that `--model`
    does not replace.
    """

    values: Mapping[str, Any]
    system: Mapping[str, Any]
    conversation: Mapping[str, Any]
    after: Callable[[RunFinished, Models], Awaitable[None]]


async def execute(job: Job, screen: Screen) -> RunFinished:
    """Run to the end. Raises `CommandFailed` when the file or the inputs cannot be used."""
    compiled = _compile(job)
    answers = read_answers(job.answers, compiled)
    memory = (
        open_conversation(job.settings.home, job.conversation) if job.conversation else Conversation(id=str(uuid4()))
    )
    if job.trial is not None:
        memory.variables.update(job.trial.conversation)
    async with AsyncExitStack() as stack:
        sessions = await stack.enter_async_context(await open_sessions(allow=job.settings.egress_allow))
        files = LocalFiles(sessions.http)
        templates = SafeTemplates()
        stack.push_async_callback(templates.close)
        sandbox = open_sandbox(job.settings)
        stack.push_async_callback(sandbox.close)
        documents = SafeDocuments()
        stack.push_async_callback(documents.close)
        ports: dict[type, object] = {
            Http: sessions.http,
            Models: open_models(sessions.trusted, model=job.model, maps=job.maps, window=job.window),
            Files: files,
            History: memory,
            Humans: TerminalHumans(answers, files, ask=ask_on_terminal if _is_attended(job) else None),
            Sandbox: sandbox,
            Templates: templates,
            Documents: documents,
            **await open_tools(stack, sessions, job.settings),
        }
        inputs, system = _start(job, compiled, files, memory)
        if job.around is not None:
            ports = job.around(ports)
        pool = compiled.pool(inputs, system=system, conversation=memory.variables, environment=job.environment)
        info = RunInfo(run_id=str(system["workflow_run_id"]), user_id=USER, conversation_id=memory.id)
        shown = plain({**inputs, **{f"sys.{name}": value for name, value in system.items()}})
        run = Run(
            compiled.graph, pool, info=info, ports=ports, journal=screen, inputs=shown, limits=_limits(job.settings)
        )
        finished = await _drive(run)
        if job.trial is not None:
            await job.trial.after(finished, open_models(sessions.trusted, maps=job.maps, window=job.window))
    if job.conversation and finished.status in ("succeeded", "partial-succeeded"):
        for selector, value in screen.assigned.items():
            if selector[0] == "conversation":
                memory.variables[selector[1]] = value
        turn = Turn(query=job.query, answer=finished.answer)
        keep_turn(job.settings.home, memory, turn, inputs)
    return finished


def _compile(job: Job) -> CompiledApp:
    if job.app.kind != "app":
        raise CommandFailed("This file is a knowledge pipeline, not an app: it can be checked, but not run.")
    if job.app.import_status == "pending":
        print(f"The file is of the newer version {job.app.version}; some of it may not be understood.", file=sys.stderr)
    try:
        compiled = compile_app(job.app)
    except DslInvalid as error:
        raise CommandFailed(str(error)) from error
    if compiled.is_chat and not job.query.strip():
        raise CommandFailed("This app answers messages. Give it one with --query TEXT.")
    return compiled


def _start(
    job: Job, compiled: CompiledApp, files: LocalFiles, memory: Conversation
) -> tuple[dict[str, Value], dict[str, Value]]:
    """The start inputs, checked, and the `sys` variables."""
    fields = {field.variable: field for field in compiled.inputs}
    raw: dict[str, Any] = {}
    for name, word in job.inputs:
        if name in fields:
            _take(raw, fields[name], word, files)
        elif compiled.trigger is not None:
            is_file = name in compiled.trigger.file_names()
            raw[name] = _file(word, files) if is_file else _text(word)
        elif name != "query":
            known = ", ".join(fields) or "none"
            print(f"The app has no input `{name}`; it is left out. Its inputs: {known}.", file=sys.stderr)
    if job.trial is not None:
        raw |= {name: _value(fields.get(name), value, files) for name, value in job.trial.values.items()}
    try:
        inputs = compiled.start_inputs(raw, defaults_from=memory.inputs or None)
    except InputInvalid as error:
        raise CommandFailed(f"{error}. Set it with -i {error.variable or 'NAME'}=VALUE.") from error
    system: dict[str, Value] = {
        "query": job.query or dict(job.inputs).get("query", ""),
        "files": [files.add(path) for path in job.files],
        "conversation_id": memory.id,
        "user_id": USER,
        "dialogue_count": len(memory.past) + 1,
        "app_id": str(uuid4()),
        "workflow_id": str(uuid4()),
        "workflow_run_id": str(uuid4()),
    }
    if not compiled.is_chat:
        for name in ("conversation_id", "dialogue_count", *(("query",) if compiled.mode == "workflow" else ())):
            del system[name]
    if compiled.trigger is not None:
        system["timestamp"] = int(time.time())
    if job.trial is not None:
        system |= {name: value for name, value in job.trial.system.items() if name in system}
    return inputs, system


def _is_attended(job: Job) -> bool:
    return job.trial is None and sys.stdin.isatty()


def _value(field: InputField | None, value: Any, files: LocalFiles) -> Any:
    """An input of a test: JSON data, and a path or address where a file belongs."""
    if field is None or field.type not in ("file", "file-list"):
        return value
    if isinstance(value, list):
        return [_file(str(item), files) for item in value]
    return None if value is None else _file(str(value), files)


def _take(raw: dict[str, Any], field: InputField, word: str, files: LocalFiles) -> None:
    if field.type not in ("file", "file-list"):
        raw[field.variable] = _text(word)
    elif field.type == "file":
        raw[field.variable] = _file(word, files)
    else:
        raw.setdefault(field.variable, []).append(_file(word, files))


def _text(word: str) -> str:
    return read_file(word[1:]).decode(errors="replace") if word.startswith("@") else word


def _file(word: str, files: LocalFiles) -> File:
    if word.startswith(("http://", "https://")):
        return files.add_remote(word)
    return files.add(Path(word.removeprefix("@")).expanduser())


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_steps=settings.workflow_max_execution_steps, max_seconds=float(settings.workflow_max_execution_time)
    )


async def _drive(run: Run) -> RunFinished:
    """Run to the end; Ctrl-C stops the run, and what it has so far is its answer."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, run.stop, "Stopped from the keyboard.")
    except NotImplementedError:
        # Windows has no signal handlers on its event loop; there Ctrl-C ends the program as usual.
        return await run.execute()
    try:
        return await run.execute()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
