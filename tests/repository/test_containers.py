"""compose.yaml and the Dockerfile: their form, and that they set nothing that does not exist."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest
import yaml

from repository.tracked import ROOT
from tidemill.kit.settings import setting_names

SCHEMA = json.loads((ROOT / "tests" / "repository" / "compose.schema.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
VARIABLE = re.compile(r"\$\{(\w+)(?::?[-?+][^}]*)?\}")
INSTRUCTIONS = {
    "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "USER", "VOLUME",
    "WORKDIR",
}  # fmt: skip


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def test_compose_has_the_form_of_the_specification() -> None:
    assert [str(error) for error in jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(COMPOSE)] == []


def test_a_misspelt_key_of_compose_would_be_seen() -> None:
    wrong = {"services": {"a": {"image": "x", "enviroment": {}}}}

    assert not jsonschema_rs.Draft202012Validator(SCHEMA).is_valid(wrong)


def test_the_promised_profiles_are_there() -> None:
    profiles = {profile for service in COMPOSE["services"].values() for profile in service["profiles"]}

    assert profiles == {"app", "postgresql", "redis", "weaviate"}


def test_what_services_need_is_defined() -> None:
    volumes = {
        volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])
    }
    needed = {name for service in COMPOSE["services"].values() for name in service.get("depends_on", {})}

    assert volumes == set(COMPOSE["volumes"])
    assert needed <= set(COMPOSE["services"])


def test_compose_sets_only_settings_that_exist() -> None:
    environment = COMPOSE["services"]["tidemill"]["environment"]

    assert set(environment) - set(setting_names()) == set()


def test_compose_reads_only_settings_that_exist() -> None:
    text = (ROOT / "compose.yaml").read_text().replace("$$", "")

    assert set(VARIABLE.findall(text)) - set(setting_names()) == set()


def test_services_besides_the_app_listen_on_this_machine_only() -> None:
    ports = [port for name, service in COMPOSE["services"].items() if name != "tidemill" for port in service["ports"]]

    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_the_dockerfile_is_made_of_known_instructions() -> None:
    assert {name for name, _ in instructions()} <= INSTRUCTIONS
    assert instructions()[0][0] == "FROM"


def test_the_dockerfile_sets_only_settings_that_exist() -> None:
    names = {name for kind, rest in instructions() if kind == "ENV" for name in re.findall(r"(\w+)=", rest)} - {"PATH"}

    assert names
    assert names - set(setting_names()) == set()


def test_the_image_does_not_run_as_root() -> None:
    users = [rest for kind, rest in instructions() if kind == "USER"]

    assert users == ["tidemill"]


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "npm_config_registry"])
def test_the_image_builds_behind_mirrors(name: str) -> None:
    assert ("ARG", name) in instructions()


def test_what_is_copied_between_stages_comes_from_a_stage() -> None:
    stages = {match[1] for kind, rest in instructions() if kind == "FROM" and (match := re.search(r" AS (\w+)", rest))}
    copied = {
        match[1] for kind, rest in instructions() if kind == "COPY" and (match := re.search(r"--from=(\w+)", rest))
    }

    assert copied <= stages
