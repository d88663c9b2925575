from __future__ import annotations

import sys
from pathlib import Path

import pytest

import console_build
from console_build import FAILURE_FILE, HASH_FILE, BuildFailed, build, is_current, sources_hash, static_folder

NODE = """#!{python}
import pathlib, sys
if "--version" in sys.argv:
    print("{version}")
elif "ci" in sys.argv:
    pathlib.Path("node_modules").mkdir()
    pathlib.Path("node_modules/.package-lock.json").write_text("")
elif pathlib.Path("src/main.ts").read_text() == "broken":
    sys.exit("main.ts: this is not TypeScript")
else:
    out = pathlib.Path(sys.argv[sys.argv.index("--outDir") + 1])
    out.mkdir()
    (out / "console.html").write_text(pathlib.Path("src/main.ts").read_text())
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a console, and a Node on PATH that stands in for the real one."""
    console = tmp_path / "console"
    (console / "src").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "console.html"):
        (console / name).write_text("{}")
    (console / "src" / "main.ts").write_text("one")
    (tmp_path / "src" / "tidemill").mkdir(parents=True)
    put_node(tmp_path / "bin", "v20.19.0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def put_node(folder: Path, version: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in ("node", "npm"):
        (folder / name).write_text(NODE.format(python=sys.executable, version=version))
        (folder / name).chmod(0o755)


def quietly(text: str) -> None:
    del text


def test_a_build_is_put_in_place_with_the_hash_of_its_sources(project: Path) -> None:
    build(project, quietly)

    static = static_folder(project)
    assert (static / "console.html").read_text() == "one"
    assert (static / HASH_FILE).read_text().strip() == sources_hash(project / "console")
    assert is_current(project)


def test_changed_sources_are_built_again(project: Path) -> None:
    build(project, quietly)
    (project / "console" / "src" / "main.ts").write_text("two")

    assert not is_current(project)
    build(project, quietly)

    assert (static_folder(project) / "console.html").read_text() == "two"


def test_a_failed_build_leaves_the_site_that_is_there(project: Path) -> None:
    build(project, quietly)
    (project / "console" / "src" / "main.ts").write_text("broken")

    with pytest.raises(BuildFailed, match="this is not TypeScript"):
        build(project, quietly)

    assert (static_folder(project) / "console.html").read_text() == "one"
    assert not is_current(project)


def test_progress_is_told_step_by_step(project: Path) -> None:
    told: list[str] = []

    build(project, told.append)

    assert [line.split(" ...")[0].split(" done")[0] for line in told] == [
        "Console 1/2: packages (npm ci)",
        "Console 1/2: packages (npm ci)",
        "Console 2/2: site (vite build)",
        "Console 2/2: site (vite build)",
    ]


def test_a_failure_names_the_variable_for_mirrors(project: Path) -> None:
    (project / "console" / "src" / "main.ts").write_text("broken")

    with pytest.raises(BuildFailed, match="npm_config_registry"):
        build(project, quietly)


@pytest.mark.parametrize("version", ["v20.18.0", "v18.20.1", "nonsense"])
def test_an_old_node_is_not_used(project: Path, version: str) -> None:
    put_node(project / "bin", version)

    assert console_build.system_node() is None
    with pytest.raises(BuildFailed, match=r"no Node 20\.19 or newer"):
        build(project, quietly)


def test_a_failure_is_left_for_the_page_to_show(project: Path) -> None:
    console_build.record_failure(project, "The registry is on holiday.")

    assert (static_folder(project) / FAILURE_FILE).read_text() == "The registry is on holiday.\n"


def test_line_ends_and_tests_do_not_change_the_hash(project: Path) -> None:
    console = project / "console"
    (console / "src" / "two.ts").write_bytes(b"a\nb\n")
    before = sources_hash(console)

    (console / "src" / "two.ts").write_bytes(b"a\r\nb\r\n")
    (console / "src" / "two.test.ts").write_text("test")

    assert sources_hash(console) == before


def test_without_sources_what_is_there_is_current(tmp_path: Path) -> None:
    assert is_current(tmp_path)


def test_the_real_sources_are_seen() -> None:
    console = Path(__file__).parents[2] / "console"
    names = {path.relative_to(console).as_posix() for path in console_build.source_files(console)}

    assert {"package-lock.json", "vite.config.ts", "console.html"} <= names
    assert not any(name.startswith(("node_modules", "tests")) for name in names)
