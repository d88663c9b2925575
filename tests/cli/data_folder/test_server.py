from __future__ import annotations

from pathlib import Path

from cli.conftest import FIXTURES, CommandLine
from cli.data_folder.conftest import told_as_json
from cli.serving import serving


def test_the_same_commands_work_on_a_running_server(owned: CommandLine, tmp_path: Path) -> None:
    token = owned("admin", "token").out.strip()

    with serving(tmp_path) as server:
        remote = ["--server", server.url, "--token", token]
        imported = told_as_json(
            owned, "app", "import", FIXTURES / "start-every-input.yml", "--publish", "--key", *remote
        )
        listed = told_as_json(owned, "app", "list", *remote)
        refused = owned("app", "list", "--server", server.url, "--token", "wrong")

    assert imported["key"].startswith("app-")
    assert [row["id"] for row in listed] == [imported["app_id"]]
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.count("\n") == 1
