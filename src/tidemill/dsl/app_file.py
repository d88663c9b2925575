"""An app file in memory: its whole document, and what is known about it at first sight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from tidemill.dsl.problems import DslInvalid
from tidemill.dsl.text_ids import with_text_ids

CURRENT_VERSION: Final = "0.7.0"
GRAPH_MODES: Final = frozenset({"workflow", "advanced-chat"})
MODEL_MODES: Final = frozenset({"chat", "agent-chat", "completion"})
AGENT_MODE: Final = "agent"
PIPELINE_MODE: Final = "rag-pipeline"

Kind: TypeAlias = Literal["app", "rag_pipeline"]
ImportStatus: TypeAlias = Literal["completed", "completed-with-warnings", "pending"]

_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:[-+.].*)?")


class AppFile(msgspec.Struct, frozen=True, kw_only=True):
    """One app as a document.

    `document` is the file's data with every key it had; nothing changes it in place. `mode` is
    "rag-pipeline" for a knowledge pipeline. `version` is "0.1.0" when the file has none.
    """

    kind: Kind
    mode: str
    name: str
    version: str
    import_status: ImportStatus
    document: dict[str, Any]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> AppFile:
        """Take a document that is already data (stored, or made by a program).

        Raises:
            DslInvalid: A section is missing or has the wrong shape.
        """
        data: dict[str, Any] = dict(with_text_ids(document))
        kind = _kind(data)
        version = _version(data)
        head = _head(data, kind)
        mode = PIPELINE_MODE if kind == "rag_pipeline" else _mode(head, data)
        _check_sections(data, mode)
        name = head.get("name")
        return cls(
            kind=kind,
            mode=mode,
            name=name.strip() if isinstance(name, str) and name.strip() else "Untitled",
            version=version,
            import_status=import_status(version),
            document=data,
        )

    @property
    def head(self) -> Mapping[str, Any]:
        """The `app` section (`rag_pipeline` for pipelines): name, description, icon."""
        found = self.document.get("rag_pipeline" if self.kind == "rag_pipeline" else "app")
        return found if isinstance(found, dict) else {}

    @property
    def description(self) -> str:
        return str(self.head.get("description") or "")

    @property
    def icon(self) -> str:
        return str(self.head.get("icon") or "🤖")

    @property
    def icon_background(self) -> str:
        return str(self.head.get("icon_background") or "#FFFFFF")

    @property
    def max_active_requests(self) -> int:
        """How many requests the app may serve at a time, 0 when its file does not limit them."""
        found = self.head.get("max_active_requests")
        return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0

    @property
    def workflow(self) -> Mapping[str, Any]:
        """The `workflow` section; empty for apps without a graph."""
        found = self.document.get("workflow")
        return found if isinstance(found, dict) else {}

    @property
    def model_settings(self) -> Mapping[str, Any]:
        """The `model_config` section; empty for apps with a graph."""
        found = self.document.get("model_config")
        return found if isinstance(found, dict) else {}

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The nodes of the graph as the file has them, notes included."""
        return list(graph_of(self.workflow).get("nodes") or [])

    @property
    def edges(self) -> list[dict[str, Any]]:
        return list(graph_of(self.workflow).get("edges") or [])


def graph_of(workflow: Mapping[str, Any]) -> Mapping[str, Any]:
    graph = workflow.get("graph")
    return graph if isinstance(graph, dict) else {}


def import_status(version: str) -> ImportStatus:
    """How a file of this version is taken in by this version of ours."""
    theirs, ours = _numbers(version), _numbers(CURRENT_VERSION)
    if theirs > ours or theirs[0] < ours[0]:
        return "pending"
    return "completed-with-warnings" if theirs[1] < ours[1] else "completed"


def _numbers(version: str) -> tuple[int, int, int]:
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        raise DslInvalid(f'The file\'s version "{version}" is not a version number such as "{CURRENT_VERSION}".')
    return int(match[1]), int(match[2]), int(match[3] or 0)


def _kind(data: Mapping[str, Any]) -> Kind:
    kind = data.get("kind")
    if kind is None or kind == "app":
        return "app"
    if kind == "rag_pipeline":
        return "rag_pipeline"
    raise DslInvalid(f'The file is of the kind "{kind}"; Tidemill reads files of the kind app or rag_pipeline.')


def _version(data: Mapping[str, Any]) -> str:
    version = data.get("version")
    if version is None:
        return "0.1.0"
    if not isinstance(version, str):
        raise DslInvalid(
            f"`version` is {version!r}, which is not text; write it in quotes with three numbers, "
            f'for example version: "{CURRENT_VERSION}".'
        )
    _numbers(version)
    return version


def _head(data: Mapping[str, Any], kind: Kind) -> Mapping[str, Any]:
    section = "rag_pipeline" if kind == "rag_pipeline" else "app"
    head = data.get(section)
    if not isinstance(head, dict):
        raise DslInvalid(f"The file has no `{section}` section, so it is not a file of the kind {kind}.")
    return head


def _mode(head: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    mode = head.get("mode")
    if mode == "channel":  # A name of 2023 for what the sections say.
        return "advanced-chat" if "workflow" in data else "chat"
    if not mode:
        raise DslInvalid("`app.mode` is missing; it says what kind of app this is, for example workflow.")
    if mode not in GRAPH_MODES | MODEL_MODES | {AGENT_MODE}:
        raise DslInvalid(
            f'`app.mode` is "{mode}"; it must be workflow, advanced-chat, chat, agent-chat, completion or agent.'
        )
    return str(mode)


def _check_sections(data: Mapping[str, Any], mode: str) -> None:
    if mode in MODEL_MODES:
        if not isinstance(data.get("model_config"), dict):
            raise DslInvalid(f"The file has no `model_config` section, which an app of mode {mode} needs.")
        return
    if mode == AGENT_MODE:
        if not isinstance(data.get("agent"), dict):
            raise DslInvalid("The file has no `agent` section, which an app of mode agent needs.")
        return
    workflow = data.get("workflow")
    if not isinstance(workflow, dict):
        raise DslInvalid(f"The file has no `workflow` section, which an app of mode {mode} needs.")
    graph = workflow.get("graph")
    if graph is not None and not isinstance(graph, dict):
        raise DslInvalid("`workflow.graph` must be a mapping with `nodes` and `edges`.")
    for section in ("nodes", "edges"):
        entries = graph_of(workflow).get(section)
        if entries is not None and not isinstance(entries, list):
            raise DslInvalid(f"`workflow.graph.{section}` must be a list.")
        for index, entry in enumerate(entries or [], 1):
            _check_entry(entry, section, index)


def _check_entry(entry: object, section: str, index: int) -> None:
    where = f"`workflow.graph.{section}`, entry {index}"
    if not isinstance(entry, dict):
        raise DslInvalid(f"{where}: it must be a mapping.")
    for key in ("id",) if section == "nodes" else ("source", "target"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise DslInvalid(f"{where}: it has no `{key}`.")
    if entry.get("data") is not None and not isinstance(entry["data"], dict):
        raise DslInvalid(f"{where} ({entry.get('id', '')}): `data` must be a mapping.", node_id=entry.get("id"))
    if section == "nodes" and entry.get("data") is None and "note" not in str(entry.get("type")):
        raise DslInvalid(f"{where} ({entry['id']}): it has no `data`.", node_id=entry["id"])
