from __future__ import annotations

import json

import pytest

from cli.conftest import CommandLine


def test_every_setting_is_shown_with_its_source(tidemill: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPLOAD_FILE_SIZE_LIMIT", "33")
    tidemill.write(".env", "DB_DATABASE=other\n")

    told = {line["name"]: line for line in json.loads(tidemill("config", "--json").out)}

    assert (told["UPLOAD_FILE_SIZE_LIMIT"]["value"], told["UPLOAD_FILE_SIZE_LIMIT"]["source"]) == (
        "33",
        "the environment",
    )
    assert told["DB_DATABASE"]["source"] == str(tidemill.folder / ".env")
    assert told["DB_TYPE"]["source"] == "default"


def test_secrets_are_masked(tidemill: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hunter2-hunter2")

    told = tidemill("config")

    assert "hunter2" not in told.out
    assert "DB_PASSWORD" in told.out


def test_a_misspelt_name_is_pointed_out(tidemill: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_DATABSE", "mine")

    assert (
        "DB_DATABSE (read from the environment) is not a setting. Did you mean DB_DATABASE?" in tidemill("config").err
    )


def test_a_value_that_cannot_be_is_one_line(tidemill: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PORT", "many")

    told = tidemill("config")

    assert told.code == 2
    assert told.err.startswith("DB_PORT=many (read from the environment): ")
    assert told.err.count("\n") == 1
