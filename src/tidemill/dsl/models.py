"""The models an app names, and where in its document it names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from tidemill.dsl.app_file import AGENT_MODE, AppFile
from tidemill.dsl.model_apps import agent_package
from tidemill.dsl.structure import is_drawn_only
from tidemill.llm.types import ModelKind, ModelRef

_MODEL_NODES: Final = frozenset({"llm", "question-classifier", "parameter-extractor"})


class ModelUse(msgspec.Struct, frozen=True):
    """A model that one node names. Both texts are empty where the author chose none."""

    node_id: str
    node_title: str
    kind: ModelKind
    provider: str
    name: str

    @property
    def ref(self) -> ModelRef:
        return ModelRef(self.provider, self.name)


class Spot(msgspec.Struct, frozen=True):
    """A place in a document that names a model: two keys of the mapping `holder`."""

    node_id: str
    node_title: str
    kind: ModelKind
    holder: dict[str, Any]
    provider_key: str = "provider"
    name_key: str = "name"

    def use(self) -> ModelUse:
        provider, name = self.holder.get(self.provider_key), self.holder.get(self.name_key)
        return ModelUse(self.node_id, self.node_title, self.kind, str(provider or ""), str(name or ""))


def model_uses(app: AppFile) -> tuple[ModelUse, ...]:
    """Every model the app names, in the order of the file."""
    return tuple(spot.use() for spot in spots(app))


def spots(app: AppFile) -> Iterator[Spot]:
    """The places of the app's own document; changing a spot's holder changes the document."""
    if app.mode == AGENT_MODE:
        soul = agent_package(app).get("soul")
        model = soul.get("model") if isinstance(soul, dict) else None
        if isinstance(model, dict):
            yield Spot("agent", "Agent", "chat", model, "model_provider", "model")
    if app.model_settings:
        yield from _model_config_spots(app)
    for node in app.nodes:
        if not is_drawn_only(node):
            yield from _node_spots(str(node["id"]), node["data"])
            yield from _package_spots(app, str(node["id"]), node["data"])
    features = app.workflow.get("features")
    if isinstance(features, dict):
        yield from _feature_spots(features)


def _package_spots(app: AppFile, node_id: str, data: Mapping[str, Any]) -> Iterator[Spot]:
    """The model of the package that an agent node names."""
    reference = (_inner(data, "agent_binding") or {}).get("package_ref")
    if data["type"] == "agent" and reference:
        model = _inner(app.document, "agent_packages", str(reference), "soul", "model")
        if model is not None:
            yield Spot(node_id, str(data.get("title") or "agent"), "chat", model, "model_provider", "model")


def _model_config_spots(app: AppFile) -> Iterator[Spot]:
    settings = app.model_settings
    node_id, title = ("agent", "Agent") if app.mode == "agent-chat" else ("llm", "LLM")
    if isinstance(settings.get("model"), dict):
        yield Spot(node_id, title, "chat", settings["model"])
    yield from _feature_spots(settings)


def _feature_spots(features: Mapping[str, Any]) -> Iterator[Spot]:
    block = features.get("suggested_questions_after_answer")
    if isinstance(block, dict) and block.get("enabled") is True and isinstance(block.get("model"), dict):
        yield Spot("", "Suggested questions", "chat", block["model"])


def _node_spots(node_id: str, data: dict[str, Any]) -> Iterator[Spot]:
    title = str(data.get("title") or data["type"])
    match data["type"]:
        case kind if kind in _MODEL_NODES:
            if isinstance(data.get("model"), dict):
                yield Spot(node_id, title, "chat", data["model"])
        case "agent":
            model = _inner(data, "agent_parameters", "model", "value")
            if model is not None:
                yield Spot(node_id, title, "chat", model, "provider", "model")
        case "knowledge-retrieval":
            yield from _retrieval_spots(node_id, title, data)
        case "knowledge-index":
            if data.get("embedding_model"):
                yield Spot(node_id, title, "embedding", data, "embedding_model_provider", "embedding_model")
            rerank = _inner(data, "retrieval_model", "reranking_model")
            if rerank is not None and data["retrieval_model"].get("reranking_enable") is True:
                yield Spot(node_id, title, "rerank", rerank, "reranking_provider_name", "reranking_model_name")
        case _:
            return


def _retrieval_spots(node_id: str, title: str, data: dict[str, Any]) -> Iterator[Spot]:
    if data.get("retrieval_mode") in ("single", "oneWay"):
        model = _inner(data, "single_retrieval_config", "model")
        if model is not None:
            yield Spot(node_id, title, "chat", model)
    else:
        config = _inner(data, "multiple_retrieval_config") or {}
        rerank, vector = _inner(config, "reranking_model"), _inner(config, "weights", "vector_setting")
        if config.get("reranking_mode") == "weighted_score":
            if vector is not None and vector.get("embedding_model_name"):
                yield Spot(node_id, title, "embedding", vector, "embedding_provider_name", "embedding_model_name")
        elif rerank is not None and rerank.get("model") and config.get("reranking_enable") is not False:
            yield Spot(node_id, title, "rerank", rerank, "provider", "model")
    model = _inner(data, "metadata_model_config")
    if model is not None and data.get("metadata_filtering_mode") == "automatic":
        yield Spot(node_id, title, "chat", model)


def _inner(data: Mapping[str, Any], *path: str) -> dict[str, Any] | None:
    found: Any = data
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None
