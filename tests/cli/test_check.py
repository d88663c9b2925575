from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from cli.conftest import FIXTURES, CommandLine

BROKEN = {
    "not-yaml.yml": ("app: [1, 2\nkind: app\n", "line"),
    "not-an-app.yml": ("- 1\n- 2\n", "mapping"),
    "other-kind.yml": ("kind: poem\napp: {mode: workflow}\n", "poem"),
    "no-mode.yml": ("kind: app\napp: {name: x}\n", "app.mode"),
}


def test_every_file_of_ours_checks_clean_or_says_why(tidemill: CommandLine) -> None:
    files = sorted(FIXTURES.glob("*.yml"))

    told = tidemill("check", *files)

    heads = [line for line in told.out.splitlines() if line.startswith(("ok", "error"))]
    assert (told.code, len(heads)) == (0, len(files))
    assert len(files) >= 40


def test_a_report_names_what_is_missing(tidemill: CommandLine) -> None:
    [report] = json.loads(tidemill("check", "--json", FIXTURES / "chat-simple.yml").out)

    assert (report["mode"], report["errors"]) == ("chat", [])
    assert report["missing_models"] == [{"provider": "langgenius/openai/openai", "name": "gpt-4o-mini"}]


def test_a_model_of_the_environment_is_not_missing(tidemill: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")

    [report] = json.loads(tidemill("check", "--json", FIXTURES / "chat-simple.yml").out)

    assert report["missing_models"] == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_file_is_one_sentence_and_exit_1(tidemill: CommandLine, name: str) -> None:
    content, word = BROKEN[name]

    told = tidemill("check", tidemill.write(name, content))

    assert told.code == 1
    assert told.out.startswith("error  ")
    assert name in told.out
    assert word in told.out
    assert told.out.count("\n") == 1


def test_one_bad_file_does_not_hide_the_others(tidemill: CommandLine) -> None:
    bad = tidemill.write("bad.yml", "kind: poem\n")

    told = tidemill("check", FIXTURES / "chat-simple.yml", bad, FIXTURES / "completion-simple.yml")

    starts = [line.split()[0] for line in told.out.splitlines() if not line.startswith(" ")]
    assert (told.code, starts) == (1, ["ok", "error", "ok"])


def test_a_file_that_is_not_there_is_named(tidemill: CommandLine) -> None:
    told = tidemill("check", "nowhere.yml")

    assert told.code == 1
    assert "nowhere.yml cannot be read: no such file or directory." in told.out


def test_a_knowledge_pipeline_says_what_it_is(tidemill: CommandLine) -> None:
    told = tidemill("check", FIXTURES / "pipeline-local-files.yml")

    assert told.code == 0
    assert "knowledge pipeline" in told.out


def test_a_file_of_100_mb_is_refused_quickly(tidemill: CommandLine) -> None:
    path = tidemill.write("huge.yml", b"a: " + b"x" * 100_000_000)
    began = time.process_time()

    told = tidemill("check", path)

    assert told.code == 1
    assert "huge.yml" in told.out
    assert time.process_time() - began < 5


def test_nested_aliases_are_refused(tidemill: CommandLine) -> None:
    levels = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))
    path = tidemill.write("laughs.yml", f"kind: app\na0: &a0 [x]\n{levels}\n")

    told = tidemill("check", path)

    assert told.code == 1
    assert told.out.count("\n") == 1


def test_a_folder_is_no_file(tidemill: CommandLine, tmp_path: Path) -> None:
    assert tidemill("check", tmp_path).code == 1
