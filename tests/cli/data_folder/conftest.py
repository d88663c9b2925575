"""Commands on a data folder, with whichever database this session's tests run on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.conftest import CommandLine

PASSWORD = "correct horse battery"


@pytest.fixture
def empty(tidemill: CommandLine, database_settings: dict[str, str], environment: pytest.MonkeyPatch) -> CommandLine:
    """A command line whose installation has no owner yet."""
    for name, value in database_settings.items():
        environment.setenv(name, value)
    return tidemill


@pytest.fixture
def owned(empty: CommandLine) -> CommandLine:
    """A command line whose installation has an owner."""
    told = empty("admin", "init", "--email", "Ada@Example.com", "--password", PASSWORD)
    assert told.code == 0, told.err
    return empty


def told_as_json(tidemill: CommandLine, *words: object) -> Any:
    """What a command that must succeed prints as JSON."""
    told = tidemill(*(str(word) for word in words), "--json")
    assert told.code == 0, told.err
    return json.loads(told.out)
