"""Knowledge index: writes a pipeline's chunks into the knowledge base."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tidemill.engine.node import Node
from tidemill.engine.values import Selector
from tidemill.nodes._shapes import LooseMapping, SelectorField, Settings, Shape, present
from tidemill.nodes._unavailable import Unavailable


class RetrievalModel(Shape):
    search_method: Literal["semantic_search", "full_text_search", "hybrid_search", "keyword_search"] = "semantic_search"
    top_k: int = Field(default=3, ge=1)
    score_threshold: float | None = None
    score_threshold_enabled: bool = False
    reranking_enable: bool = False
    reranking_mode: str = ""
    reranking_model: LooseMapping = Field(default_factory=dict)
    weights: LooseMapping = Field(default_factory=dict)


class Config(Settings):
    chunk_structure: Literal["text_model", "hierarchical_model", "qa_model"] = "text_model"
    index_chunk_variable_selector: SelectorField = ()
    indexing_technique: Literal["high_quality", "economy"] = "high_quality"
    embedding_model: str = ""
    embedding_model_provider: str = ""
    keyword_number: int = Field(default=10, ge=1)
    retrieval_model: RetrievalModel = RetrievalModel()
    summary_index_setting: LooseMapping = Field(default_factory=dict)


class KnowledgeIndex(Unavailable, Node[Config, dict[str, Any]]):
    type = "knowledge-index"
    title = "Knowledge index"
    is_effectful = True

    def handles(self) -> tuple[str, ...]:
        return ()

    def reads(self) -> tuple[Selector, ...]:
        return present(self.config.index_chunk_variable_selector)
