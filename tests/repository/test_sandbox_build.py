from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from sandbox_build import FILES, RELEASE, BuildFailed, build, is_current, runtime_folder

NPM = """#!{python}
import pathlib, shutil, sys
if "--version" in sys.argv:
    print("v22.0.0")
elif "pack" in sys.argv:
    if not pathlib.Path({archive!r}).is_file():
        sys.exit("the registry does not answer")
    shutil.copy({archive!r}, ".")
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and an npm on PATH that stands in for the registry."""
    (tmp_path / "bin").mkdir()
    for name in ("node", "npm"):
        program = tmp_path / "bin" / name
        program.write_text(NPM.format(python=sys.executable, archive=str(tmp_path / "pyodide.tgz")))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def publish(project: Path) -> str:
    """Put a release into the registry; its digest."""
    contents = {name: name.encode() for name in FILES}
    contents["pyodide-lock.json"] = json.dumps({"info": {"python": "3.14"}, "packages": {"numpy": {}}}).encode()
    with tarfile.open(project / "pyodide.tgz", "w:gz") as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return hashlib.sha256((project / "pyodide.tgz").read_bytes()).hexdigest()


def quietly(text: str) -> None:
    del text


def test_a_build_puts_the_releases_files_in_place(project: Path):
    digest = publish(project)
    before = is_current(project)

    build(project, quietly, archive_sha256=digest)

    folder = runtime_folder(project)
    assert not before
    assert is_current(project)
    assert {path.name for path in folder.iterdir()} == {*FILES, "pyodide-lock.json", "NOTICE", "VERSION"}
    assert json.loads((folder / "pyodide-lock.json").read_text()) == {"info": {"python": "3.14"}, "packages": {}}
    assert "Mozilla Public License" in (folder / "NOTICE").read_text()


def test_another_release_than_expected_is_refused_and_what_was_there_stays(project: Path):
    publish(project)
    runtime_folder(project).mkdir(parents=True)
    (runtime_folder(project) / "VERSION").write_text("older")

    with pytest.raises(BuildFailed, match=f"pyodide {RELEASE} is not the release"):
        build(project, quietly)

    assert (runtime_folder(project) / "VERSION").read_text() == "older"


def test_an_unreachable_registry_is_told_with_the_setting_that_names_another(project: Path):
    with pytest.raises(BuildFailed, match=r"npm_config_registry(.|\n)*the registry does not answer"):
        build(project, quietly)

    assert not is_current(project)
