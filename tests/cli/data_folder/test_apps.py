from __future__ import annotations

import pytest

from cli.conftest import FIXTURES, CommandLine
from cli.data_folder.conftest import told_as_json

FLOW = FIXTURES / "start-every-input.yml"
CHAT = FIXTURES / "chat-simple.yml"


def test_without_an_owner_nothing_can_be_imported(empty: CommandLine) -> None:
    told = empty("app", "import", FLOW)

    assert (told.code, told.out) == (2, "")
    assert told.err == "There is no owner yet. Make one with: tidemill admin init --email E --password P\n"


def test_import_publishes_and_makes_a_key(owned: CommandLine) -> None:
    told = told_as_json(owned, "app", "import", FLOW, "--publish", "--key")

    assert list(told)[:4] == ["app_id", "mode", "version", "key"]
    assert (told["mode"], told["version"], told["published_version"]) == ("workflow", "0.6.0", 1)
    assert told["key"].startswith("app-")


def test_importing_again_updates_the_same_app(owned: CommandLine) -> None:
    first = told_as_json(owned, "app", "import", FLOW, "--publish")
    unchanged = told_as_json(owned, "app", "import", FLOW, "--publish")
    changed_file = owned.write("changed.yml", FLOW.read_text().replace("title: Start", "title: Begin"))

    changed = told_as_json(owned, "app", "import", changed_file, "--publish")

    assert {first["app_id"], unchanged["app_id"]} == {changed["app_id"]}
    assert [row["published_version"] for row in (first, unchanged, changed)] == [1, 1, 2]
    assert len(told_as_json(owned, "app", "list")) == 1


def test_another_name_is_another_app(owned: CommandLine) -> None:
    told_as_json(owned, "app", "import", FLOW)

    told = told_as_json(owned, "app", "import", FLOW, "--name", "Second")

    assert told["is_update"] is False
    assert sorted(row["name"] for row in told_as_json(owned, "app", "list")) == ["Every input", "Second"]


def test_map_replaces_models_at_import(owned: CommandLine) -> None:
    told = told_as_json(owned, "app", "import", CHAT, "--map", "openai=demo/demo")

    assert told["missing_models"] == []
    assert "name: demo" in owned("app", "export", told["app_id"]).out


def test_a_missing_model_is_a_warning(owned: CommandLine) -> None:
    told = owned("app", "import", CHAT)

    assert told.code == 0
    assert told.err.startswith("warning: The model langgenius/openai/openai/gpt-4o-mini")


def test_a_bad_file_stores_nothing(owned: CommandLine) -> None:
    told = owned("app", "import", owned.write("bad.yml", "kind: poem\n"))

    assert (told.code, told.err.count("\n")) == (2, 1)
    assert told_as_json(owned, "app", "list") == []


def test_a_newer_version_waits_for_a_word(owned: CommandLine) -> None:
    newer = FIXTURES / "newer-version.yml"

    asked, done = owned("app", "import", newer), owned("app", "import", newer, "--confirm")

    assert asked.code == 2
    assert "--confirm" in asked.err
    assert done.code == 0


def test_export_and_import_agree(owned: CommandLine) -> None:
    told_as_json(owned, "app", "import", FLOW)
    exported = owned("app", "export", "Every input").out
    told_as_json(owned, "app", "import", owned.write("again.yml", exported), "--name", "Again")

    again = owned("app", "export", "Again", "-o", "out.yml")

    assert again.code == 0
    text = (owned.folder / "out.yml").read_text()
    assert text.replace("name: Again", "name: Every input") == exported


@pytest.mark.parametrize("command", ["publish", "export", "delete"])
def test_an_app_that_is_not_there_is_named(owned: CommandLine, command: str) -> None:
    told = owned("app", command, "Nothing")

    assert (told.code, told.err) == (2, "There is no app named Nothing. Name it by its id: tidemill app list\n")


def test_delete_removes_an_app(owned: CommandLine) -> None:
    told_as_json(owned, "app", "import", FLOW)

    assert owned("app", "delete", "Every input").out == "Deleted Every input.\n"
    assert told_as_json(owned, "app", "list") == []


def test_an_existing_key_can_be_kept_and_revoked(owned: CommandLine) -> None:
    told_as_json(owned, "app", "import", FLOW)
    kept = "app-" + "k" * 24

    made = owned("key", "create", "--app", "Every input", "--value", kept)
    again = owned("key", "create", "--app", "Every input", "--value", kept)
    revoked = owned("key", "revoke", kept, "--app", "Every input")

    assert (made.code, made.out) == (0, f"{kept}\n")
    assert again.code == 2
    assert revoked.code == 0
    assert told_as_json(owned, "key", "list", "--app", "Every input") == []


def test_a_key_of_another_form_is_refused(owned: CommandLine) -> None:
    told_as_json(owned, "app", "import", FLOW)

    told = owned("key", "create", "--app", "Every input", "--value", "dataset-1")

    assert told.code == 2
    assert told.err.startswith("A key is `app-` followed by")


def test_a_server_needs_a_token(empty: CommandLine) -> None:
    told = empty("app", "list", "--server", "http://127.0.0.1:9")

    assert told.code == 2
    assert "tidemill admin token" in told.err


def test_a_server_that_does_not_answer_is_named(empty: CommandLine) -> None:
    told = empty("app", "list", "--server", "http://127.0.0.1:9", "--token", "t")

    assert told.code == 2
    assert told.err.startswith("http://127.0.0.1:9 cannot be reached")
