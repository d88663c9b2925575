"""The root command: names, one line of help each, and the module behind each name."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, cast

import typer
import typer.core
import typer.main

from tidemill import __version__
from tidemill.cli.failure import CommandFailed

# Name -> what it does. The module `tidemill.cli.<name>` defines `app`; it is imported when the name is used.
COMMANDS = {
    "serve": "Start the console and the APIs. The default command.",
    "run": "Run an app file, with no server.",
    "test": "Run test cases against app files, live or from cassettes.",
    "check": "Read and validate app files without running them.",
    "tokens": "Count the tokens of a text and what a model's window leaves for the answer.",
    "app": "Import, list, publish, export and delete apps.",
    "key": "Create and revoke the keys of an app.",
    "model": "Add, list and test models, and choose the default ones.",
    "tool": "Add, list, test and remove tools.",
    "admin": "Create accounts and reset passwords.",
    "db": "Upgrade, downgrade, back up and restore the database.",
    "doctor": "Check everything a start needs and say how to mend it.",
    "config": "Show every setting, its value and where it came from.",
}
DEFAULT_COMMAND = "serve"
# `NoSuchOption`, `MissingParameter` and their like: all that is wrong with how a command was typed.
UsageError = cast("type[Exception]", typer.BadParameter.__base__)


class LazyGroup(typer.core.TyperGroup):
    """Lists its commands from the table, so that help and one command do not import the others."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(f"tidemill.cli.{cmd_name}").app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


program = typer.Typer(
    name="tidemill",
    cls=LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    help="Build, run and operate LLM applications.",
)


@program.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; exit 0, 1 (the work failed) or 2 (asked for wrongly)."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    """Run one command line and return its exit code. Errors are one sentence on stderr."""
    command = typer.main.get_command(program)
    try:
        return int(command.main(with_default(arguments), prog_name="tidemill", standalone_mode=False) or 0)
    except CommandFailed as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except UsageError as error:
        print(_usage_sentence(error), file=sys.stderr)
        return 2
    except typer.Abort:
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; what is left in the buffer must not fail a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def with_default(arguments: list[str]) -> list[str]:
    """`tidemill --port 80` means `tidemill serve --port 80`."""
    if arguments and (arguments[0] in COMMANDS or arguments[0] in ("--help", "--version")):
        return arguments
    if arguments and not arguments[0].startswith("-"):
        return arguments
    return [DEFAULT_COMMAND, *arguments]


def _usage_sentence(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    message = cast(str, cast(Any, error).format_message()).strip().rstrip(".")
    return f"{message}. See: {context.command_path if context else 'tidemill'} --help"
