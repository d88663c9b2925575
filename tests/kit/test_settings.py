"""Settings: where values come from, what is shown of them, and names spelt wrongly."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from tidemill.kit.db import url_of
from tidemill.kit.settings import MASK, Settings, environment_name, load, setting_names, with_secret_key
from tidemill.kit.settings_page import env_example, page

ROOT = Path(__file__).parents[2]


def _load(tmp_path: Path, **environ: str) -> Settings:
    return load(home=tmp_path / "data", environ=environ, cwd=tmp_path)


def test_nothing_is_required(tmp_path: Path):
    settings = _load(tmp_path)

    assert url_of(settings).database == str(tmp_path / "data" / "tidemill.db")
    assert settings.storage_root == tmp_path / "data" / "files"
    assert {line.source for line in settings.explain()} == {"default", "the command line"}


def test_stronger_sources_win_and_are_named(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".env").write_text("DB_HOST=data\nDB_PORT=1\nREDIS_HOST=data\nLOG_LEVEL=INFO\n")
    (tmp_path / ".env").write_text("DB_HOST=here\nDB_PORT=2\nREDIS_HOST=here\n")

    settings = load(
        home=tmp_path / "data", environ={"DB_HOST": "env", "DB_PORT": "3"}, cwd=tmp_path, options={"DB_HOST": "option"}
    )

    assert (settings.db_host, settings.source("db_host")) == ("option", "the command line")
    assert (settings.db_port, settings.source("db_port")) == (3, "the environment")
    assert (settings.redis_host, settings.source("redis_host")) == ("here", str(tmp_path / ".env"))
    assert (settings.log_level, settings.source("log_level")) == ("INFO", str(tmp_path / "data" / ".env"))


def test_the_data_folder_may_be_named_in_the_env_file_here(tmp_path: Path):
    (tmp_path / ".env").write_text("TIDEMILL_HOME=elsewhere\n")

    settings = load(environ={}, cwd=tmp_path)

    assert settings.home == tmp_path / "elsewhere"
    assert settings.source("home") == str(tmp_path / ".env")


def test_secrets_are_masked(tmp_path: Path):
    shown = {line.name: line.value for line in _load(tmp_path, DB_PASSWORD="hunter2hunter2").explain()}

    assert shown["DB_PASSWORD"] == MASK
    assert shown["REDIS_PASSWORD"] == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [("DB_HOTS", "DB_HOST"), ("TIDEMILL_PROT", "TIDEMILL_PORT"), ("OPENDAL_FS_ROT", "OPENDAL_FS_ROOT")],
)
def test_a_name_spelt_wrongly_is_told_with_its_place(tmp_path: Path, name: str, meant: str):
    (tmp_path / ".env").write_text(f"{name}=x\n")

    assert _load(tmp_path).warnings() == [
        f"{name} (read from {tmp_path / '.env'}) is not a setting. Did you mean {meant}?"
    ]


def test_our_prefix_with_an_unknown_name_is_told_too(tmp_path: Path):
    assert "TIDEMILL_WHATEVER (read from the environment)" in _load(tmp_path, TIDEMILL_WHATEVER="1").warnings()[0]


def test_names_of_other_programs_are_left_alone(tmp_path: Path):
    others = {"S3_SECRET_KEY": "x", "PATH": "/bin", "WEAVIATE_ENDPOINT": "x", "DB_EXTRAS": "x", "HOME": "/x"}

    assert _load(tmp_path, **others).warnings() == []


def test_a_prefix_is_written_with_one_slash(tmp_path: Path):
    assert _load(tmp_path, TIDEMILL_PATH_PREFIX="tide/").path_prefix == "/tide"
    assert _load(tmp_path, TIDEMILL_PATH_PREFIX="/").path_prefix == ""


def test_the_secret_key_is_made_once_and_only_for_its_owner(tmp_path: Path):
    first = with_secret_key(_load(tmp_path))
    second = with_secret_key(_load(tmp_path))

    path = tmp_path / "data" / "secret_key"
    assert first.secret_key == second.secret_key
    assert len(first.secret_key.get_secret_value()) >= 48
    assert first.source("secret_key") == str(path)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_line_of_an_example_file_sets_nothing(tmp_path: Path):
    (tmp_path / ".env").write_text("DB_HOST=\nSECRET_KEY=\n")

    settings = _load(tmp_path)

    assert (settings.db_host, settings.source("db_host")) == ("localhost", "default")


def test_every_setting_says_what_it_is():
    for field, info in Settings.model_fields.items():
        assert info.description, field
        assert environment_name(field) in setting_names()


def test_the_reference_page_and_the_example_file_are_up_to_date():
    assert (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8") == page()
    assert (ROOT / ".env.example").read_text("utf-8") == env_example()


def test_a_name_that_only_the_command_line_reads_is_no_slip(tmp_path: Path):
    settings = load(home=tmp_path, environ={"TIDEMILL_MODEL_WINDOWS": "m=8192"}, cwd=tmp_path)

    assert settings.warnings() == []
