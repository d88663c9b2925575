from __future__ import annotations

from cli.conftest import CommandLine
from cli.data_folder.conftest import told_as_json
from support.model_server import ModelServer


def test_the_demo_model_is_there_from_the_start(owned: CommandLine) -> None:
    [model] = told_as_json(owned, "model", "list")

    assert (model["provider"], model["name"], model["is_default"]) == ("demo", "demo", True)


def test_a_provider_is_set_up_tried_and_made_the_default(owned: CommandLine, model: ModelServer) -> None:
    credentials = ["--credential", "api_key=sk-test", "--credential", f"base_url={model.base_url}"]

    added = owned("model", "add", "openai", *credentials)
    tried = owned("model", "test", "openai/gpt-4o-mini")
    chosen = owned("model", "default", "openai/gpt-4o-mini")

    assert (added.code, added.out) == (0, "OpenAI is set up.\n")
    assert tried.code == 0, tried.err
    assert chosen.code == 0
    defaults = [row for row in told_as_json(owned, "model", "list") if row["is_default"]]
    assert [row["name"] for row in defaults] == ["gpt-4o-mini"]


def test_a_provider_that_refuses_exits_1(owned: CommandLine, model: ModelServer) -> None:
    credentials = ["--credential", "api_key=sk-test", "--credential", f"base_url={model.base_url}"]

    told = owned("model", "test", "openai/mock-err401", *credentials)

    assert (told.code, told.out) == (1, "")
    assert told.err.count("\n") == 1


def test_an_unknown_model_needs_its_window(owned: CommandLine, model: ModelServer) -> None:
    words = ["model", "add", "openai_api_compatible", "--credential", f"base_url={model.base_url}", "--model", "mine"]

    without, with_window = owned(*words), owned(*words, "--window", "4096")

    assert without.code == 2
    assert "context window of mine is not known" in without.err
    assert with_window.code == 0
    windows = {row["name"]: row["window_tokens"] for row in told_as_json(owned, "model", "list")}
    assert windows["mine"] == 4096


def test_a_provider_that_does_not_exist_is_told_with_those_that_do(owned: CommandLine) -> None:
    told = owned("model", "add", "acme")

    assert told.code == 2
    assert told.err.startswith("There is no provider acme. There are: openai, ")


def test_a_credential_nobody_asks_for_is_named(owned: CommandLine) -> None:
    told = owned("model", "add", "openai", "--credential", "apikey=sk-test")

    assert told.code == 2
    assert "apikey" in told.err
