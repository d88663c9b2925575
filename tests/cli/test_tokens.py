from __future__ import annotations

import io
import json

import pytest

from cli.conftest import CommandLine


def test_it_counts_exactly_for_openai_families(tidemill: CommandLine) -> None:
    told = tidemill("tokens", "--model", "gpt-4o", "hello world")

    assert told.code == 0
    assert told.out.splitlines() == [
        "tokens      2 (exact, o200k)",
        "model       openai/gpt-4o",
        "window      128000",
        "left        127998",
        "max_tokens  16384 at most",
    ]


def test_other_families_get_a_labelled_upper_bound(tidemill: CommandLine) -> None:
    told = json.loads(tidemill("tokens", "--model", "anthropic/claude-sonnet-4-5", "--json", "hello world").out)

    assert told["is_exact"] is False
    assert told["tokens"] >= 2


def test_a_window_of_8192_and_a_prompt_of_4000_leave_4192(tidemill: CommandLine) -> None:
    prompt = tidemill.write("prompt.txt", "word " * 3998 + "word.")

    told = json.loads(tidemill("tokens", "--window", "8192", "--max-tokens", "8000", "--json", f"@{prompt}").out)

    assert told["tokens"] == 4000
    assert (told["remaining_tokens"], told["max_tokens"]) == (4192, 4192)


def test_a_smaller_wish_is_kept(tidemill: CommandLine) -> None:
    told = json.loads(tidemill("tokens", "--window", "8192", "--max-tokens", "500", "--json", "hello").out)

    assert told["max_tokens"] == 500


def test_a_prompt_that_leaves_too_little_is_named_with_its_numbers(tidemill: CommandLine) -> None:
    told = tidemill("tokens", "--window", "20", "one two three four five six")

    assert told.code == 1
    assert "6 tokens" in told.err
    assert "is 20" in told.err
    assert "14 tokens remain" in told.err


def test_the_text_comes_from_standard_input(tidemill: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hello world"))

    assert tidemill("tokens", "-").out == "tokens      2 (exact, o200k)\n"


def test_an_unknown_model_asks_for_its_window(tidemill: CommandLine) -> None:
    told = tidemill("tokens", "--model", "nobody/knows-this", "hello")

    assert told.out.splitlines()[-1] == "window      unknown: give it with --window"


def test_a_file_that_is_not_there_is_named(tidemill: CommandLine) -> None:
    told = tidemill("tokens", "@nowhere.txt")

    assert (told.code, told.err) == (2, "nowhere.txt cannot be read: no such file or directory.\n")
