from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from cli.conftest import FIXTURES, CommandLine
from cli.data_folder.conftest import told_as_json
from tidemill.migrations.schema import HEAD


def test_the_tables_go_up_and_down(empty: CommandLine) -> None:
    # The database of a test may come with its tables.
    empty("db", "downgrade", "base")

    before = empty("db", "current")
    up = empty("db", "upgrade")
    after = empty("db", "current")
    down = empty("db", "downgrade", "base")

    assert before.out == f"none (empty; this release has {HEAD})\n"
    assert up.out == f"The database is at revision {HEAD}.\n"
    assert after.out == f"{HEAD} (current; this release has {HEAD})\n"
    assert (down.code, down.out) == (0, "The database is at revision base.\n")


def test_a_backup_brings_back_what_was_there(owned: CommandLine) -> None:
    told_as_json(owned, "app", "import", FIXTURES / "start-every-input.yml")
    saved = owned("db", "backup", "copy")
    owned("app", "delete", "Every input")

    restored = owned("db", "restore", "copy")

    assert (saved.code, restored.code) == (0, 0), saved.err + restored.err
    assert [row["name"] for row in told_as_json(owned, "app", "list")] == ["Every input"]


def test_a_backup_replaces_no_file(owned: CommandLine) -> None:
    owned.write("copy", "precious")

    told = owned("db", "backup", "copy")

    assert (told.code, told.err) == (2, "copy exists already. Name a new file.\n")


def test_something_else_is_not_restored(owned: CommandLine, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE songs (id)")

    assert owned("db", "restore", "nowhere").code == 2
    assert owned("db", "restore", "other.db").code in (1, 2)
    assert told_as_json(owned, "app", "list") == []


def test_a_database_of_somebody_else_is_not_touched(tidemill: CommandLine) -> None:
    home = tidemill.folder / "data"
    home.mkdir()
    with closing(sqlite3.connect(home / "tidemill.db")) as other:
        other.execute("CREATE TABLE songs (id)")

    told = tidemill("db", "upgrade")

    assert told.code == 2
    assert "tables that are not Tidemill's" in told.err
