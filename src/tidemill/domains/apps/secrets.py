"""Values of secret environment variables: blank in stored documents, encrypted beside them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from tidemill.domains.apps.models import App, AppImport, AppVersion
from tidemill.kit.crypto import Vault


def seal(vault: Vault, workspace_id: UUID, document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The document with blank secrets, and the secrets encrypted, by variable name."""
    sealed = (
        copy.deepcopy(document) if any(variable.get("value") for variable in _secret_variables(document)) else document
    )
    secrets: dict[str, str] = {}
    for variable in _secret_variables(sealed):
        if value := variable.get("value"):
            secrets[str(variable["name"])] = vault.encrypt(workspace_id, str(value))
            variable["value"] = ""
    return sealed, secrets


def environment(vault: Vault, holder: App | AppVersion | AppImport) -> dict[str, str]:
    """The secret environment variables of an app or version, readable: what a run starts with."""
    return {name: vault.decrypt(holder.workspace_id, token) for name, token in holder.secrets.items()}


def fill(document: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """A copy of the document with the secrets written in."""
    filled = copy.deepcopy(document)
    for variable in _secret_variables(filled):
        variable["value"] = values.get(str(variable.get("name")), variable.get("value", ""))
    return filled


def keep(document: dict[str, Any], fresh: dict[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """Secrets after an update: a variable left blank keeps its stored value."""
    names = {str(variable.get("name")) for variable in _secret_variables(document)}
    return {name: token for name, token in stored.items() if name in names} | fresh


def _secret_variables(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    workflow = document.get("workflow")
    variables = workflow.get("environment_variables") if isinstance(workflow, dict) else None
    for variable in variables if isinstance(variables, list) else ():
        if isinstance(variable, dict) and variable.get("value_type") == "secret":
            yield variable
