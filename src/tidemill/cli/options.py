"""Options that several commands share, and how they read the settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tidemill.cli.failure import CommandFailed
from tidemill.dsl import AppFile, DslInvalid, read
from tidemill.kit.faults import StartFault
from tidemill.kit.settings import Settings, load

Data = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The data folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def new_app(**options: Any) -> typer.Typer:
    """A command, or a group of commands, that prints plain text."""
    return typer.Typer(rich_markup_mode=None, add_completion=False, **options)


def read_settings(data: Path | None, options: dict[str, str] | None = None) -> Settings:
    """The settings of this process; a wrong one ends the command with exit code 2."""
    try:
        return load(home=data, options=options)
    except StartFault as fault:
        raise CommandFailed(str(fault)) from fault


def read_text(word: str) -> str:
    """The text a word stands for: itself, `@file`, or `-` for standard input."""
    if word == "-":
        return sys.stdin.read()
    return read_file(word[1:]).decode(errors="replace") if word.startswith("@") else word


def read_file(name: str) -> bytes:
    """The bytes of a file named on the command line; one that cannot be read ends the command."""
    try:
        return Path(name).expanduser().read_bytes()
    except OSError as error:
        raise CommandFailed(f"{name} cannot be read: {(error.strerror or 'unknown reason').lower()}.") from error


def split_pair(word: str, option: str) -> tuple[str, str]:
    """The two halves of `NAME=VALUE`."""
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise CommandFailed(f'{option} takes NAME=VALUE; "{word}" has no name or no equals sign.')
    return name, value


def read_app_file(path: Path) -> AppFile:
    """An app file; one that cannot be read ends the command with exit code 2 and a sentence that names it."""
    content = read_file(str(path))
    try:
        return read(content)
    except DslInvalid as error:
        raise CommandFailed(f"{path}{f', line {error.line}' if error.line else ''}: {error}") from error


Server = Annotated[str, typer.Option("--server", metavar="URL", help="A running server instead of the data folder.")]
Token = Annotated[str, typer.Option("--token", metavar="T", help="A session of it: tidemill admin token.")]
AppName = Annotated[str, typer.Option("--app", metavar="APP", help="An app's id or name.")]
