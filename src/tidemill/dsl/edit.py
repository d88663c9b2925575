"""Changes to an app's document. Each returns a new app; everything it does not name stays as it was."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import msgspec

from tidemill.dsl.app_file import AppFile
from tidemill.dsl.models import Spot, spots
from tidemill.dsl.problems import DslInvalid
from tidemill.llm.types import ModelRef


def rename_node(app: AppFile, node_id: str, title: str) -> AppFile:
    """Give one node a new title.

    Raises:
        DslInvalid: There is no such node.
    """
    nodes = app.nodes
    if not any(node["id"] == node_id for node in nodes):
        raise DslInvalid(f"The app has no node with the id {node_id}.", node_id=node_id)
    renamed = [
        {**node, "data": {**(node.get("data") or {}), "title": title}} if node["id"] == node_id else node
        for node in nodes
    ]
    workflow = dict(app.workflow)
    graph: dict[str, Any] = {**workflow["graph"], "nodes": renamed}
    return msgspec.structs.replace(app, document={**app.document, "workflow": {**workflow, "graph": graph}})


def map_models(app: AppFile, mapping: Mapping[tuple[str, str] | str, ModelRef]) -> AppFile:
    """Name other models: by provider and name, else by provider alone.

    A provider matches in its full and its bare spelling (`langgenius/openai/openai`, `openai`).
    """
    changed = msgspec.structs.replace(app, document=copy.deepcopy(app.document))
    for spot in list(spots(changed)):
        target = _target(spot, mapping)
        if target is not None:
            spot.holder[spot.provider_key] = target.provider
            spot.holder[spot.name_key] = target.name
    return changed


def _target(spot: Spot, mapping: Mapping[tuple[str, str] | str, ModelRef]) -> ModelRef | None:
    use = spot.use()
    by_provider: ModelRef | None = None
    for source, target in mapping.items():
        if isinstance(source, tuple):
            if _same_provider(source[0], use.provider) and source[1] == use.name:
                return target
        elif _same_provider(source, use.provider):
            by_provider = target
    return by_provider


def _same_provider(left: str, right: str) -> bool:
    if left == right:
        return True
    # Two full ids differ even when they end alike; a bare name stands for any of them.
    return ("/" not in left or "/" not in right) and left.split("/")[-1] == right.split("/")[-1] != ""
