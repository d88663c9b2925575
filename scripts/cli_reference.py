"""Write docs/reference/cli.md from the commands themselves; `--check` only compares.

.venv/bin/python scripts/cli_reference.py [--check]
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import typer.main

from tidemill.cli.program import COMMANDS, program

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "cli.md"
HEAD = """# Commands

`tidemill` without a command is `tidemill serve`. In a clone the program is `.venv/bin/tidemill`. Every command has
`--help`. Exit codes: 0 done, 1 the work failed (a run, a check, a model that does not answer), 2 asked for wrongly or
an installation that cannot start. Errors are one sentence on standard error.

Commands on apps, keys and models work on the data folder, or with `--server URL --token T` on a running server;
`tidemill admin token`, run on the server's machine, prints a token.

This page is written from the program (`.venv/bin/python scripts/cli_reference.py`); a test compares them.
"""


def page() -> str:
    """The whole page."""
    root = typer.main.get_command(program)
    context: Any = None
    parts = [HEAD]
    for name in COMMANDS:
        command: Any = root.get_command(context, name)  # type: ignore[attr-defined]
        parts.append(f"## tidemill {name}\n\n{_text(command)}\n")
        children: dict[str, Any] = getattr(command, "commands", {})
        if not children:
            parts.append(_signature(f"tidemill {name}", command))
        for child_name, child in children.items():
            parts.append(f"### tidemill {name} {child_name}\n\n{_text(child)}\n")
            parts.append(_signature(f"tidemill {name} {child_name}", child))
    return "\n".join(parts)


def _text(command: Any) -> str:
    return inspect.cleandoc(command.help or "")


def _signature(name: str, command: Any) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    words = [name, *(_argument(argument) for argument in arguments), *(["[options]"] if options else [])]
    rows = [(_argument(argument), argument.help) for argument in arguments]
    rows += [(_option(option), option.help) for option in options if option.name != "help"]
    table = "".join(f"| `{left}` | {right or ''} |\n" for left, right in rows)
    return f"```\n{' '.join(words)}\n```\n\n| | |\n| --- | --- |\n{table}"


def _argument(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _option(option: Any) -> str:
    names = ", ".join(option.opts)
    if option.is_flag:
        return names
    return f"{names} {option.metavar or option.name.strip('_').upper()}"


def main() -> int:
    text = page()
    if "--check" in sys.argv:
        return 0 if PAGE.read_text() == text else 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
