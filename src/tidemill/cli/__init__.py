"""The `tidemill` command. Each subcommand is a module of this package, imported when it is called."""

from tidemill.cli.program import main

__all__ = ["main"]
